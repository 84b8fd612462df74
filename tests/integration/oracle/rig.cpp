#include "tests/integration/oracle/rig.hpp"

#include "tests/integration/oracle/fixture.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace sluice::test::oracle {
namespace {

mysql_server start(server_kind kind) {
    server_options options;
    options.kind = kind;
    options.extra_arguments = {"--max-allowed-packet=67108864", "--local-infile=1"};
    if (kind == server_kind::mysql_9_7) {
        options.extra_arguments.emplace_back("--protocol-compression-algorithms=zlib,zstd,uncompressed");
    }
    if (kind == server_kind::mariadb_10_11) {
        // It makes no certificate by itself; MySQL has made one in its data folder.
        const auto data = rig::of(server_kind::mysql_9_7).certificate_folder();
        options.extra_arguments.push_back("--ssl-cert=" + (data / "server-cert.pem").string());
        options.extra_arguments.push_back("--ssl-key=" + (data / "server-key.pem").string());
    }
    return mysql_server::start(options);
}

}  // namespace

std::vector<server_kind> servers() {
    std::vector<server_kind> all = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};
    if (const char* only = std::getenv("SLUICE_ORACLE_SERVER")) {
        std::erase_if(all, [&](auto kind) { return std::string(throwaway::to_string(kind)) != only; });
    }
    return all;
}

rig& rig::of(server_kind kind) {
    static std::map<server_kind, std::unique_ptr<rig>> rigs;
    auto& found = rigs[kind];
    if (!found) found.reset(new rig(kind));
    return *found;
}

rig::rig(server_kind kind) : kind_(kind), server_(start(kind)), root_(connect(server_)) {
    for (const auto& statement : fixture(kind)) root_.exec(statement);
    offered_ = offered_at(port());
    warm_up();
}

std::filesystem::path rig::certificate_folder() const { return server_.data_folder(); }

std::unique_ptr<proxy::proxy_server> rig::start_proxy(proxy::proxy_options options) const {
    if (options.server_port == proxy::proxy_options().server_port) options.server_port = port();
    options.io_threads = 1;
    auto started = proxy::proxy_server::start(std::move(options));
    if (!started) throw wire::error(started.error().message);
    return std::move(*started);
}

std::uint64_t rig::offered_at(std::uint16_t port) const {
    wire::transport under(port);
    wire::packet_stream stream(under);
    wire::login as;
    as.user = app_user;
    as.password = app_password;
    as.capabilities = mode_named(modes().front().name).capabilities;
    return wire::log_in(under, stream, as).greeted.capabilities;
}

bool rig::speaks(const transport_kind& over) const {
    // 5.6 knows no version of TLS that OpenSSL 3 still speaks.
    if (over.tls && ((offered_ & wire::flag::ssl) == 0 || kind_ == server_kind::mysql_5_6)) return false;
    if (over.compressed == wire::compression::zlib) return (offered_ & wire::flag::compress) != 0;
    if (over.compressed == wire::compression::zstd) return (offered_ & wire::flag::zstd) != 0;
    return true;
}

transcript rig::run_fresh(const script& what, const run_options& how) {
    if (what.fresh_schema) {
        root_.exec("DROP DATABASE IF EXISTS " + what.database);
        root_.exec("CREATE DATABASE " + what.database + " CHARACTER SET latin1");
    }
    if (what.is_cold) root_.exec("FLUSH PRIVILEGES");
    if (what.is_alone) {
        const std::string sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '";
        wait_until("the end of all sessions of " + what.user,
                   [&] { return root_.scalar(sessions + what.user + "'") == "0"; });
    }
    auto done = run(what, how);
    if (what.is_cold) warm_up();
    return done;
}

// Lets the server know every password, so that logins differ in nothing but what they are about.
void rig::warm_up() {
    const char* const accounts[][2] = {{app_user, app_password},
                                       {"oracle_other", "other-secret"},
                                       {"oracle_power", "power-secret"},
                                       {"oracle_lister", "lister-secret"}};
    for (const auto& [user, password] : accounts) sql_connection(port(), user, password).ping();
}

const transcript& rig::direct(const script& what, const mode& as, const transport_kind& over, std::uint64_t offered) {
    run_options how;
    how.port = port();
    how.kind = kind_;
    how.as = as;
    // What a client may set although nobody offers it stays.
    how.as.capabilities &= offered | wire::flag::long_password | wire::flag::found_rows | wire::flag::ignore_space |
                           wire::flag::interactive;
    if (speaks(over)) how.over = over;
    how.recorded = !how.over.tls && how.over.compressed == wire::compression::none;
    const auto key = std::make_tuple(what.name, how.as.capabilities, how.over.name);
    const auto found = direct_.find(key);
    if (found != direct_.end()) return found->second;
    return direct_.emplace(key, run_fresh(what, how)).first->second;
}

namespace {

std::uint64_t effective(const script& what, const mode& as, std::uint64_t offered) {
    const auto wanted = (as.capabilities | what.added) & ~what.removed;
    return wanted & (offered | wire::flag::found_rows | wire::flag::long_password);
}

}  // namespace

bool applies(const script& what, server_kind kind, const mode& as, std::uint64_t offered) {
    if (!what.runs_on(kind)) return false;
    // MySQL 9.7 lets nobody in who knows no plugins.
    if (kind == server_kind::mysql_9_7 && (as.capabilities & wire::flag::plugin_auth) == 0) return what.is_refused;
    const auto there = effective(what, as, offered);
    if ((there & what.must_have) != what.must_have || (there & what.must_lack) != 0) return false;
    // Where the server lacks what tells two modes apart, one of them is enough.
    for (const auto& earlier : modes()) {
        if (&earlier == &as) break;
        if (effective(what, earlier, offered) == there) return false;
    }
    // What changes tables takes long and runs in the two main modes, or in those that it is about.
    return !what.fresh_schema || what.must_have != 0 || what.must_lack != 0 || as.is_main;
}

void findings::add(std::string difference) {
    const std::lock_guard guard(lock_);
    ++compared_;
    if (!difference.empty()) all_.push_back(std::move(difference));
}

findings::~findings() {
    const char* all = std::getenv("SLUICE_ORACLE_ALL");  // set: show them all
    const std::size_t shown = all == nullptr ? 10 : all_.size();
    if (std::getenv("SLUICE_ORACLE_SCRIPT") == nullptr) CHECK(compared_ != 0);
    for (std::size_t i = 0; i < std::min(shown, all_.size()); ++i) FAIL_CHECK(all_[i]);
    if (all_.size() > shown) FAIL_CHECK(all_.size() - shown << " more differences, not shown");
}

void on_every_server(findings& found, const std::function<void(rig&)>& work) {
    std::vector<std::thread> threads;
    for (const auto kind : servers()) {
        auto& server = rig::of(kind);
        threads.emplace_back([&] {
            try {
                work(server);
            } catch (const std::exception& wrong) {
                found.add(std::string(throwaway::to_string(server.kind())) + ": " + wrong.what());
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

}  // namespace sluice::test::oracle
