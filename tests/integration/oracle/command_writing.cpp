#include "tests/integration/oracle/command_writing.hpp"

#include "tests/support/wire_bytes.hpp"

#include <bit>
#include <sstream>
#include <vector>

namespace sluice::test::oracle {
namespace {

using wire::put_int;
using wire::put_lenenc;
using wire::put_lenenc_text;
namespace flag = wire::flag;

constexpr unsigned parameter_count_follows = 8;

// A parameter or a query attribute as it is written in a script: int:5, str:abc, null ...
struct value {
    std::string name;
    std::uint16_t type = 6;
    bool is_null = false;
    bool is_sent_before = false;  // by COM_STMT_SEND_LONG_DATA
    std::string bytes;
};

value read_value(const std::string& text) {
    value made;
    const auto colon = text.find(':');
    const auto kind = text.substr(0, colon);
    const auto rest = colon == std::string::npos ? std::string() : text.substr(colon + 1);
    const auto integer = [&](std::uint16_t type, unsigned size) {
        made.type = type;
        put_int(made.bytes, rest[0] == '-' ? static_cast<std::uint64_t>(std::stoll(rest)) : std::stoull(rest), size);
    };
    if (kind == "null") {
        made.is_null = true;
    } else if (kind == "tiny") {
        integer(1, 1);
    } else if (kind == "short") {
        integer(2, 2);
    } else if (kind == "long") {
        integer(3, 4);
    } else if (kind == "int") {
        integer(8, 8);
    } else if (kind == "uint") {
        integer(0x8008, 8);
    } else if (kind == "float") {
        made.type = 4;
        put_int(made.bytes, std::bit_cast<std::uint32_t>(std::stof(rest)), 4);
    } else if (kind == "double") {
        made.type = 5;
        put_int(made.bytes, std::bit_cast<std::uint64_t>(std::stod(rest)), 8);
    } else if (kind == "str") {
        made.type = 253;
        put_lenenc_text(made.bytes, rest);
    } else if (kind == "blob") {
        made.type = 252;
        put_lenenc_text(made.bytes, rest);
    } else if (kind == "long_data") {
        made.type = 252;
        made.is_sent_before = true;
    } else if (kind == "typed") {  // typed:0c:hexadecimal
        made.type = static_cast<std::uint16_t>(std::stoul(rest.substr(0, 2), nullptr, 16));
        made.bytes = wire::from_hex(rest.substr(3));
    } else {
        throw wire::error("no kind of value: " + text);
    }
    return made;
}

void put_values(std::string& to, const std::vector<value>& values, bool with_names, bool with_types) {
    std::string nulls((values.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i].is_null) nulls[i / 8] = static_cast<char>(nulls[i / 8] | (1 << (i % 8)));
    }
    to += nulls;
    put_int(to, with_types ? 1 : 0, 1);
    if (with_types) {
        for (const auto& one : values) {
            put_int(to, one.type, 2);
            if (with_names) put_lenenc_text(to, one.name);
        }
    }
    for (const auto& one : values) {
        if (!one.is_null && !one.is_sent_before) to += one.bytes;
    }
}

std::uint32_t id_of(const std::string& name, const statement_ids& ids) {
    if (!name.empty() && name[0] == '#') return static_cast<std::uint32_t>(std::stoul(name.substr(1)));
    const auto found = ids.find(name);
    return found == ids.end() ? 0 : found->second;  // of a prepare that failed
}

// `[name=value ...] :: statement`, the attributes only where the verb is query_with.
written_command write_query(const step& from, std::uint64_t capabilities) {
    std::vector<value> attributes;
    auto text = from.argument;
    if (from.verb == "query_with") {
        const auto end = text.find(" :: ");
        if (end == std::string::npos) throw wire::error("query_with name=value :: statement");
        std::istringstream words(text.substr(0, end));
        text = text.substr(end + 4);
        for (std::string word; words >> word;) {
            const auto equals = word.find('=');
            attributes.push_back(read_value(word.substr(equals + 1)));
            attributes.back().name = word.substr(0, equals);
        }
    }
    written_command made;
    made.payload = "\x03";
    made.reply = reply_kind::result;
    if ((capabilities & flag::query_attributes) != 0) {
        put_lenenc(made.payload, attributes.size());
        put_lenenc(made.payload, 1);
        if (!attributes.empty()) put_values(made.payload, attributes, true, true);
    }
    made.payload += text;
    return made;
}

// `name [cursor|scroll|same_types|iterations=N] value ...`
written_command write_execute(const step& from, std::uint64_t capabilities, const statement_ids& ids) {
    const auto [name, rest] = split_word(from.argument);
    std::vector<value> values;
    unsigned flags = 0;
    bool with_types = true;
    std::istringstream words(rest);
    for (std::string word; words >> word;) {
        if (word == "cursor") {
            flags |= 1;
        } else if (word == "scroll") {
            flags |= 4;
        } else if (word == "same_types") {
            with_types = false;
        } else {
            values.push_back(read_value(word));
        }
    }
    const bool named = (capabilities & flag::query_attributes) != 0;
    if (named && !values.empty()) flags |= parameter_count_follows;
    written_command made;
    made.payload = "\x17";
    made.reply = reply_kind::binary_result;
    put_int(made.payload, id_of(name, ids), 4);
    put_int(made.payload, flags, 1);
    put_int(made.payload, 1, 4);
    if (named && !values.empty()) put_lenenc(made.payload, values.size());
    if (!values.empty()) put_values(made.payload, values, named, with_types);
    return made;
}

// MariaDB: `name value ... / value ... / ...`, all rows with the types of the first.
written_command write_bulk_execute(const step& from, const statement_ids& ids) {
    const auto [name, rest] = split_word(from.argument);
    written_command made;
    made.payload = "\xFA";
    made.reply = reply_kind::binary_result;
    put_int(made.payload, id_of(name, ids), 4);
    put_int(made.payload, 128, 2);  // types follow
    std::istringstream words(rest);
    std::string rows;
    bool first_row = true;
    for (std::string word; words >> word;) {
        if (word == "/") {
            first_row = false;
            continue;
        }
        const auto one = read_value(word);
        if (first_row) put_int(made.payload, one.type, 2);
        put_int(rows, one.is_null ? 1 : 0, 1);
        if (!one.is_null) rows += one.bytes;
    }
    made.payload += rows;
    return made;
}

written_command one_byte(std::uint8_t command, const std::string& body = "", reply_kind reply = reply_kind::one) {
    written_command made;
    put_int(made.payload, command, 1);
    made.payload += body;
    made.reply = reply;
    return made;
}

written_command with_id(std::uint8_t command, std::uint32_t id, reply_kind reply) {
    written_command made = one_byte(command, "", reply);
    put_int(made.payload, id, 4);
    return made;
}

reply_kind reply_named(const std::string& name) {
    static const std::map<std::string, reply_kind> kinds = {
        {"none", reply_kind::none},   {"one", reply_kind::one},          {"result", reply_kind::result},
        {"text", reply_kind::text},   {"prepare", reply_kind::prepare},  {"binary_result", reply_kind::binary_result},
        {"fetch", reply_kind::fetch}, {"fields", reply_kind::field_list}};
    const auto found = kinds.find(name);
    if (found == kinds.end()) throw wire::error("no kind of reply: " + name);
    return found->second;
}

// `reply hexadecimal`, and for `raw_numbered` the sequence id before that.
written_command write_raw(const step& from) {
    auto [reply, bytes] = split_word(from.argument);
    written_command made;
    if (from.verb == "raw_numbered") {
        made.sequence = static_cast<std::uint8_t>(std::stoul(reply));
        std::tie(reply, bytes) = split_word(bytes);
    }
    if (reply.rfind("packets=", 0) == 0) {
        made.reply = reply_kind::endless;
        made.packets = std::stoull(reply.substr(8));
    } else {
        made.reply = reply_named(reply);
    }
    made.payload = wire::from_hex(bytes);
    return made;
}

std::optional<written_command> write_of_statement(const step& from, const statement_ids& ids) {
    const auto [name, rest] = split_word(from.argument);
    if (from.verb == "fetch") {
        auto made = with_id(0x1C, id_of(name, ids), reply_kind::fetch);
        put_int(made.payload, std::stoul(rest), 4);
        return made;
    }
    if (from.verb == "long_data") {
        const auto [parameter, data] = split_word(rest);
        auto made = with_id(0x18, id_of(name, ids), reply_kind::none);
        put_int(made.payload, std::stoul(parameter), 2);
        made.payload += data;
        return made;
    }
    if (from.verb == "close") return with_id(0x19, id_of(name, ids), reply_kind::none);
    if (from.verb == "reset") return with_id(0x1A, id_of(name, ids), reply_kind::one);
    if (from.verb == "prepare") {
        auto made = one_byte(0x16, rest, reply_kind::prepare);
        made.prepares = name;
        return made;
    }
    return std::nullopt;
}

}  // namespace

