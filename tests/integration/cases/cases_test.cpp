// Every folder beside this file: a table, an ALTER, writes, and what must come of it (README.md). The cases of one
// server family run several at a time on one server, each in schemas of its own. SLUICE_CASE=NAME runs one (NAME*
// several).

#include "tests/integration/cases/case_file.hpp"
#include "tests/integration/cases/case_load.hpp"
#include "tests/integration/cases/mirrored_migration.hpp"
#include "tests/support/catch.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

using namespace sluice;
using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

constexpr unsigned cases_at_a_time = 4;

struct case_report {
    std::string problem;  ///< empty: as expected
    bool paused_midway = false;
};

void create_tables(sql_connection& root, const test_case& one, const std::string& schema) {
    root.exec("CREATE DATABASE `" + schema + "` DEFAULT CHARACTER SET utf8mb4");
    root.exec("USE `" + schema + "`");
    root.exec("CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY)");
    std::string values;
    for (int n = 0; n < 1'000; ++n) values += (n == 0 ? "(" : ", (") + std::to_string(n) + ")";
    root.exec("INSERT INTO numbers VALUES " + values);
    root.query_all(one.create);
    root.exec("DROP TABLE numbers");
    // What create.sql may have set is its own affair.
    root.exec("SET sql_mode = '" + std::string(mirrored_sql_mode) + "', time_zone = '+00:00'");
}

unsigned seed_of(const std::string& name) {
    unsigned seed = 17;
    for (const char c : name) seed = seed * 31 + static_cast<unsigned char>(c);
    return seed % 1'000'000;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string failure_problem(const test_case& one, const migration::migration_snapshot& ended) {
    if (ended.state != migration::migration_state::failed) {
        return "expected failure " + one.failure_code + ", but it is " + std::string(to_string(ended.state));
    }
    if (ended.error->code != one.failure_code) return "expected " + one.failure_code + ", got " + error_text(ended);
    for (const auto& word : one.failure_words) {
        if (!contains(ended.error->message, word)) return "no '" + word + "' in " + error_text(ended);
    }
    return {};
}

std::string success_problem(const migration::migration_snapshot& ended) {
    if (ended.state != migration::migration_state::completed) {
        return "it is " + std::string(to_string(ended.state)) + ", " + error_text(ended);
    }
    if (!ended.leftovers.empty()) return "left over: " + ended.leftovers.front();
    // Equal tables would say nothing about copy and apply if the comparison had made them so.
    const auto mended = ended.verification.rows_repaired;
    if (mended != 0) return "the comparison had to repair rows: " + std::to_string(mended);
    return {};
}

// The server's own word: error number and text, or nothing.
std::string alter_mirror(sql_connection& root, const test_case& one, const std::string& schema) {
    root.exec("USE `" + schema + "`");
    if (!one.alter_mode.empty()) root.exec("SET sql_mode = CONCAT(@@sql_mode, '," + one.alter_mode + "')");
    if (!one.options.time_zone.empty()) root.exec("SET time_zone = " + root.quote(one.options.time_zone));
    try {
        root.query_all(alter_statement(one.table, one.alter));
    } catch (const sql_error& error) {
        return std::to_string(error.number()) + " " + error.what();
    }
    root.exec("SET time_zone = '+00:00'");
    return {};
}

case_report run_case(const mysql_server& server, migration::migration_service& engine, const test_case& one) {
    const std::string migrated = "case_" + one.name, mirror = "mirror_" + one.name;
    sql_connection root = mirrored_session(server, "");
    for (const auto& schema : {migrated, mirror}) create_tables(root, one, schema);

    std::vector<std::string> blocks = one.load;
    writer_options how{migrated, mirror, one.writers, seed_of(one.name), one.setup, one.writes_as_root, one.errors};
    unsigned numbers = one.numbers;
    if (blocks.empty()) {
        for (const auto& schema : {mirror, migrated}) {
            root.exec("USE `" + schema + "`");
            blocks = default_load(root, one.table);
        }
        // Columns that the ALTER renamed, dropped or made generated cannot be written as before.
        how.errors.insert({1054, 1136, 3105, 1906});
    }
    std::atomic<unsigned> serial{100'000};
    mirror_writers writers(server, how, [&](std::mt19937& random) {
        return expand_block(blocks[random() % blocks.size()], numbers, random, serial);
    });
    const auto progress = migrate_under_writes(engine, {{migrated, one.table}, one.alter, one.options}, writers, root);
    writers.stop();

    case_report report{{}, progress.paused_midway};
    const bool fails = !one.failure_code.empty();
    report.problem = fails ? failure_problem(one, *progress.last) : success_problem(*progress.last);
    if (!report.problem.empty()) return report;
    if (fails) {
        report.problem = schema_differences(root, migrated, mirror, false);
        if (!report.problem.empty()) return report;
    }
    const std::string refused = alter_mirror(root, one, mirror);
    if (fails && refused.empty() != one.server_accepts) {
        report.problem = refused.empty() ? "the server itself accepts the ALTER" : "the server itself says " + refused;
    } else if (!fails && !refused.empty()) {
        report.problem = "the server itself refuses the ALTER: " + refused;
    } else if (!fails) {
        report.problem = schema_differences(root, migrated, mirror, one.free_constraint_names);
    }
    if (report.problem.empty()) {
        for (const auto& schema : {migrated, mirror}) root.exec("DROP DATABASE `" + schema + "`");
    }
    return report;
}

std::vector<test_case> chosen_cases(server_kind kind) {
    auto cases = read_cases(SLUICE_CASES);
    const char* const wanted = std::getenv("SLUICE_CASE");
    const std::string name = wanted == nullptr ? "*" : wanted;
    std::erase_if(cases, [&](const test_case& one) {
        const bool named =
            name.ends_with('*') ? one.name.starts_with(name.substr(0, name.size() - 1)) : one.name == name;
        return !named || !one.servers.contains(kind);
    });
    return cases;
}

void run_family(server_kind kind) {
    const auto cases = chosen_cases(kind);
    if (std::getenv("SLUICE_CASE") == nullptr) {
        REQUIRE(cases.size() >= 150);
        spdlog::set_level(spdlog::level::warn);  // the engine's log of hundreds of migrations hides what matters
    }
    server_options options;
    options.kind = kind;
    options.gtid = kind != server_kind::mysql_5_6;  // the 5.x line by file and position
    options.extra_arguments = {
        "--log-bin-trust-function-creators=1"};  // so that the engine's account may make triggers
    const mysql_server server = mysql_server::start(options);
    // One case's writers always have an XA transaction prepared; without this the engine must take any for one of its
    // table.
    if (kind == server_kind::mysql_9_7) {
        connect(server).exec("GRANT XA_RECOVER_ADMIN ON *.* TO " + std::string(sluice_user));
    }
    auto engine = engine_on(server);

    std::vector<case_report> reports(cases.size());
    std::atomic<std::size_t> next{0};
    std::mutex printing;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < cases_at_a_time; ++i) {
        threads.emplace_back([&] {
            for (std::size_t n = next++; n < cases.size(); n = next++) {
                const auto began = std::chrono::steady_clock::now();
                try {
                    reports[n] = run_case(server, *engine, cases[n]);
                } catch (const std::exception& error) {
                    reports[n].problem = error.what();
                }
                const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
                const std::lock_guard lock(printing);
                std::cout << throwaway::to_string(kind) << ' ' << cases[n].name << ": "
                          << (reports[n].problem.empty() ? "as expected" : reports[n].problem) << " (" << took.count()
                          << " s)" << std::endl;
            }
        });
    }
    for (auto& thread : threads) thread.join();

    std::size_t completed = 0, paused = 0;
    for (std::size_t n = 0; n < cases.size(); ++n) {
        INFO(throwaway::to_string(kind) << ", case " << cases[n].name << ": " << reports[n].problem);
        CHECK(reports[n].problem.empty());
        if (cases[n].failure_code.empty()) ++completed;
        if (reports[n].paused_midway) ++paused;
    }
    std::cout << cases.size() << " cases on " << throwaway::to_string(kind) << ", " << paused
              << " of them stopped in the middle of the copy" << std::endl;
    // Or the writes do not meet the copy.
    if (cases.size() > 10) CHECK(paused > completed / 2);
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

std::string reading_says(const std::function<void(const fs::path&)>& spoil) {
    const fs::path folder = fs::temp_directory_path() / ("sluice-case-" + std::to_string(::getpid()));
    fs::remove_all(folder);
    fs::create_directories(folder / "one");
    write(folder / "one/create.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    write(folder / "one/alter", "ADD c INT");
    write(folder / "one/expect", "result: equal\n");
    std::string said = "read";
    try {
        spoil(folder / "one");
        if (read_cases(folder).size() != 1) said = "lost";
    } catch (const std::exception& error) {
        said = error.what();
    }
    fs::remove_all(folder);
    return said;
}

}  // namespace

TEST_CASE("the case folders on MySQL 9.7", "[mysql]") { run_family(server_kind::mysql_9_7); }
TEST_CASE("the case folders on MySQL 5.6", "[mysql56]") { run_family(server_kind::mysql_5_6); }
TEST_CASE("the case folders on MariaDB 10.11", "[mariadb]") { run_family(server_kind::mariadb_10_11); }

TEST_CASE("a case folder that is not understood fails the run", "[mysql]") {
    CHECK(reading_says([](const fs::path&) {}) == "read");
    const auto expectation = [](const char* text) {
        return reading_says([text](const fs::path& folder) { write(folder / "expect", text); });
    };
    CHECK(expectation("result: fail code\nmessage: x\nserver: accepts\n") == "read");
    CHECK(contains(expectation("result: equal\ncolour: red\n"), "case one: expect: unknown key"));
    CHECK(contains(expectation("servers: mysql-9.7\n"), "no line 'result"));
    CHECK(contains(expectation("result: perhaps\n"), "neither"));
    CHECK(contains(expectation("result: fail code\n"), "needs a 'message'"));
    CHECK(contains(expectation("result: equal\nservers: oracle\n"), "unknown server"));
    CHECK(contains(expectation("result: equal\noption: speed = 3\n"), "unknown option"));
    CHECK(contains(expectation("result: equal\noption: chunk_rows_fixed = fast\n"), "is no number"));
    CHECK(contains(expectation("result: equal\nerrors:\n"), "no value"));
    CHECK(contains(reading_says([](const fs::path& folder) { fs::remove(folder / "alter"); }), "no file alter"));
    CHECK(contains(reading_says([](const fs::path& folder) { write(folder / "create.sql", "\n"); }), "is empty"));
    CHECK(contains(reading_says([](const fs::path& folder) { write(folder / "notes", "x"); }), "means nothing"));
    CHECK(contains(reading_says([](const fs::path& folder) { write(folder / "load", "DELETE FROM t"); }), "semicolon"));
}
