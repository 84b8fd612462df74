// Random tables, ALTERs and writes, by seeds. Each seed is migrated under its writes, and must equal, in definition and
// in every row, what the server's own ALTER makes of a mirror; where that fails for the rows, so must the migration.
//
// In ctest each family has a fixed range of seeds. Others by the environment: SLUICE_RANDOM_SERVER (mysql, mysql56,
// mariadb) and SLUICE_RANDOM_SEEDS (FROM-TO, or one), with the hidden case [chosen]; SLUICE_RANDOM_GTID=OFF lets MySQL
// 9.7 be followed by file and position, SLUICE_RANDOM_AT_A_TIME says how many seeds run side by side, and with
// SLUICE_RANDOM_LOG=1 the engine's log is shown.

#include "tests/integration/random_seeds/random_run.hpp"
#include "tests/support/catch.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr unsigned seeds_at_a_time = 4;

struct totals {
    std::size_t seeds = 0;
    std::map<seed_end, unsigned> ends;
    std::map<std::string, unsigned> refused, failed;
    std::map<unsigned, unsigned> refused_writes;
    std::uint64_t transactions = 0, unlike_writes = 0, draws = 0;
    std::vector<std::uint64_t> wrong;

    void add(std::uint64_t seed, const seed_report& report) {
        ++seeds;
        ++ends[report.end];
        if (report.end == seed_end::refused) ++refused[report.code];
        if (report.end == seed_end::failed_alike) ++failed[report.code];
        if (report.end == seed_end::wrong) wrong.push_back(seed);
        transactions += report.transactions;
        unlike_writes += report.unlike_writes;
        draws += report.draws;
        for (const auto& [number, count] : report.refused_writes) refused_writes[number] += count;
    }

    [[nodiscard]] unsigned count(seed_end end) const {
        const auto found = ends.find(end);
        return found == ends.end() ? 0U : found->second;
    }

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        out << seeds << " seeds: " << count(seed_end::equal) << " equal, " << count(seed_end::failed_alike)
            << " failed as on the server, " << count(seed_end::refused) << " refused, " << count(seed_end::wrong)
            << " wrong\n";
        for (const auto& [code, times] : failed) out << "  failed: " << times << " × " << code << '\n';
        for (const auto& [code, times] : refused) out << "  refused: " << times << " × " << code << '\n';
        out << "  " << transactions << " transactions, " << draws << " draws; statements that the server refused:";
        for (const auto& [number, times] : refused_writes) out << ' ' << times << " × " << number;
        out << "; given up: " << unlike_writes << "\n  wrong:";
        for (const auto seed : wrong) out << ' ' << seed;
        return out.str();
    }
};

std::string from_environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

const char* text_of(seed_end end) {
    switch (end) {
        case seed_end::equal: return "equal";
        case seed_end::failed_alike: return "failed as on the server";
        case seed_end::refused: return "refused";
        default: return "WRONG";
    }
}

mysql_server start(server_kind kind) {
    server_options options;
    options.kind = kind;
    // The 5.x line by file and position.
    options.gtid = kind != server_kind::mysql_5_6 && from_environment("SLUICE_RANDOM_GTID") != "OFF";
    options.extra_arguments = {"--max-connections=400"};
    mysql_server server = mysql_server::start(options);
    // The seeds' XA transactions are everywhere; without it the engine must take each for one of its table.
    if (kind == server_kind::mysql_9_7) {
        connect(server).exec("GRANT XA_RECOVER_ADMIN ON *.* TO " + std::string(sluice_user));
    }
    return server;
}

void print(server_kind kind, std::uint64_t seed, const seed_report& report, double took_s) {
    std::cout << throwaway::to_string(kind) << " seed " << seed << ": " << text_of(report.end)
              << (report.code.empty() ? "" : " (" + report.code + ")") << ", " << report.transactions
              << " transactions, " << took_s << " s" << std::endl;
    if (report.end == seed_end::wrong) {
        std::cout << report.problem << "\n--- the plan of seed " << seed << ":\n"
                  << report.plan << "\n---" << std::endl;
    }
    if (report.end == seed_end::refused) std::cout << report.problem << '\n' << report.plan << std::endl;
}

totals run_seeds(server_kind kind, std::uint64_t from, std::uint64_t to) {
    if (from_environment("SLUICE_RANDOM_LOG").empty()) spdlog::set_level(spdlog::level::off);
    const mysql_server server = start(kind);
    auto engine = engine_on(server);
    const std::string wanted = from_environment("SLUICE_RANDOM_AT_A_TIME");
    const unsigned at_a_time = wanted.empty() ? seeds_at_a_time : static_cast<unsigned>(std::stoul(wanted));
    totals all;
    std::atomic<std::uint64_t> next{from};
    std::mutex mutex;
    const auto alive = [&] {
        const std::lock_guard lock(mutex);
        return server.running();
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < at_a_time; ++i) {
        threads.emplace_back([&] {
            for (auto seed = next++; seed <= to && alive(); seed = next++) {
                const auto began = std::chrono::steady_clock::now();
                const seed_report report = run_seed(server, *engine, seed);
                const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
                const std::lock_guard lock(mutex);
                all.add(seed, report);
                print(kind, seed, report, took.count());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    if (!server.running()) {
        const std::string log = server.error_log();
        std::cout << "the server has died:\n"
                  << log.substr(log.size() - std::min<std::size_t>(log.size(), 8'000)) << '\n';
    }
    std::cout << throwaway::to_string(kind) << ", seeds " << from << " to " << to << ": " << all.text() << std::endl;
    return all;
}

void check(const totals& all) {
    INFO(all.text());
    CHECK(all.wrong.empty());
    // A generator whose pairs are refused, or whose writes do not go through, would prove nothing.
    CHECK(all.count(seed_end::refused) * 10 <= all.seeds);
    CHECK(all.transactions > all.seeds * 10);
    CHECK(all.unlike_writes * 20 <= all.transactions);
}

}  // namespace

TEST_CASE("random migrations on MySQL 9.7", "[mysql]") { check(run_seeds(server_kind::mysql_9_7, 1, 20)); }
TEST_CASE("random migrations on MySQL 5.6", "[mysql56]") { check(run_seeds(server_kind::mysql_5_6, 1, 20)); }
TEST_CASE("random migrations on MariaDB 10.11", "[mariadb]") { check(run_seeds(server_kind::mariadb_10_11, 1, 20)); }

TEST_CASE("random migrations by the environment", "[.][chosen]") {
    static const std::map<std::string, server_kind> kinds{{"mysql", server_kind::mysql_9_7},
                                                          {"mysql56", server_kind::mysql_5_6},
                                                          {"mariadb", server_kind::mariadb_10_11}};
    const auto kind = kinds.find(from_environment("SLUICE_RANDOM_SERVER"));
    REQUIRE(kind != kinds.end());
    const std::string seeds = from_environment("SLUICE_RANDOM_SEEDS");
    REQUIRE_FALSE(seeds.empty());
    const auto dash = seeds.find('-');
    const auto from = std::stoull(seeds);
    check(run_seeds(kind->second, from, dash == std::string::npos ? from : std::stoull(seeds.substr(dash + 1))));
}
