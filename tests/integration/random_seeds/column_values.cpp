#include "tests/integration/random_seeds/column_values.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::test {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string digits(std::uint64_t value, std::size_t width) {
    std::string text = number(value);
    return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

std::string literal_of(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') result += '\\';
        if (c == '\0') {
            result += "\\0";
        } else {
            result += c;
        }
    }
    return result + "'";
}

std::string hexadecimal(std::string_view bytes) {
    static constexpr char alphabet[] = "0123456789ABCDEF";
    std::string result = "X'";
    for (const char c : bytes) {
        result += alphabet[static_cast<unsigned char>(c) >> 4];
        result += alphabet[static_cast<unsigned char>(c) & 15];
    }
    return result + "'";
}

// At most so many characters of a UTF-8 text.
std::string shortened(std::string_view text, std::size_t characters) {
    std::size_t seen = 0, end = 0;
    while (end < text.size()) {
        if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && seen++ == characters) break;
        ++end;
    }
    return std::string(text.substr(0, end));
}

std::uint64_t greatest(const column_type& type) {
    return type.is_unsigned ? ~std::uint64_t{0} >> (64 - type.size * 8) : (std::uint64_t{1} << (type.size * 8 - 1)) - 1;
}

std::string least(const column_type& type) { return type.is_unsigned ? "0" : "-" + number(greatest(type) + 1); }

// What a character set can hold.
enum class repertoire { ascii, latin, chinese, basic, all };

repertoire repertoire_of(const std::string& charset) {
    if (charset == "ascii") return repertoire::ascii;
    if (charset == "latin1") return repertoire::latin;
    if (charset == "gbk") return repertoire::chinese;
    return charset == "utf8" || charset == "utf8mb3" || charset == "ucs2" ? repertoire::basic : repertoire::all;
}

// Four spellings each that a collation may or may not take for one.
std::vector<std::string> spellings(const std::string& charset) {
    switch (repertoire_of(charset)) {
        case repertoire::latin: return {"cafe", "Café", "CAFE", "café"};
        case repertoire::basic:
        case repertoire::all: return {"strasse", "STRASSE", "straße", "Strässe"};
        default: return {"word", "Word", "WORD", "wOrd"};
    }
}

std::string text_key(const column_type& type, std::uint64_t n) {
    const auto words = spellings(type.charset);
    // The number stands in front, so that a spelling never makes two numbers one.
    std::string text = number(n / variants) + words[n % variants];
    if (n % (2 * variants) == 1 && !type.is_fixed) text += " ";
    return literal_of(text);
}

// Zeros at the end, where the binary log strips them from BINARY.
std::string binary_key(const column_type& type, std::uint64_t n) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift & 0xFF);
    const std::size_t rest = std::min<std::size_t>(type.size, 16) - bytes.size();
    if (n % 3 == 0) return hexadecimal(bytes + std::string(rest, '\0'));
    return n % 3 == 1 ? hexadecimal(bytes + std::string(rest, '\xFF')) : hexadecimal(bytes);
}

std::string fraction_of(unsigned scale, std::uint64_t n) {
    if (scale == 0) return {};
    std::uint64_t bound = 1;
    for (unsigned i = 0; i < scale; ++i) bound *= 10;
    return "." + digits(n * 377 % bound, scale);
}