std::optional<written_command> write_command(const step& from, std::uint64_t capabilities, const statement_ids& ids) {
    const auto& verb = from.verb;
    if (verb == "query" || verb == "query_with") return write_query(from, capabilities);
    if (verb == "execute") return write_execute(from, capabilities, ids);
    if (verb == "bulk_execute") return write_bulk_execute(from, ids);
    if (verb == "raw" || verb == "raw_numbered") return write_raw(from);
    if (verb == "quit") return one_byte(0x01, "", reply_kind::none);
    if (verb == "init_db") return one_byte(0x02, from.argument);
    if (verb == "field_list") {
        const auto [table, wildcard] = split_word(from.argument);
        return one_byte(0x04, table + '\0' + wildcard, reply_kind::field_list);
    }
    if (verb == "statistics") return one_byte(0x09, "", reply_kind::text);
    if (verb == "process_info") return one_byte(0x0A, "", reply_kind::result);
    if (verb == "debug") return one_byte(0x0D);
    if (verb == "ping") return one_byte(0x0E);
    if (verb == "reset_connection") return one_byte(0x1F);
    if (verb == "set_option") {
        auto made = one_byte(0x1B);
        put_int(made.payload, std::stoul(from.argument), 2);
        return made;
    }
    return write_of_statement(from, ids);
}

}  // namespace sluice::test::oracle
