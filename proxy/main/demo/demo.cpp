#include "proxy/main/demo/demo.hpp"

#include "bench/load/bookkeeping_load.hpp"
#include "bench/throwaway/server.hpp"
#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/demo_report.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "proxy/main/exit_codes.hpp"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include <unistd.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* schema = "test";
constexpr const char* table = "orders";
constexpr const char* alter =
    "ADD COLUMN priority TINYINT UNSIGNED NOT NULL DEFAULT 0, MODIFY COLUMN note VARCHAR(255), ADD INDEX by_date "
    "(updated_at)";
constexpr milliseconds poll{50};
constexpr std::chrono::minutes migration_max{10};

void say(const std::string& line) { std::cout << line << std::endl; }

boost::json::object ask(admin_client& admin, const std::string& path) {
    auto answer = admin.get(path);
    if (!answer) throw demo_error("the admin port does not answer: " + answer.error().message);
    return std::move(answer).value();
}

/// Shows progress until `enough` says so.
template <class Enough>
boost::json::object follow(served_sluice& sluice, const std::string& path, Enough enough) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    const auto until = steady_clock::now() + migration_max;
    auto shown = steady_clock::time_point{};
    while (true) {
        boost::json::object migration = ask(sluice.admin(), path);
        const auto progress = read_progress(migration);
        if (!progress) throw demo_error("the admin port's answer is no migration");
        const bool done = enough(*progress);
        const auto now = steady_clock::now();
        if (done || now - shown > (terminal ? milliseconds(100) : milliseconds(1000))) {
            shown = now;
            if (terminal) {
                std::cout << "\r\x1b[K  " << bar_line(*progress, 98) << (done ? "\n" : "") << std::flush;
            } else {
                say("  " + plain_line(*progress));
            }
        }
        if (done) return migration;
        if (now > until) throw demo_error("the migration has not ended after ten minutes:\n" + sluice.log());
        std::this_thread::sleep_for(poll);
    }
}

std::string create_migration(admin_client& admin) {
    const boost::json::object request{
        {"schema", schema},
        {"table", table},
        {"alter", alter},
        // The demo gives the command itself, so that it can tell the latencies at the cut-over from the others.
        {"options", boost::json::object{{"postpone_cutover", true}, {"drop_old_table", true}}}};
    auto made = admin.post("/v1/migrations", boost::json::serialize(request));
    if (!made) throw demo_error("the migration was not accepted: " + made.error().message);
    const auto progress = read_progress(*made);
    if (!progress) throw demo_error("the admin port's answer is no migration");
    return progress->id;
}

void run_load_for(load::bookkeeping_load& load, unsigned seconds) {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    if (load.errors_so_far() == 0) return;
    load.stop();
    throw demo_error("clients saw errors before the migration began: " + load.report().first_errors.front());
}

demo_findings migrate_under_load(served_sluice& sluice, const demo_options& options, const load::endpoint& direct) {
    load::endpoint through = direct;
    through.port = sluice.port();
    load::load_options load_options;
    load_options.target = through;
    load_options.table = table;
    load_options.filled_rows = options.rows;
    load_options.connections = options.connections;
    load_options.prepared_connections = options.connections / 2;
    load_options.statements_per_second = options.statements_per_second;
    load::bookkeeping_load load(load_options);
    load.start("before");
    run_load_for(load, options.before_s);

    say("migrating: ALTER TABLE " + std::string(table) + " " + alter);
    demo_findings findings;
    load.phase("during the copy");
    const auto began = steady_clock::now();
    const std::string id = create_migration(sluice.admin());
    const std::string path = "/v1/migrations/" + id;
    follow(sluice, path, [](const migration_progress& p) { return p.state == "ready" || p.completed() || p.failed(); });
    load.phase("at the cut-over");
    if (auto told = sluice.admin().post(path + "/cut-over", ""); !told) throw demo_error(told.error().message);
    findings.migration = follow(sluice, path, [](const migration_progress& p) { return p.completed() || p.failed(); });
    findings.seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
    load.phase("after");
    std::this_thread::sleep_for(std::chrono::seconds(options.before_s));
    load.stop();

    say("comparing the books with the table");
    findings.load = load.report();
    findings.books = load::verify(load.the_books(), direct, table);
    return findings;
}

}  // namespace

int run_demo(const demo_options& options) {
    try {
        say("starting a throwaway MySQL 9.7");
        throwaway::server server = throwaway::server::start();
        const load::endpoint direct{server.host(), server.port(), throwaway::app_user, throwaway::app_password, schema};
        say("filling table " + std::string(table) + " with " + std::to_string(options.rows) + " rows");
        load::create_and_fill(direct, table, options.rows);
        say("starting sluice in front of it");
        served_sluice sluice(std::filesystem::read_symlink("/proc/self/exe"), server.port());
        say("sending traffic through it: " + std::to_string(options.connections) + " connections");
        const demo_findings findings = migrate_under_load(sluice, options, direct);
        std::cout << report_text(findings);
        sluice.stop();
        if (!findings.good()) std::cout << "\nsluice's log:\n" << sluice.log();
        std::cout << (findings.good() ? "\nThe table has its new shape, and no client noticed.\n"
                                      : "\nThe demo FAILED.\n");
        return findings.good() ? exit_code::ok : exit_code::failure;
    } catch (const std::exception& error) {
        std::cerr << "sluice demo: " << error.what() << "\n";
        return exit_code::failure;
    }
}

}  // namespace sluice
