// `sluice gh-ost --via` at work, in front of a server with prepared answers: flag files of this machine, and the end.

#include "admin/http_server.hpp"
#include "proxy/main/ghost/follow.hpp"
#include "proxy/main/ghost/via_run.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

using namespace sluice;
using namespace sluice::ghost;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

const std::string job = "/v1/migrations/0123/";

/// Remembers what it was told.
class sluice_double {
public:
    sluice_double() {
        auto listening = admin::http_server::listen({});
        REQUIRE(listening);
        server_ = std::move(listening).value();
        server_->serve([this](const admin::http_request& request) { return answer(request); });
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
    void shows(json::object migration) {
        const std::lock_guard guard(mutex_);
        shown_ = std::move(migration);
    }
    /// So many times; then it obeys.
    void refuses(const std::string& command, int times) {
        const std::lock_guard guard(mutex_);
        refusals_[job + command] = times;
    }
    /// What came since the last question: "pause", "settings {…}", or the whole body of the first.
    std::vector<std::string> told() {
        const std::lock_guard guard(mutex_);
        return std::exchange(told_, {});
    }

private:
    admin::http_response answer(const admin::http_request& request) {
        const std::lock_guard guard(mutex_);
        admin::http_response good{.status = 200, .content_type = "application/json", .headers = {}, .body = {}};
        good.body = json::serialize(shown_);
        if (request.method != "POST") return good;
        const std::string target(request.target);
        if (int& left = refusals_[target]; left > 0) {
            --left;
            good.status = 503;
            good.body = R"({"detail":"not now"})";
            return good;
        }
        std::string said = target == "/v1/migrations" ? "" : target.substr(job.size());
        if (!request.body.empty()) said += (said.empty() ? "" : " ") + std::string(request.body);
        told_.push_back(said);
        return good;
    }

    std::mutex mutex_;
    json::object shown_{{"id", "0123"}, {"state", "copying"}};
    std::map<std::string, int> refusals_;
    std::vector<std::string> told_;
    std::unique_ptr<admin::http_server> server_;
};

struct scene {
    scene() {
        std::string name = (std::filesystem::temp_directory_path() / "sluice_via_XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
        settings.via = sluice.url();
        settings.spec.table = {"d", "t"};
        settings.spec.alter = "FORCE";
    }
    ~scene() { std::filesystem::remove_all(folder); }
    [[nodiscard]] std::string file(const char* name) const { return (folder / name).string(); }
    void make(const char* name) const { std::ofstream(file(name)).put('\n'); }
    void remove(const char* name) const { std::filesystem::remove(file(name)); }

    /// Begun; what it began with.
    json::object begin() {
        auto client = admin_client::make({.url = sluice.url(), .token_file = {}});
        REQUIRE(client);
        run = std::make_unique<via_run>(settings, std::move(client).value(), patience);
        REQUIRE(run->begin());
        const auto said = sluice.told();
        REQUIRE_FALSE(said.empty());
        INFO(said.front());
        return json::parse(said.front()).as_object().at("options").as_object();
    }
    /// What that Sluice is told because of one look.
    std::vector<std::string> look() {
        REQUIRE(run->refresh());
        return sluice.told();
    }

    std::filesystem::path folder;
    sluice_double sluice;
    ghost_settings settings;
    std::chrono::milliseconds patience = 15s;
    std::unique_ptr<via_run> run;
};

/// What is logged in its lifetime.
struct logged {
    logged() { spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink)); }
    ~logged() { spdlog::set_default_logger(before); }

    std::ostringstream text;
    std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
    std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text);
};

using words = std::vector<std::string>;
const words nothing;
const words released{R"(settings {"postpone_cutover":false})"};

migration::option_changes no_postponement() {
    return change_of("postpone_cutover", &migration::migration_options::postpone_cutover, false);
}

}  // namespace

TEST_CASE("--via: while the flag file is on this machine the job is postponed", "[ghost]") {
    scene s;
    s.settings.spec.options.postpone_flag_file = s.file("postpone");
    s.make("postpone");
    const json::object options = s.begin();
    CHECK(options.at("postpone_cutover") == true);
    CHECK_FALSE(options.contains("postpone_flag_file"));
    CHECK(s.look() == nothing);
    CHECK(s.run->options().postpone_flag_file == s.file("postpone"));
    s.remove("postpone");
    s.sluice.refuses("settings", 1);
    CHECK(s.look() == nothing);
    CHECK(s.look() == released);
    CHECK(s.look() == nothing);
    // It counts until the cut-over, and so does another one.
    s.make("postpone");
    CHECK(s.look() == words{"postpone"});
    REQUIRE(s.run->unpostpone());
    CHECK(s.sluice.told() == words{"cut-over"});
    CHECK(s.look() == nothing);
    REQUIRE(s.run->postpone_by(s.file("other")));
    CHECK(s.sluice.told() == words{"postpone"});
    CHECK(std::filesystem::exists(s.file("other")));
    CHECK(s.look() == nothing);
    s.remove("other");
    CHECK(s.look() == released);
    s.sluice.refuses("postpone", 1);
    const auto refused = s.run->postpone_by(s.file("third"));
    REQUIRE(refused.has_error());
    CHECK(refused.error().text == "not now");
}

