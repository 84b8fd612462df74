#include "migration/engine/stream_guard.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;
using namespace std::chrono_literals;

namespace {

stream_position place(const std::string& file, std::uint64_t offset) {
    stream_position position;
    position.at = {file, offset};
    return position;
}

stream_position executed(const std::string& set) {
    auto parsed = binlog::gtid_set::parse(set);
    REQUIRE(parsed);
    stream_position position;
    position.executed = *parsed;
    return position;
}

const steady_time start{};

}  // namespace

TEST_CASE("the log that goes on is no reset, the one that begins anew is") {
    stream_guard guard;
    CHECK(guard.told(place("binlog.000009", 500), start));
    CHECK(guard.told(place("binlog.000009", 500), start));
    CHECK(guard.told(place("binlog.000010", 4), start));
    const auto reset = guard.told(place("binlog.000001", 900), start);
    REQUIRE_FALSE(reset);
    CHECK(reset.error().code == "binlog_reset");
}

TEST_CASE("with GTIDs a reset shows by transactions that are not there any more") {
    stream_guard guard;
    const std::string server = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    CHECK(guard.told(executed(server + ":1-100"), start));
    CHECK(guard.told(executed(server + ":1-101"), start));
    const auto reset = guard.told(executed(server + ":1-3"), start);
    REQUIRE_FALSE(reset);
    CHECK(reset.error().code == "binlog_reset");
}

TEST_CASE("the server is asked now and then") {
    stream_guard guard;
    const auto now = std::chrono::steady_clock::now();
    CHECK(guard.due(now));
    CHECK(guard.told(place("binlog.000001", 4), now));
    CHECK_FALSE(guard.due(now + stream_guard::interval - 1ms));
    CHECK(guard.due(now + stream_guard::interval));
}

TEST_CASE("a stream that stands still and brings no marker for a minute is silent; one that moves is only late") {
    stream_guard guard;
    const auto now = std::chrono::steady_clock::now();
    CHECK(guard.marker(false, place("binlog.000001", 100), now));
    SECTION("it stands still") {
        CHECK(guard.marker(false, place("binlog.000001", 100), now + 60s));
        const auto silent = guard.marker(false, place("binlog.000001", 100), now + 61s);
        REQUIRE_FALSE(silent);
        CHECK(silent.error().code == "stream_silent");
    }
    SECTION("it moves") {
        CHECK(guard.marker(false, place("binlog.000001", 200), now + 50s));
        CHECK(guard.marker(false, place("binlog.000001", 200), now + 100s));
    }
    SECTION("a marker comes back") {
        CHECK(guard.marker(true, place("binlog.000001", 100), now + 50s));
        CHECK(guard.marker(false, place("binlog.000001", 100), now + 100s));
    }
}
