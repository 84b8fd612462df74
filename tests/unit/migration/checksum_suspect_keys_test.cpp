#include "migration/checksum/suspect_keys.hpp"
#include "tests/support/catch.hpp"

using namespace sluice::migration;
using keys = std::vector<std::string>;

TEST_CASE("checksum_suspect_keys: a row that is the same at the next look was in flight") {
    suspect_keys suspects;
    suspects.add("1");
    suspects.add("1");
    suspects.add("2");
    CHECK(suspects.keys() == keys{"1", "2"});
    const auto found = suspects.judge({}, {"2"});
    CHECK(found.to_repair.empty());
    CHECK(found.persisting.empty());
    CHECK(found.repaired == 0);
    CHECK(found.in_motion == 0);
    CHECK(suspects.empty());
}

TEST_CASE("checksum_suspect_keys: a difference without a change is repaired, twice, and then it persists") {
    suspect_keys suspects;
    suspects.add("1");
    for (unsigned repair = 1; repair <= suspect_keys::repairs_max; ++repair) {
        const auto found = suspects.judge({"1"}, {});
        CHECK(found.to_repair == keys{"1"});
        CHECK(found.persisting.empty());
    }
    // A change in between explains the difference once more.
    CHECK(suspects.judge({"1"}, {"1"}).persisting.empty());
    CHECK(suspects.judge({"1"}, {}).persisting == keys{"1"});
}

TEST_CASE("checksum_suspect_keys: what a repair has mended is counted") {
    suspect_keys suspects;
    suspects.add("1");
    suspects.add("2");
    CHECK(suspects.judge({"1"}, {}).to_repair == keys{"1"});
    CHECK(suspects.judge({}, {}).repaired == 1);
    CHECK(suspects.empty());
}

TEST_CASE("checksum_suspect_keys: a row that changes all the time is given up, never blamed") {
    suspect_keys suspects;
    suspects.add("1");
    for (unsigned look = 1; look < suspect_keys::looks_in_motion_max; ++look) {
        CHECK(suspects.looks() == look - 1);
        CHECK(suspects.judge({"1"}, {"1"}).in_motion == 0);
    }
    const auto found = suspects.judge({"1"}, {"1"});
    CHECK(found.in_motion == 1);
    CHECK(found.to_repair.empty());
    CHECK(suspects.empty());
}

TEST_CASE("checksum_suspect_keys: a key in other bytes is a suspect of its own") {
    suspect_keys suspects;
    suspects.add("_latin1 0x61");
    const auto found = suspects.judge({"_latin1 0x41"}, {});
    CHECK(found.to_repair.empty());
    CHECK(suspects.keys() == keys{"_latin1 0x41"});
}