TEST_CASE("--via: hooks and flag file hold the cut-over until both let it go", "[ghost]") {
    scene s;
    s.settings.spec.options.postpone_cutover = true;
    s.settings.spec.options.postpone_flag_file = s.file("postpone");
    s.make("postpone");
    CHECK(s.begin().at("postpone_cutover") == true);
    REQUIRE(s.run->change(no_postponement()));
    CHECK(s.look() == nothing);
    s.remove("postpone");
    CHECK(s.look() == released);

    scene other;
    other.settings.spec.options.postpone_cutover = true;
    CHECK(other.begin().at("postpone_cutover") == true);
    CHECK(other.look() == nothing);
    REQUIRE(other.run->change(no_postponement()));
    CHECK(other.sluice.told() == released);
}

TEST_CASE("--via: flag files of this machine throttle, and so does the command", "[ghost]") {
    scene s;
    s.settings.spec.options.throttle_flag_file = s.file("one");
    s.settings.spec.options.throttle_additional_flag_file = s.file("all");
    const json::object options = s.begin();
    CHECK(options.at("postpone_cutover") == false);
    CHECK_FALSE(options.contains("throttle_flag_file"));
    CHECK_FALSE(options.contains("throttle_additional_flag_file"));
    CHECK(s.look() == nothing);
    s.make("one");
    s.sluice.refuses("pause", 1);
    CHECK(s.look() == nothing);
    CHECK(s.look() == words{"pause"});
    CHECK(s.run->view().throttled_by == "flag-file");
    s.make("all");
    s.remove("one");
    CHECK(s.look() == nothing);
    REQUIRE(s.run->throttle(true));
    CHECK(s.sluice.told() == words{"pause"});
    s.remove("all");
    CHECK(s.look() == nothing);
    CHECK(s.run->view().throttled_by.empty());
    s.make("all");
    REQUIRE(s.run->throttle(false));
    CHECK(s.sluice.told() == words{"pause"});
    s.remove("all");
    CHECK(s.look() == words{"resume"});
    CHECK(s.look() == nothing);
}

TEST_CASE("--via: settings are shown as that Sluice has them", "[ghost]") {
    scene s;
    s.begin();
    s.sluice.shows(
        {{"id", "0123"}, {"state", "copying"}, {"options", {{"apply_batch_keys", 77}, {"max_load", "a=1"}}}});
    s.look();
    CHECK(s.run->options().apply_batch_keys == 77);
    CHECK(s.run->options().max_load == "a=1");
}

TEST_CASE("--via: an abort is told again until it is heard", "[ghost]") {
    scene s;
    s.begin();
    s.sluice.refuses("abort", 2);
    CHECK(s.run->leave());
    CHECK(s.sluice.told() == words{"abort"});
}

TEST_CASE("--via: whoever cannot abort a job says that it goes on, and where", "[ghost]") {
    scene s;
    s.patience = 1ms;
    s.begin();
    s.sluice.refuses("abort", 1000);
    const auto left = s.run->leave();
    REQUIRE(left.has_error());
    CHECK(left.error().text ==
          "migration 0123 at " + s.sluice.url() + " goes on: it could not be told to abort (not now)");
    // Heard, though the answer did not say so.
    s.sluice.shows({{"id", "0123"}, {"state", "aborted"}});
    CHECK(s.run->leave());
    s.sluice.shows({{"id", "0123"}, {"state", "completed"}});
    const auto late = s.run->leave();
    REQUIRE(late.has_error());
    CHECK(late.error().text.ends_with("was done before it could be aborted"));
}

TEST_CASE("--via: a panic whose abort fails does not end as if nothing went on", "[ghost]") {
    scene s;
    s.patience = 1ms;
    s.begin();
    s.sluice.refuses("abort", 1000);
    s.run->panic("user commanded 'panic'");
    const logged log;
    CHECK(follow(*s.run, {}) == 1);
    CHECK(log.text.str().find("user commanded 'panic'; migration 0123 at " + s.sluice.url() + " goes on: ") !=
          std::string::npos);
}
