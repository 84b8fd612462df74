// What the engine remembers must not grow with the table.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <malloc.h>
#include <fstream>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;

/// A line of /proc/self/status that is in kB; in bytes.
std::int64_t status_bytes(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::int64_t value = 0;
        if (word == name + ":" && status >> value) return value * kib;
    }
    throw std::runtime_error("/proc/self/status has no " + name);
}

/// How far the resident memory rises above where it is now while `work` runs. What was freed before is given back
/// first, or it would be used again unseen.
template <class Work>
std::int64_t rise_during(const Work& work) {
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM begins anew
    const std::int64_t before = status_bytes("VmRSS");
    work();
    return status_bytes("VmHWM") - before;
}

/// Table t: rows of about 100 bytes, with every seventh number as its id.
void fill(sql_connection& root, std::uint64_t rows) {
    root.exec("DROP TABLE IF EXISTS t");
    root.exec("CREATE TABLE t (id BIGINT PRIMARY KEY, word VARCHAR(100) NOT NULL)");
    root.exec("INSERT INTO t VALUES (0, REPEAT('x', 90))");
    for (std::uint64_t there = 1; there < rows; there *= 2) {
        const std::string limit = std::to_string(std::min(there, rows - there));
        root.exec("INSERT INTO t SELECT id + 7 * " + std::to_string(there) + ", word FROM t ORDER BY id LIMIT " +
                  limit);
    }
    REQUIRE(root.scalar("SELECT COUNT(*) FROM t") == std::to_string(rows));
}

void migrate(const mysql_server& server, std::uint64_t rows) {
    auto engine = engine_on(server);
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.drop_old_table = true;
    spec.options.chunk_rows_fixed = 500;
    const auto created = engine->create(spec);
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(ended->rows_copied == rows);
}

}  // namespace

TEST_CASE("a table ten times as large takes no more memory") {
    const mysql_server server = mysql_server::start();
    sql_connection root = connect(server, "test");
    fill(root, 2'000);
    migrate(server, 2'000);  // what is allocated once, on first use
    const auto rise_with = [&](std::uint64_t rows) {
        fill(root, rows);
        return rise_during([&] { migrate(server, rows); });
    };
    const std::int64_t small = rise_with(20'000);
    const std::int64_t large = rise_with(200'000);
    INFO("rises by " << small / kib << " KiB with 20000 rows, by " << large / kib << " KiB with 200000");
    // The keys alone of 180 000 more rows would be above 10 MiB in any container of strings.
    CHECK(large - small < 5 * mib);
}