std::string temporal_key(const column_type& type, std::uint64_t n) {
    const std::string day =
        digits(1980 + n / 336 % 50, 4) + "-" + digits(1 + n / 28 % 12, 2) + "-" + digits(1 + n % 28, 2);
    const std::string clock = digits(n / 16'800 % 24, 2) + ":00:07" + fraction_of(type.scale, n);
    switch (type.kind) {
        case value_kind::year: return n == 0 ? "'0000'" : "'" + digits(1900 + n, 4) + "'";
        case value_kind::date: return n == 0 ? "'0000-00-00'" : "'" + day + "'";
        case value_kind::time:
            return std::string(n % 2 == 0 ? "'" : "'-") + digits(n / 2 % 838, 2) + ":" + digits(n / 1676 % 60, 2) +
                   ":01" + fraction_of(type.scale, n) + "'";
        // A zero date cannot be converted, so it stands where an ALTER of a key's column changes nothing.
        default: return n == 0 && type.scale == 6 ? "'0000-00-00 00:00:00'" : "'" + day + " " + clock + "'";
    }
}

std::string member_set(const column_type& type, std::uint64_t n) {
    std::string list;
    for (std::size_t i = 0; i < type.members.size(); ++i) {
        if ((n >> i & 1) != 0) list += (list.empty() ? "" : ",") + type.members[i];
    }
    return literal_of(list);
}

std::string decimal_text(const column_type& type, std::uint64_t n) {
    const std::string sign = type.is_unsigned || n % 2 == 0 ? "" : "-";
    if (type.scale == 0) return sign + number(n);
    std::uint64_t bound = 1;
    for (unsigned i = 0; i < std::min(type.scale, 2U); ++i) bound *= 10;
    return sign + number(n / bound) + "." + digits(n % bound, std::min(type.scale, 2U));
}

std::vector<std::string> text_pool(const column_type& type, dice& dice) {
    std::vector<std::string> words{"abc", "", " ", "ABC", "abc ", "o'clock", "10", "-7.5", "a\tb", "2024-05-06"};
    const auto holds = repertoire_of(type.charset);
    if (holds == repertoire::latin) words.insert(words.end(), {"äöü", "Ärger", "ärger", "éÿ"});
    if (holds == repertoire::chinese) words.insert(words.end(), {"中文", "中文 a"});
    if (holds >= repertoire::basic) words.insert(words.end(), {"äöü", "日本", "Ärger", "ǅ", "е́"});
    if (holds == repertoire::all) words.insert(words.end(), {"😀", "a😀 "});
    std::vector<std::string> pool;
    for (const auto& word : words) pool.push_back(literal_of(shortened(word, type.size)));
    pool.push_back(literal_of(std::string(type.size == 60 && type.is_lob ? 20 : std::min(type.size, 60U), 'z')));
    pool.push_back(literal_of(shortened(std::string("a\0b", 3), type.size)));
    if (type.is_lob && type.size > 1'000 && dice.percent(40)) pool.push_back("REPEAT('lorem ', 1500)");
    return pool;
}

std::vector<std::string> binary_pool(const column_type& type, dice& dice) {
    using namespace std::string_literals;
    std::vector<std::string> pool;
    for (const auto& bytes :
         {"abc"s, ""s, "\0"s, "\0\0\0"s, "a\0"s, "a \0"s, "abc "s, "\xFF\xFE"s, "\xC3\xA4"s, "12"s}) {
        pool.push_back(hexadecimal(std::string_view(bytes).substr(0, type.size)));
    }
    pool.push_back(hexadecimal(std::string(std::min(type.size, 100U), '\x5A')));
    if (type.size >= 60'000 && dice.percent(50)) pool.push_back("REPEAT(X'00FF10', 15000)");
    if (type.size >= 300'000 && dice.percent(20)) pool.push_back("REPEAT(X'41', 250000)");
    return pool;
}

std::vector<std::string> temporal_pool(const column_type& type, server_kind server) {
    const std::string least_fraction = type.scale > 0 ? "." + digits(1, type.scale) : "";
    const std::string most_fraction = type.scale > 0 ? "." + std::string(type.scale, '9') : "";
    switch (type.kind) {
        case value_kind::year: return {"'2024'", "'0000'", "'1901'", "'2155'", "'1970'"};
        case value_kind::date:
            return {"'2024-02-29'", "'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-00-10'", "'1970-01-01'"};
        case value_kind::time:
            return {"'10:11:12" + most_fraction + "'",
                    "'00:00:00'",
                    "'-838:59:59'",
                    "'838:59:59'",
                    "'-00:00:01" + least_fraction + "'",
                    "'23:59:59" + most_fraction + "'"};
        case value_kind::datetime:
            return {"'2024-02-29 10:11:12" + most_fraction + "'",
                    "'0000-00-00 00:00:00'",
                    "'1000-01-01 00:00:00'",
                    "'9999-12-31 23:59:59'",
                    "'2023-12-31 23:59:59" + most_fraction + "'",
                    "'2024-00-00 01:02:03" + least_fraction + "'"};
        default: {
            const bool is_mariadb = server == server_kind::mariadb_10_11;
            return {"'2024-02-29 10:11:12" + most_fraction + "'",
                    "'0000-00-00 00:00:00'",
                    "'1970-01-01 00:00:01'",
                    "'2038-01-19 03:14:06" + (is_mariadb ? std::string() : most_fraction) + "'",
                    "'2024-03-31 01:30:00" + least_fraction + "'",
                    "'2024-10-27 01:30:00'"};
        }
    }
}

std::vector<std::string> json_pool(server_kind server) {
    std::vector<std::string> pool{R"('{"k": 1}')",
                                  R"('{"k": 1.0, "a": [1, 2.50, 1e3], "z": "ä"}')",
                                  R"('{"k": "1", "nested": {"deep": [true, false, null]}}')",
                                  R"('[]')",
                                  R"('null')",
                                  R"('"text"')",
                                  R"('0.1')",
                                  R"('18446744073709551615')",
                                  R"('-1.7976931348623157e308')",
                                  R"('{"k": 123456789012345678901234567890}')"};
    if (server == server_kind::mysql_9_7) {
        pool.insert(pool.end(), {"JSON_OBJECT('k', 1.10, 'd', CAST('2024-02-29' AS DATE))",
                                 "JSON_ARRAY(CAST('10:11:12.5' AS TIME(6)), 1e0, 1.0, 1, '1', X'00FF')",
                                 "CAST(CAST('2024-02-29 10:11:12.123456' AS DATETIME(6)) AS JSON)",
                                 "JSON_OBJECT('k', REPEAT('long ', 200), 'm', CAST(5 AS UNSIGNED))"});
    }
    return pool;
}

std::vector<std::string> number_pool(const column_type& type) {
    if (type.kind == value_kind::integer) {
        return {"1",
                "0",
                least(type),
                number(greatest(type)),
                "7",
                "100",
                type.is_unsigned ? "3" : "-1",
                number(greatest(type) - 1)};
    }
    if (type.kind == value_kind::bit) {
        return {"1", "0", number(~std::uint64_t{0} >> (64 - type.size)), number(std::uint64_t{1} << (type.size - 1))};
    }
    if (type.kind == value_kind::real) {
        return {"1.5", "0", "-0.0", "0.1", "-1234.5678", "16777217", "3.0e38", "1e-38", "123456.789"};
    }
    const std::string nines(type.size - type.scale, '9');
    const std::string behind = type.scale > 0 ? "." + std::string(type.scale, '9') : "";
    const std::string small = type.scale > 0 ? "0." + std::string(type.scale - 1, '0') + "1" : "1";
    std::vector<std::string> pool{"1", "0", nines + behind, small, type.scale > 0 ? "7.5" : "7"};
    if (!type.is_unsigned) pool.insert(pool.end(), {"-" + nines + behind, "-" + small, "-2"});
    return pool;
}

std::vector<std::string> member_pool(const column_type& type, dice& dice) {
    std::vector<std::string> pool;
    for (const auto& member : type.members) pool.push_back(literal_of(member));
    if (type.kind != value_kind::members) return pool;
    const std::uint64_t all = (std::uint64_t{1} << type.members.size()) - 1;
    pool.push_back("''");
    pool.push_back(member_set(type, all));
    for (int i = 0; i < 4; ++i) pool.push_back(member_set(type, dice.below(all + 1)));
    return pool;
}

}  // namespace

std::uint64_t key_values(const column_type& type) {
    constexpr std::uint64_t many = 400'000;
    switch (type.kind) {
        case value_kind::integer: return type.size == 1 ? 256 : type.size == 2 ? 65'536 : many;
        case value_kind::decimal: return type.size - type.scale >= 8 ? many : 400;
        case value_kind::bit: return type.size >= 19 ? many : std::uint64_t{1} << type.size;
        case value_kind::year: return 256;
        case value_kind::date: return 16'800;
        case value_kind::time: return type.is_lob ? 0 : 50'280;
        case value_kind::datetime:
        case value_kind::timestamp: return many;
        case value_kind::text: return type.size >= 15 ? many : 0;
        case value_kind::binary: return type.size >= 4 ? many : 0;
        case value_kind::member: return type.members.size();
        case value_kind::members: return std::uint64_t{1} << type.members.size();
        default: return 0;
    }
}

std::string key_value(const column_type& type, std::uint64_t n) {
    if (n >= key_values(type)) throw std::logic_error(type.sql + " has no value number " + number(n));
    switch (type.kind) {
        case value_kind::integer:
            // Both ends of the range, and both sides of zero.
            if (type.is_unsigned) return n % 2 == 0 ? number(n / 2) : number(greatest(type) - n / 2);
            if (n < 2) return n == 0 ? least(type) : number(greatest(type));
            return n % 2 == 0 ? number(n / 2) : "-" + number(n / 2);
        case value_kind::decimal: return decimal_text(type, n);
        case value_kind::bit: return number(n);
        case value_kind::text: return text_key(type, n);
        case value_kind::binary: return binary_key(type, n);
        case value_kind::member: return literal_of(type.members[n]);
        case value_kind::members: return member_set(type, n);
        default: return temporal_key(type, n);
    }
}

std::vector<std::string> value_pool(const column_type& type, server_kind server, dice& dice) {
    switch (type.kind) {
        case value_kind::text: return text_pool(type, dice);
        case value_kind::binary: return binary_pool(type, dice);
        case value_kind::member:
        case value_kind::members: return member_pool(type, dice);
        case value_kind::json: return json_pool(server);
        case value_kind::point:
            return {"ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-1.5 0.1)')",
                    "ST_GeomFromText('POINT(0 0)')"};
        case value_kind::vector: return {"STRING_TO_VECTOR('[1,2,3]')", "STRING_TO_VECTOR('[0.1,-2.5,1e10]')"};
        case value_kind::uuid:
            return {"'123e4567-e89b-12d3-a456-426655440000'", "'00000000-0000-0000-0000-000000000000'",
                    "'ffffffff-ffff-ffff-bfff-ffffffffffff'"};
        case value_kind::inet6: return {"'2001:db8::ff00:42:8329'", "'::'", "'::ffff:192.0.2.1'"};
        case value_kind::integer:
        case value_kind::decimal:
        case value_kind::real:
        case value_kind::bit: return number_pool(type);
        default: return temporal_pool(type, server);
    }
}

}  // namespace sluice::test
