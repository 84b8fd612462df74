#include "protocol/wire/reader.hpp"

#include "protocol/wire/writer.hpp"
#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

TEST_CASE("fixed integers are little-endian and round trip") {
    byte_buffer bytes;
    writer out(bytes);
    out.u8(0x01);
    out.u16(0x0302);
    out.u24(0x060504);
    out.u32(0x0A090807);
    out.u48(0x100F0E0D0C0BULL);
    out.u64(0x1817161514131211ULL);
    CHECK(to_hex(bytes) == "0102030405060708090a0b0c0d0e0f101112131415161718");

    reader in(bytes);
    CHECK(in.u8().value() == 0x01);
    CHECK(in.u16().value() == 0x0302);
    CHECK(in.u24().value() == 0x060504);
    CHECK(in.u32().value() == 0x0A090807);
    CHECK(in.u48().value() == 0x100F0E0D0C0BULL);
    CHECK(in.u64().value() == 0x1817161514131211ULL);
    CHECK(in.empty());
}

TEST_CASE("length-encoded integers: every size and its edges") {
    struct row {
        std::uint64_t value;
        std::string_view hex;
    };
    const auto rows = {
        row{0, "00"},
        row{250, "fa"},
        row{251, "fcfb00"},
        row{255, "fcff00"},
        row{65535, "fcffff"},
        row{65536, "fd000001"},
        row{0xFFFFFF, "fdffffff"},
        row{0x1000000, "fe0000000100000000"},
        row{0xFFFFFFFFFFFFFFFFULL, "feffffffffffffffff"},
    };
    for (const auto& [value, hex] : rows) {
        CAPTURE(value);
        byte_buffer bytes;
        writer(bytes).lenenc_int(value);
        CHECK(to_hex(bytes) == hex);
        CHECK(lenenc_int_size(value) == bytes.size());
        reader in(bytes);
        CHECK(in.lenenc_int().value() == value);
        CHECK(in.empty());
        check_truncations_fail(bytes, [](byte_view part) { return reader(part).lenenc_int(); });
    }
}

TEST_CASE("length-encoded integers: NULL and the undefined first byte") {
    const auto null = from_hex("fb");
    CHECK(reader(null).lenenc_int().error().code == wire_errc::malformed);
    CHECK(reader(null).lenenc_int_or_null().value() == std::nullopt);
    const auto undefined = from_hex("ff0102030405060708");
    CHECK(reader(undefined).lenenc_int().error().code == wire_errc::malformed);
    CHECK(reader(undefined).lenenc_int_or_null().error().code == wire_errc::malformed);
}

TEST_CASE("length-encoded strings check the length against what is there") {
    const auto good = from_hex("03616263ff");
    reader in(good);
    CHECK(in.lenenc_text().value() == "abc");
    CHECK(in.position() == 4);
    check_truncations_fail(byte_view(good).first(4), [](byte_view part) { return reader(part).lenenc_text(); });

    for (const auto* hex : {"0461", "fcffff61", "fdffffff61", "feffffffffffffffff61", "fe00000000000000806161"}) {
        CAPTURE(hex);
        const auto bytes = from_hex(hex);
        CHECK(reader(bytes).lenenc_text().error().code == wire_errc::truncated);
        CHECK(reader(bytes).lenenc_bytes().error().code == wire_errc::truncated);
        CHECK(reader(bytes).lenenc_text_or_null().error().code == wire_errc::truncated);
    }
}

TEST_CASE("row values tell NULL from empty") {
    byte_buffer bytes;
    writer out(bytes);
    out.lenenc_text_or_null(std::nullopt);
    out.lenenc_text_or_null("");
    out.lenenc_text_or_null("x");
    CHECK(to_hex(bytes) == "fb000178");
    reader in(bytes);
    CHECK(in.lenenc_text_or_null().value() == std::nullopt);
    CHECK(in.lenenc_text_or_null().value() == std::optional<std::string_view>(""));
    CHECK(in.lenenc_text_or_null().value() == std::optional<std::string_view>("x"));
    CHECK(in.lenenc_text_or_null().error().code == wire_errc::truncated);
}

TEST_CASE("NUL-terminated strings need their NUL") {
    const auto bytes = from_hex("616200006364");
    reader in(bytes);
    CHECK(in.nul_text().value() == "ab");
    CHECK(in.nul_text().value() == "");
    CHECK(in.nul_text().error().code == wire_errc::truncated);
    CHECK(in.rest_text() == "cd");
    CHECK(in.empty());
    CHECK(in.rest_text() == "");
}

TEST_CASE("a failing call leaves the cursor where it was") {
    using attempt = bool (*)(reader&);
    const std::initializer_list<attempt> calls = {
        [](reader& in) { return in.u16().has_value(); },
        [](reader& in) { return in.u24().has_value(); },
        [](reader& in) { return in.u32().has_value(); },
        [](reader& in) { return in.u48().has_value(); },
        [](reader& in) { return in.u64().has_value(); },
        [](reader& in) { return in.lenenc_int().has_value(); },
        [](reader& in) { return in.lenenc_int_or_null().has_value(); },
        [](reader& in) { return in.lenenc_bytes().has_value(); },
        [](reader& in) { return in.lenenc_text().has_value(); },
        [](reader& in) { return in.lenenc_text_or_null().has_value(); },
        [](reader& in) { return in.nul_text().has_value(); },
        [](reader& in) { return in.bytes(2).has_value(); },
        [](reader& in) { return in.text(2).has_value(); },
        [](reader& in) { return in.skip(2).has_value(); },
    };
    const auto bytes = from_hex("aafc");
    for (const auto call : calls) {
        reader in(bytes);
        REQUIRE(in.u8().has_value());
        CHECK_FALSE(call(in));
        CHECK(in.position() == 1);
        CHECK(in.remaining() == 1);
        CHECK(in.peek_u8() == 0xFC);
    }
}

TEST_CASE("a string longer than the rest leaves the cursor before its length") {
    const auto bytes = from_hex("05616263");
    reader in(bytes);
    CHECK(in.lenenc_bytes().has_error());
    CHECK(in.lenenc_text().has_error());
    CHECK(in.lenenc_text_or_null().has_error());
    CHECK(in.position() == 0);
}

TEST_CASE("a count near the largest size does not wrap") {
    const auto bytes = from_hex("0102");
    reader in(bytes);
    REQUIRE(in.skip(1).has_value());
    CHECK(in.bytes(SIZE_MAX).error().code == wire_errc::truncated);
    CHECK(in.skip(SIZE_MAX).error().code == wire_errc::truncated);
    CHECK(in.bytes(1).value().size() == 1);
    CHECK(in.peek_u8() == std::nullopt);
}
