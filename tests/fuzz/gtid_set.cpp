// Sets of GTIDs in text and binary form, and what they are as sets.

#include "protocol/binlog/gtid_set.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace sluice::fuzz {
namespace {

using binlog::gtid_set;

void check_forms(const gtid_set& set) {
    const auto from_text = gtid_set::parse(set.to_string());
    FUZZ_CHECK(from_text.has_value() && *from_text == set);
    const auto encoded = set.encode();
    const auto from_bytes = gtid_set::decode(encoded);
    FUZZ_CHECK(from_bytes.has_value() && *from_bytes == set);
    FUZZ_CHECK(from_bytes->encode() == encoded);
    FUZZ_CHECK(set.empty() == (set.interval_count() == 0));
}

void check_algebra(const gtid_set& a, const gtid_set& b) {
    FUZZ_CHECK(a.contains(a));
    auto both = a;
    both.add(b);
    FUZZ_CHECK(both.contains(a) && both.contains(b));
    auto mirrored = b;
    mirrored.add(a);
    FUZZ_CHECK(both == mirrored);
    auto rest = a;
    rest.subtract(b);
    FUZZ_CHECK(a.contains(rest));
    auto again = rest;
    again.subtract(b);
    FUZZ_CHECK(again == rest);
    again.add(b);
    FUZZ_CHECK(again == both);
    auto none = a;
    none.subtract(a);
    FUZZ_CHECK(none.empty());
    FUZZ_CHECK(b.contains(a) == rest.empty());
    check_forms(both);
    check_forms(rest);
}

std::optional<gtid_set> read(bool is_text, byte_view bytes) {
    auto set = is_text ? gtid_set::parse(protocol::as_text(bytes)) : gtid_set::decode(bytes);
    if (!set) return std::nullopt;
    return std::move(*set);
}

void run(fuzz_input in) {
    const bool first_is_text = in.flag();
    const bool second_is_text = in.flag();
    const auto first = in.bytes(in.u16());
    const auto second = in.rest();
    if (const auto one = binlog::gtid::parse(protocol::as_text(first))) {
        const auto again = binlog::gtid::parse(one->to_string());
        FUZZ_CHECK(again.has_value() && *again == *one);
        gtid_set set;
        set.add(*one);
        FUZZ_CHECK(set.contains(*one));
        check_forms(set);
    }
    const auto a = read(first_is_text, first);
    const auto b = read(second_is_text, second);
    if (a) check_forms(*a);
    if (b) check_forms(*b);
    if (a && b) check_algebra(*a, *b);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
