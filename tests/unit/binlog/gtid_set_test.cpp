#include "protocol/binlog/gtid_set.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/binlog/fixture.hpp"

#include <random>
#include <set>

namespace sluice::binlog::test {

namespace {

constexpr const char* a = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr const char* b = "3e11fa47-71ca-11e1-9e33-c80aa9429563";

/// A and B standing alone become the two server UUIDs.
std::string with_ids(std::string_view text) {
    const auto is_letter = [text](std::size_t at) {
        return at < text.size() && ((text[at] >= 'A' && text[at] <= 'Z') || (text[at] >= 'a' && text[at] <= 'z'));
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool stands_alone = !is_letter(i - 1) && !is_letter(i + 1);
        if (stands_alone && text[i] == 'A') {
            out += a;
        } else if (stands_alone && text[i] == 'B') {
            out += b;
        } else {
            out += text[i];
        }
    }
    return out;
}

gtid_set set_of(const std::string& text) {
    auto parsed = gtid_set::parse(with_ids(text));
    INFO(text);
    REQUIRE(parsed);
    return *parsed;
}

}  // namespace

TEST_CASE("GTIDs and their text", "[binlog]") {
    for (const auto* text : {"A:1", "A:9223372036854775806", "A:tag_1:7", "A:_:7"}) {
        const auto parsed = gtid::parse(with_ids(text));
        REQUIRE(parsed);
        CHECK(parsed->to_string() == with_ids(text));
    }
    for (const auto* text : {"", "A", "A:", "A:0", "A:x", "A:1x", "A:9223372036854775807", "A:1tag:7", "A:TAG:7", ":1",
                             "A:tag:", "A:a:b:1", "3e11fa4771ca11e19e33c80aa9429562:1",
                             "3e11fa47-71ca-11e1-9e33-c80aa942956g:1", "3e11fa47-71ca-11e1-9e33_c80aa9429562:1"}) {
        INFO(text);
        CHECK(gtid::parse(with_ids(text)).has_error());
    }
    CHECK(is_gtid_tag(std::string(32, 'x')));
    CHECK_FALSE(is_gtid_tag(std::string(33, 'x')));
    CHECK(mariadb_gtid{1, 2, 3}.to_string() == "1-2-3");
}

TEST_CASE("GTID sets and their text", "[binlog]") {
    struct {
        const char* given;
        const char* canonical;
    } const table[] = {
        {"", ""},
        {" \n ", ""},
        {",,", ""},
        {"A:1", "A:1"},
        {"A:1-1", "A:1"},
        {"A:1-5:7", "A:1-5:7"},
        {"A:7:1-5:6", "A:1-7"},
        {"A:1-5:3-9:20-21:10", "A:1-10:20-21"},
        {"B:1,A:2", "A:2,B:1"},
        {"A:1,\nB:1-3 ,\n A:2", "A:1-2,B:1-3"},
        {"A : 1 - 5 : 7", "A:1-5:7"},
        {"A:1:tag:2-3", "A:1:tag:2-3"},
        {"A:tag:2-3", "A:tag:2-3"},
        {"A:TAG:2-3,A:1", "A:1:tag:2-3"},
        {"A:zz:5:aa:1:3,B:1,A:8", "A:8:aa:1:3:zz:5,B:1"},
        {"A:tag:1:2:tag:3", "A:tag:1-3"},
        {"A:1-9223372036854775806", "A:1-9223372036854775806"},
    };
    for (const auto& row : table) CHECK(set_of(row.given).to_string() == with_ids(row.canonical));

    for (const auto* text : {"A", "A:", "A:0", "A:5-3", "A:1-", "A:-1", "A:1-2-3", "A::1", "A:tag", "A:1:tag",
                             "A:a:b:1", "x:1", "A:1 2", "A:9223372036854775807", "A:1,B", "A:ta-g:1"}) {
        INFO(text);
        CHECK(gtid_set::parse(with_ids(text)).has_error());
    }
}

TEST_CASE("GTID set binary forms", "[binlog]") {
    CHECK(gtid_set().encode() == bytes_of({0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(set_of("A:1-5").encode() ==
          bytes_of({1,    0,    0,    0,    0,    0,    0,    0,    0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1,
                    0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62, 1,    0,    0,    0,    0,    0,    0,    0,
                    1,    0,    0,    0,    0,    0,    0,    0,    6,    0,    0,    0,    0,    0,    0,    0}));
    CHECK(set_of("A:ab:1").encode() ==
          bytes_of({1,    1,    0,    0,    0,    0,    0,    1, 0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1, 0x9e,
                    0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62, 4, 'a',  'b',  1,    0,    0,    0,    0,    0,    0,
                    0,    1,    0,    0,    0,    0,    0,    0, 0,    2,    0,    0,    0,    0,    0,    0,    0}));
    for (const auto* text : {"", "A:1", "A:1-5:7,B:9", "A:1-5:tag:7:z:1-2,B:9", "A:tag:7"}) {
        const auto set = set_of(text);
        const auto encoded = set.encode();
        const auto decoded = gtid_set::decode(encoded);
        REQUIRE(decoded);
        CHECK(*decoded == set);
        for (std::size_t size = 0; size < encoded.size(); ++size) {
            CHECK(gtid_set::decode(byte_view(encoded).first(size)).has_error());
        }
        auto longer = encoded;
        longer.push_back({});
        CHECK(gtid_set::decode(longer).has_error());
    }
}

TEST_CASE("hostile GTID set binary forms", "[binlog]") {
    const auto good = set_of("A:ab:1").encode();
    struct {
        std::size_t offset;
        int value;
        decode_errc code;
    } const table[] = {
        {7, 2, decode_errc::unsupported},    // a form of the future
        {6, 0xFF, decode_errc::truncated},   // sources without end
        {24, 3, decode_errc::malformed},     // a tag size of two bytes
        {24, 66, decode_errc::truncated},    // a tag over its size
        {25, 'A', decode_errc::malformed},   // not a tag
        {34, 0x7F, decode_errc::too_large},  // intervals without end
        {27, 2, decode_errc::truncated},     // one interval more than there is
        {35, 0, decode_errc::malformed},     // transaction 0
        {43, 1, decode_errc::malformed},     // ends before it begins
        {50, 0x80, decode_errc::malformed},  // a number over the largest
    };
    for (const auto& row : table) {
        INFO("byte " << row.offset);
        auto bad = good;
        bad[row.offset] = static_cast<std::byte>(row.value);
        const auto decoded = gtid_set::decode(bad);
        REQUIRE(decoded.has_error());
        CHECK(decoded.error().code == row.code);
    }
}

// Each of these inserted on its own would move all those before it: 10^12 bytes and more, which no test run survives.
TEST_CASE("a million intervals in descending order are taken in", "[binlog]") {
    constexpr std::uint64_t count = gtid_set::interval_count_max;
    const auto id = with_ids("A");
    std::string one_element = id;
    std::string many_elements;
    for (std::uint64_t number = 2 * count; number != 0; number -= 2) {
        one_element += ":" + std::to_string(number);
        many_elements += id + ":" + std::to_string(number) + ",";
    }
    const auto parsed = gtid_set::parse(one_element);
    REQUIRE(parsed);
    CHECK(parsed->interval_count() == count);
    const auto scattered = gtid_set::parse(many_elements);
    REQUIRE(scattered);
    const bool parsed_alike = *scattered == *parsed;
    CHECK(parsed_alike);

    auto encoded = parsed->encode();
    constexpr std::size_t head = 8 + 16 + 8;
    constexpr std::size_t interval_size = 16;
    for (std::size_t low = 0, high = count - 1; low < high; ++low, --high) {
        const auto at = [&](std::size_t n) {
            return encoded.begin() + static_cast<std::ptrdiff_t>(head + n * interval_size);
        };
        std::swap_ranges(at(low), at(low + 1), at(high));
    }
    const auto decoded = gtid_set::decode(encoded);
    REQUIRE(decoded);
    const bool decoded_alike = *decoded == *parsed;
    CHECK(decoded_alike);

    gtid_set sum;
    sum.add({uuid::parse(id).value(), {}}, {2 * count + 2, 2 * count + 2});
    sum.add(*parsed);
    CHECK(sum.contains(*parsed));
}

TEST_CASE("the server's GTID_EXECUTED comes back in its next file", "[binlog]") {
    const auto lines = load_table("mysql97/previous_gtids.values");
    const auto executed = gtid_set::parse(lines.at(0).at(1));
    REQUIRE(executed);
    CHECK(executed->has_tags());
    CHECK(executed->to_string() == lines.at(0).at(1));
    const auto log = load_recorded_log("mysql97/metadata");
    event_decoder decoder;
    std::optional<gtid_set> previous;
    byte_view server_form;
    for (const auto event : log.events) {
        if (event[4] != static_cast<std::byte>(event_type::previous_gtids)) continue;
        server_form = event.subspan(event_header::size, event.size() - event_header::size - checksum_size);
    }
    for (const auto& event : decode_all(log, decoder)) {
        if (const auto* gtids = std::get_if<previous_gtids_event>(&event.body)) previous = gtids->gtids;
    }
    REQUIRE(previous);
    CHECK(*previous == *executed);
    CHECK(executed->encode() == byte_buffer(server_form.begin(), server_form.end()));
}

namespace {

/// The same operations on plain sets of numbers.
struct naive_set {
    std::set<std::pair<std::size_t, std::uint64_t>> members;

    void add(std::size_t source, gtid_interval interval) {
        for (auto n = interval.first; n <= interval.last; ++n) members.insert({source, n});
    }
    bool operator==(const naive_set&) const = default;
};

const std::vector<gtid_source>& sources() {
    static const std::vector<gtid_source> list{{*uuid::parse(a), ""}, {*uuid::parse(a), "tag"}, {*uuid::parse(b), ""}};
    return list;
}

gtid_set from_naive(const naive_set& naive) {
    gtid_set set;
    for (const auto& [source, number] : naive.members) set.add({sources()[source], number});
    return set;
}

}  // namespace

TEST_CASE("GTID set algebra against plain sets", "[binlog]") {
    std::mt19937_64 random(20240607);
    const auto below = [&random](std::uint64_t limit) { return random() % limit; };
    for (int round = 0; round < 2'000; ++round) {
        gtid_set sets[2];
        naive_set naives[2];
        for (int which = 0; which < 2; ++which) {
            for (auto i = below(8); i > 0; --i) {
                const auto source = below(sources().size());
                const auto first = 1 + below(40);
                const gtid_interval interval{first, first + below(8)};
                sets[which].add(sources()[source], interval);
                naives[which].add(source, interval);
            }
            CHECK(sets[which] == from_naive(naives[which]));
            CHECK(*gtid_set::parse(sets[which].to_string()) == sets[which]);
            CHECK(*gtid_set::decode(sets[which].encode()) == sets[which]);
            CHECK(sets[which].empty() == naives[which].members.empty());
        }
        auto sum = sets[0];
        sum.add(sets[1]);
        auto naive_sum = naives[0];
        naive_sum.members.insert(naives[1].members.begin(), naives[1].members.end());
        CHECK(sum == from_naive(naive_sum));

        auto difference = sets[0];
        difference.subtract(sets[1]);
        auto naive_difference = naives[0];
        for (const auto& member : naives[1].members) naive_difference.members.erase(member);
        CHECK(difference == from_naive(naive_difference));

        CHECK(sum.contains(sets[0]));
        CHECK(sum.contains(sets[1]));
        CHECK(sets[0].contains(sets[1]) == std::includes(naives[0].members.begin(), naives[0].members.end(),
                                                         naives[1].members.begin(), naives[1].members.end()));
        for (std::uint64_t number = 1; number < 50; number += 3) {
            const auto source = below(sources().size());
            CHECK(sets[0].contains(gtid{sources()[source], number}) == naives[0].members.contains({source, number}));
        }
    }
}

}  // namespace sluice::binlog::test
