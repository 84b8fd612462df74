#include "protocol/message/replication_command.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

TEST_CASE("register as a replica") {
    const register_slave registration{0x01020304, "host", "u", "", 3306};
    const auto bytes = bytes_of(registration);
    CHECK(to_hex(bytes) == packed("1504030201 04686f7374 0175 00 ea0c 00000000 00000000"));
    const auto again = parse_register_slave(bytes).value();
    CHECK(again.server_id == 0x01020304);
    CHECK(again.host == "host");
    CHECK(again.user == "u");
    CHECK(again.password.empty());
    CHECK(again.port == 3306);
    check_truncations_fail(bytes, parse_register_slave);

    CHECK_THROWS_AS(bytes_of(register_slave{1, std::string(256, 'h'), "", "", 0}), sluice::assertion_failure);
}

TEST_CASE("binlog dump by position") {
    const auto bytes = bytes_of(binlog_dump{4, binlog_dump_non_block, 77, "bin.000001"});
    CHECK(to_hex(bytes) == packed("12 04000000 0100 4d000000 62696e2e303030303031"));
    const auto again = parse_binlog_dump(bytes).value();
    CHECK(again.position == 4);
    CHECK(again.flags == binlog_dump_non_block);
    CHECK(again.server_id == 77);
    CHECK(again.file == "bin.000001");
    check_truncations_fail(byte_view(bytes).first(11), parse_binlog_dump);
}

TEST_CASE("binlog dump by GTID") {
    binlog_dump_gtid dump;
    dump.server_id = 77;
    dump.file = "b";
    dump.gtid_set = from_hex("0000000000000000");
    const auto bytes = bytes_of(dump);
    CHECK(to_hex(bytes) == packed("1e 0400 4d000000 01000000 62 0400000000000000 08000000 0000000000000000"));
    const auto again = parse_binlog_dump_gtid(bytes).value();
    CHECK(again.flags == binlog_through_gtid);
    CHECK(again.server_id == 77);
    CHECK(again.file == "b");
    CHECK(again.position == 4);
    CHECK(again.gtid_set == dump.gtid_set);
    check_truncations_fail(bytes, parse_binlog_dump_gtid);

    const auto hostile = from_hex("1e 0400 4d000000 ffffffff 62");
    CHECK(parse_binlog_dump_gtid(hostile).error().code == wire_errc::truncated);
}
