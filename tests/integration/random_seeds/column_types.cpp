#include "tests/integration/random_seeds/column_types.hpp"

#include <algorithm>
#include <utility>

namespace sluice::test {
namespace {

struct encoding {
    const char* charset;
    const char* collation;
};

const std::vector<encoding>& encodings(server_kind server) {
    static const std::vector<encoding> mysql{
        {"utf8mb4", "utf8mb4_0900_ai_ci"}, {"utf8mb4", "utf8mb4_0900_as_cs"}, {"utf8mb4", "utf8mb4_0900_bin"},
        {"utf8mb4", "utf8mb4_general_ci"}, {"utf8mb4", "utf8mb4_bin"},        {"utf8mb4", "utf8mb4_unicode_ci"},
        {"utf8mb3", "utf8mb3_general_ci"}, {"latin1", "latin1_swedish_ci"},   {"latin1", "latin1_bin"},
        {"latin1", "latin1_german2_ci"},   {"ucs2", "ucs2_general_ci"},       {"utf16", "utf16_bin"},
        {"gbk", "gbk_chinese_ci"},         {"ascii", "ascii_general_ci"},     {"utf32", "utf32_general_ci"},
    };
    static const std::vector<encoding> old{
        {"utf8mb4", "utf8mb4_general_ci"},
        {"utf8mb4", "utf8mb4_unicode_ci"},
        {"utf8mb4", "utf8mb4_bin"},
        {"utf8", "utf8_general_ci"},
        {"utf8", "utf8_bin"},
        {"latin1", "latin1_swedish_ci"},
        {"latin1", "latin1_bin"},
        {"latin1", "latin1_german2_ci"},
        {"ucs2", "ucs2_general_ci"},
        {"utf16", "utf16_bin"},
        {"gbk", "gbk_chinese_ci"},
        {"ascii", "ascii_general_ci"},
    };
    static const std::vector<encoding> mariadb{
        {"utf8mb4", "utf8mb4_general_ci"},
        {"utf8mb4", "utf8mb4_unicode_ci"},
        {"utf8mb4", "utf8mb4_bin"},
        {"utf8mb4", "utf8mb4_nopad_bin"},
        {"utf8mb4", "utf8mb4_uca1400_as_cs"},
        {"utf8mb4", "utf8mb4_uca1400_ai_ci"},
        {"utf8mb3", "utf8mb3_general_ci"},
        {"utf8mb3", "utf8mb3_unicode_520_ci"},
        {"latin1", "latin1_swedish_ci"},
        {"latin1", "latin1_nopad_bin"},
        {"latin1", "latin1_german2_ci"},
        {"ucs2", "ucs2_general_ci"},
        {"utf16", "utf16_bin"},
        {"gbk", "gbk_chinese_ci"},
        {"ascii", "ascii_general_ci"},
    };
    return server == server_kind::mysql_9_7 ? mysql : server == server_kind::mysql_5_6 ? old : mariadb;
}

std::string number(std::size_t value) { return std::to_string(value); }

std::string with_encoding(const std::string& type, const std::string& charset, const std::string& collation) {
    return charset.empty() ? type : type + " CHARACTER SET " + charset + " COLLATE " + collation;
}

column_type fixed_text(unsigned characters, const encoding& how) {
    auto type = text_type(characters, how.charset, how.collation);
    type.sql.replace(0, type.sql.find('('), "CHAR");
    type.is_fixed = true;
    return type;
}

column_type large_text(unsigned which, const encoding& how) {
    static constexpr const char* names[] = {"TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"};
    auto type = text_type(which == 0 ? 60 : 10'000, how.charset, how.collation);
    type.sql = with_encoding(names[which], how.charset, how.collation);
    type.is_lob = true;
    return type;
}

column_type binary_type(unsigned bytes, bool is_fixed) {
    column_type type;
    type.kind = value_kind::binary;
    type.sql = (is_fixed ? "BINARY(" : "VARBINARY(") + number(bytes) + ")";
    type.size = bytes;
    type.is_fixed = is_fixed;
    return type;
}

column_type large_binary(unsigned which) {
    static constexpr const char* names[] = {"TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"};
    static constexpr unsigned sizes[] = {255, 60'000, 300'000, 300'000};
    auto type = binary_type(sizes[which], false);
    type.sql = names[which];
    type.is_lob = true;
    return type;
}

column_type decimal_type(unsigned digits, unsigned scale, bool is_unsigned) {
    column_type type;
    type.kind = value_kind::decimal;
    type.sql = "DECIMAL(" + number(digits) + "," + number(scale) + ")" + (is_unsigned ? " UNSIGNED" : "");
    type.size = digits;
    type.scale = scale;
    type.is_unsigned = is_unsigned;
    return type;
}

column_type bit_type(unsigned bits) {
    column_type type;
    type.kind = value_kind::bit;
    type.sql = "BIT(" + number(bits) + ")";
    type.size = bits;
    return type;
}

column_type temporal_type(value_kind kind, unsigned fraction) {
    static const std::vector<std::pair<value_kind, const char*>> names{{value_kind::year, "YEAR"},
                                                                       {value_kind::date, "DATE"},
                                                                       {value_kind::time, "TIME"},
                                                                       {value_kind::datetime, "DATETIME"},
                                                                       {value_kind::timestamp, "TIMESTAMP"}};
    column_type type;
    type.kind = kind;
    type.sql = std::ranges::find(names, kind, &std::pair<value_kind, const char*>::first)->second;
    if (kind != value_kind::year && kind != value_kind::date) {
        type.scale = fraction;
        if (fraction > 0) type.sql += "(" + number(fraction) + ")";
    }
    return type;
}

column_type plain_type(value_kind kind, const char* sql, bool is_lob) {
    column_type type;
    type.kind = kind;
    type.sql = sql;
    type.is_lob = is_lob;
    return type;
}

// An empty one would be, in a SET, the empty set besides.
std::vector<std::string> some_members(bool set, dice& dice) {
    static const std::vector<std::string> words{"small", "medium", "large", "x-large", "o'clock", "", "10", "2"};
    const auto count = dice.between(3, words.size());
    const auto first = dice.below(words.size());
    std::vector<std::string> members;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& word = words[(first + i * 3) % words.size()];
        if (!set || !word.empty()) members.push_back(word);
    }
    return members;
}

unsigned fraction(dice& dice) {
    static const std::vector<unsigned> fractions{0, 0, 1, 3, 6, 6};
    return dice.pick(fractions);
}

column_type any_text(server_kind server, dice& dice) {
    const auto& how = dice.pick(encodings(server));
    const auto which = dice.below(10);
    if (which < 5) return text_type(static_cast<unsigned>(dice.between(4, 60)), how.charset, how.collation);
    if (which < 7) return fixed_text(static_cast<unsigned>(dice.between(4, 30)), how);
    return large_text(static_cast<unsigned>(dice.below(4)), how);
}

column_type any_binary(dice& dice) {
    const auto which = dice.below(8);
    if (which < 5) return binary_type(static_cast<unsigned>(dice.between(3, 40)), which < 2);
    return large_binary(static_cast<unsigned>(dice.below(4)));
}

column_type any_integer(dice& dice) {
    static const std::vector<unsigned> bytes{1, 2, 3, 4, 4, 8};
    return integer_type(dice.pick(bytes), dice.percent(40));
}

column_type any_decimal(dice& dice) {
    const auto scale = static_cast<unsigned>(dice.below(7));
    return decimal_type(scale + static_cast<unsigned>(dice.between(3, 20)), scale, dice.percent(20));
}

column_type any_temporal(dice& dice) {
    static const std::vector<value_kind> kinds{value_kind::year,     value_kind::date,      value_kind::time,
                                               value_kind::datetime, value_kind::timestamp, value_kind::datetime};
    const auto kind = dice.pick(kinds);
    return temporal_type(kind, fraction(dice));
}

column_type any_special(server_kind server, dice& dice) {
    if (server == server_kind::mysql_9_7) {
        switch (dice.below(4)) {
            case 0: return plain_type(value_kind::point, "POINT", true);
            case 1: {
                auto type = plain_type(value_kind::vector, "VECTOR(3)", true);
                type.size = 3;
                return type;
            }
            default: return plain_type(value_kind::json, "JSON", true);
        }
    }
    if (server == server_kind::mysql_5_6) return plain_type(value_kind::point, "POINT", true);
    switch (dice.below(4)) {
        case 0: return plain_type(value_kind::point, "POINT", true);
        case 1: return plain_type(value_kind::uuid, "UUID", false);
        case 2: return plain_type(value_kind::inet6, "INET6", false);
        default: return plain_type(value_kind::json, "JSON", true);
    }
}

column_type real_type(bool is_double) { return plain_type(value_kind::real, is_double ? "DOUBLE" : "FLOAT", false); }

// The same members and some more, fewer, or in another order.
column_type other_members(const column_type& type, dice& dice) {
    auto members = type.members;
    switch (dice.below(3)) {
        case 0: members.push_back("added"); break;
        case 1: std::rotate(members.begin(), members.begin() + 1, members.end()); break;
        default: members.erase(members.begin() + static_cast<std::ptrdiff_t>(dice.below(members.size())));
    }
    return member_type(type.kind == value_kind::members, std::move(members));
}

column_type same_kind(const column_type& type, server_kind server, dice& dice) {
    switch (type.kind) {
        case value_kind::integer: return any_integer(dice);
        case value_kind::decimal: return any_decimal(dice);
        case value_kind::real: return real_type(dice.percent(60));
        case value_kind::bit: return bit_type(static_cast<unsigned>(dice.between(1, 64)));
        case value_kind::text: {
            // A third keeps the encoding, so that lengths alone change.
            auto other = any_text(server, dice);
            if (dice.percent(35) && !other.is_lob) other = text_type(other.size, type.charset, type.collation);
            return other;
        }
        case value_kind::binary: return any_binary(dice);
        case value_kind::member:
        case value_kind::members: return other_members(type, dice);
        case value_kind::time:
        case value_kind::datetime:
        case value_kind::timestamp: return temporal_type(type.kind, fraction(dice));
        default: return type;
    }
}

// TIME to a date goes by the day of the conversion: nothing to compare.
column_type other_kind(const column_type& type, server_kind server, dice& dice) {
    const auto& how = dice.pick(encodings(server));
    switch (type.kind) {
        case value_kind::integer:
            switch (dice.below(4)) {
                case 0: return any_decimal(dice);
                case 1: return real_type(true);
                case 2: return bit_type(static_cast<unsigned>(dice.between(8, 64)));
                default: return text_type(static_cast<unsigned>(dice.between(2, 25)), how.charset, how.collation);
            }
        case value_kind::decimal:
        case value_kind::real: return dice.percent(50) ? any_integer(dice) : text_type(40, how.charset, how.collation);
        case value_kind::bit: return any_integer(dice);
        case value_kind::year: return dice.percent(50) ? any_integer(dice) : text_type(4, how.charset, how.collation);
        case value_kind::date: return temporal_type(value_kind::datetime, fraction(dice));
        case value_kind::datetime:
        case value_kind::timestamp: {
            const auto other = type.kind == value_kind::datetime ? value_kind::timestamp : value_kind::datetime;
            if (dice.percent(40)) return temporal_type(other, fraction(dice));
            return dice.percent(50) ? temporal_type(value_kind::date, 0) : text_type(30, how.charset, how.collation);
        }
        case value_kind::time: return text_type(20, how.charset, how.collation);
        case value_kind::text:
            switch (dice.below(4)) {
                case 0: return any_binary(dice);
                case 1: return any_integer(dice);
                case 2: return member_type(false, {"", "a", "A b", "10", "abc"});
                default: return any_text(server, dice);
            }
        case value_kind::binary: return dice.percent(50) ? any_text(server, dice) : any_binary(dice);
        case value_kind::member: return dice.percent(50) ? any_text(server, dice) : any_integer(dice);
        case value_kind::members: return dice.percent(50) ? any_text(server, dice) : any_integer(dice);
        case value_kind::json: return large_text(3, encodings(server).front());
        case value_kind::uuid: return text_type(36, how.charset, how.collation);
        case value_kind::inet6: return text_type(40, how.charset, how.collation);
        default: return type;
    }
}

}  // namespace

column_type integer_type(unsigned bytes, bool is_unsigned) {
    static constexpr const char* names[] = {"", "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "", "", "", "BIGINT"};
    column_type type;
    type.kind = value_kind::integer;
    type.sql = std::string(names[bytes]) + (is_unsigned ? " UNSIGNED" : "");
    type.size = bytes;
    type.is_unsigned = is_unsigned;
    return type;
}

column_type text_type(unsigned characters, const std::string& charset, const std::string& collation) {
    column_type type;
    type.kind = value_kind::text;
    type.sql = with_encoding("VARCHAR(" + number(characters) + ")", charset, collation);
    type.size = characters;
    type.charset = charset;
    type.collation = collation;
    return type;
}

column_type member_type(bool set, std::vector<std::string> members) {
    column_type type;
    type.kind = set ? value_kind::members : value_kind::member;
    std::string list;
    for (const auto& member : members) {
        list += list.empty() ? "'" : ", '";
        for (const char c : member) list += c == '\'' ? std::string("''") : std::string(1, c);
        list += "'";
    }
    type.sql = (set ? "SET(" : "ENUM(") + list + ")";
    type.members = std::move(members);
    return type;
}

column_type random_type(server_kind server, dice& dice) {
    const auto which = dice.below(100);
    if (which < 16) return any_integer(dice);
    if (which < 26) return any_decimal(dice);
    if (which < 32) return real_type(dice.percent(60));
    if (which < 36) return bit_type(static_cast<unsigned>(dice.between(1, 64)));
    if (which < 54) return any_temporal(dice);
    if (which < 74) return any_text(server, dice);
    if (which < 84) return any_binary(dice);
    if (which < 92) {
        const bool set = dice.percent(50);
        return member_type(set, some_members(set, dice));
    }
    return any_special(server, dice);
}

column_type random_key_type(server_kind server, dice& dice) {
    const auto which = dice.below(100);
    const auto& how = dice.pick(encodings(server));
    if (which < 30) return any_integer(dice);
    if (which < 38) return decimal_type(static_cast<unsigned>(dice.between(8, 20)), 2, dice.percent(20));
    if (which < 58) return text_type(static_cast<unsigned>(dice.between(16, 40)), how.charset, how.collation);
    if (which < 64) return fixed_text(static_cast<unsigned>(dice.between(16, 24)), how);
    if (which < 78) return binary_type(static_cast<unsigned>(dice.between(8, 20)), dice.percent(60));
    if (which < 90) return any_temporal(dice);
    if (which < 94) return bit_type(static_cast<unsigned>(dice.between(4, 64)));
    if (which < 97) return member_type(false, some_members(false, dice));
    return member_type(true, some_members(true, dice));
}

column_type wider(const column_type& type, dice& dice) {
    switch (type.kind) {
        case value_kind::integer: return integer_type(type.size >= 4 || dice.percent(50) ? 8 : 4, type.is_unsigned);
        case value_kind::decimal: return decimal_type(type.size + 4, type.scale, type.is_unsigned);
        case value_kind::time:
        case value_kind::datetime:
        case value_kind::timestamp: return temporal_type(type.kind, 6);
        case value_kind::text:
            if (type.is_lob) return type;
            if (type.is_fixed) return fixed_text(type.size + 5, {type.charset.c_str(), type.collation.c_str()});
            return text_type(type.size + 30, type.charset, type.collation);
        case value_kind::binary: return type.is_lob || type.is_fixed ? type : binary_type(type.size + 20, false);
        case value_kind::member:
        case value_kind::members: {
            auto members = type.members;
            members.push_back("later");
            return member_type(type.kind == value_kind::members, std::move(members));
        }
        default: return type;
    }
}

column_type changed_type(const column_type& type, server_kind server, dice& dice) {
    return dice.percent(65) ? same_kind(type, server, dice) : other_kind(type, server, dice);
}

}  // namespace sluice::test
