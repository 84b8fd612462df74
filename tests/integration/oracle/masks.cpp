#include "tests/integration/oracle/masks.hpp"

#include <algorithm>
#include <cctype>

namespace sluice::test::oracle {
namespace {

namespace flag = wire::flag;

constexpr std::uint16_t session_state_changed = 0x4000;
constexpr std::uint8_t variable_tracker = 0;
constexpr std::uint8_t gtid_tracker = 3;
constexpr std::uint16_t unknown_statement = 1243;
constexpr std::uint16_t no_open_cursor = 1421;

[[noreturn]] void malformed(const std::string& what, std::string_view is) {
    throw wire::error(what + " does not look like one: " + std::string(is.substr(0, 200)));
}

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string of_greeting(const wire::greeting& parsed) {
    auto fields = parsed;
    const auto zero = [](char c) { return c == '\0'; };
    if (fields.scramble.size() != 20 || std::any_of(fields.scramble.begin(), fields.scramble.end(), zero)) {
        malformed("the scramble", fields.scramble);
    }
    if (fields.connection_id == 0) malformed("the connection id", "0");
    std::string out = "greeting " + std::to_string(fields.protocol) + ' ' + fields.version +
                      " <connection id> <scramble> <capabilities> ";
    wire::put_int(out, fields.character_set, 1);
    wire::put_int(out, fields.status, 2);
    wire::put_int(out, fields.scramble_size_field, 1);
    return out + fields.filler + fields.plugin + fields.behind;
}

std::string of_authentication(const std::string& payload) {
    wire::input from(payload);
    const auto kind = from.integer(1);
    if (kind == 0xFE) {
        const auto plugin = std::string(from.zero_ended());
        const auto data = from.rest();
        if (data.size() != 21 || data.back() != '\0') return payload;  // no scramble of a known plugin
        return "authentication switch " + plugin + " <scramble>";
    }
    if (kind == 0x01 && from.rest().substr(0, 26) == "-----BEGIN PUBLIC KEY-----") {
        if (from.rest().find("-----END PUBLIC KEY-----") == std::string_view::npos) malformed("a key", from.rest());
        return "more authentication data <public key>";
    }
    return payload;
}

// "uuid:number", or MariaDB's "domain-server-number".
std::string of_gtid(std::string_view gtid) {
    const auto last = gtid.find_last_of(":-");
    if (last == std::string_view::npos || !is_number(gtid.substr(last + 1))) malformed("a GTID", gtid);
    return std::string(gtid.substr(0, last + 1)) + "<number>";
}

std::string of_trackers(std::string_view block) {
    std::string out;
    for (wire::input from(block); !from.at_end();) {
        const auto kind = from.integer(1);
        const auto data = from.lenenc_text();
        wire::put_int(out, kind, 1);  // without its length, which is the field's too
        if (kind == gtid_tracker) {
            wire::input inside(data);
            wire::put_int(out, inside.integer(1), 1);
            out += of_gtid(inside.lenenc_text());
        } else if (kind == variable_tracker && wire::input(data).lenenc_text() == "statement_id") {
            wire::input inside(data);
            (void)inside.lenenc_text();
            const auto value = inside.lenenc_text();
            if (!is_number(value)) malformed("statement_id", value);
            out += "statement_id <number>";
        } else {
            wire::put_lenenc_text(out, data);
        }
    }
    return out;
}

std::string of_ok(const std::string& payload, std::uint64_t capabilities) {
    if ((capabilities & flag::session_track) == 0) return payload;
    wire::input from(payload);
    (void)from.integer(1);
    (void)from.lenenc();
    (void)from.lenenc();
    const auto status = from.integer(2);
    (void)from.integer(2);
    if ((status & session_state_changed) == 0) return payload;
    (void)from.lenenc_text();
    const auto before = payload.substr(0, payload.size() - from.rest().size());
    const auto trackers = from.lenenc_text();
    if (!from.at_end()) malformed("an OK", payload);
    const auto replaced = of_trackers(trackers);
    // Only where something was replaced: else the bytes themselves, lengths included, are compared.
    return replaced == trackers ? payload : before + replaced;
}

bool is_mariadb(const transcript& in) { return in.greeted.version.find("MariaDB") != std::string::npos; }

// The head of a COM_STMT_PREPARE's reply.
std::string of_prepared(const std::string& payload) {
    wire::input from(payload);
    (void)from.integer(1);
    if (from.integer(4) == 0) malformed("a statement's id", payload);
    return payload.substr(0, 1) + "<statement id>" + std::string(from.rest());
}

// "Unknown prepared statement handler (17) given to ...", "The statement (17) has no open cursor"
std::string of_error_with_id(const std::string& payload) {
    wire::input from(payload);
    (void)from.integer(1);
    const auto code = from.integer(2);
    const auto open = payload.find('(');
    const auto close = payload.find(')', open);
    if ((code != unknown_statement && code != no_open_cursor) || close == std::string::npos) return payload;
    if (!is_number(payload.substr(open + 1, close - open - 1))) return payload;  // a name
    return payload.substr(0, open + 1) + "<statement id>" + payload.substr(close);
}

std::string of_error(const std::string& payload, const reply* of, const transcript& in) {
    if (of != nullptr && !of->masks.empty() && of->masks.front().kind == "refusal") return "<refusal>";
    return is_mariadb(in) ? of_error_with_id(payload) : payload;
}

// "Uptime: 12  Threads: 2 ...": its words stay, its numbers go.
std::string of_statistics(const std::string& payload) {
    std::string out;
    for (std::size_t i = 0; i < payload.size();) {
        if (std::isdigit(static_cast<unsigned char>(payload[i])) == 0) {
            out.push_back(payload[i++]);
            continue;
        }
        while (i < payload.size() && (std::isdigit(static_cast<unsigned char>(payload[i])) != 0 || payload[i] == '.')) {
            ++i;
        }
        out += "<number>";
    }
    if (out.rfind("Uptime: <number>  Threads: <number>", 0) != 0) malformed("COM_STATISTICS's answer", payload);
    return out;
}

std::string of_cell(std::string_view cell, const std::string& kind, const transcript& in) {
    if (kind == "connection_id") {
        if (cell != std::to_string(in.greeted.connection_id)) malformed("the session's own connection id", cell);
    } else if (kind == "client_address") {
        const auto colon = cell.rfind(':');
        if (colon == std::string_view::npos || !is_number(cell.substr(colon + 1))) malformed("an address", cell);
        return std::string(cell.substr(0, colon)) + ":<port>";
    } else if (kind == "seconds") {
        if (!is_number(cell) && cell != "-1") malformed("a session's time", cell);
    } else if (kind == "gtid") {
        return of_gtid(cell);
    } else {
        throw wire::error("no mask of cells is called " + kind);
    }
    return "<" + kind + ">";
}

std::string of_row(const std::string& payload, const reply& of, const transcript& in) {
    std::string out;
    std::size_t column = 0;
    for (wire::input from(payload); !from.at_end(); ++column) {
        if (static_cast<unsigned char>(from.rest()[0]) == 0xFB) {
            out += from.take(1);
            continue;
        }
        auto cell = std::string(from.lenenc_text());
        for (const auto& mask : of.masks) {
            if (mask.column == column) cell = of_cell(cell, mask.kind, in);
        }
        wire::put_lenenc_text(out, cell);
    }
    return out;
}

}  // namespace

const std::vector<mask_rule>& mask_rules() {
    static const std::vector<mask_rule> rules = {
        {"connection id", "greeting; cells that a script marks, such as SELECT CONNECTION_ID()",
         "each connection to the server has its own; the client sees that of its session's connection, so KILL works"},
        {"scramble", "greeting; request to switch the plugin", "random; the server's own is passed on"},
        {"capabilities", "greeting", "see the list of capabilities"},
        {"public key", "caching_sha2_password's full authentication without TLS",
         "Sluice serves a key of its own: it must read the password to encrypt it with the server's key"},
        {"statistics", "numbers in the answer to COM_STATISTICS",
         "the server's uptime and counters grow by themselves"},
        {"GTID", "session tracker of that kind; cells that a script marks",
         "the server numbers its transactions one after the other"},
        {"statement id", "MariaDB: answer to COM_STMT_PREPARE, errors 1243 and 1421",
         "one counter for all sessions of the server"},
        {"statement_id", "MySQL: session tracker of that system variable",
         "one counter for all sessions of the server"},
        {"client address", "port in cells that a script marks, as the process list's Host",
         "the server sees Sluice's socket, not the client's"},
        {"seconds", "cells that a script marks, as the process list's Time",
         "grows with time; a server may say -1 where a second begins, as it takes the difference of two clocks"},
        {"refusal", "ERR for COM_CLONE", "a clone's stream is not followed; Sluice refuses it in its own words (1235)"},
        {"compressed replies' sequence ids", "compressed clients: behind the first result of several",
         "servers count on from the number of their compressed frames; no client looks at them"},
        {"login's sequence ids", "login over TLS to Sluice, where the server has none",
         "the client's request for TLS is one packet more"},
    };
    return rules;
}

std::string without_own_fields(const seen_packet& packet, const reply* of, const transcript& in) {
    const auto& payload = packet.packet.payload;
    switch (packet.what) {
        case role::greeting: return of_greeting(wire::parse_greeting(payload));
        case role::authentication: return of_authentication(payload);
        case role::ok: return of_ok(payload, in.capabilities);
        case role::prepared: return is_mariadb(in) ? of_prepared(payload) : payload;
        case role::err: return of_error(payload, of, in);
        case role::text: return of_statistics(payload);
        case role::text_row: return of == nullptr || of->masks.empty() ? payload : of_row(payload, *of, in);
        default: return payload;
    }
}

const std::vector<capability_rule>& capability_rules() {
    using enum capability_rule::direction;
    static const std::vector<capability_rule> rules = {
        {"ssl", removed, "TLS towards clients is off"},
        {"compress", removed, "compression towards clients is off"},
        {"zstd", removed, "compression towards clients is off"},
        {"verify_server_cert", removed, "a matter of each client's own TLS"},
        {"remember_options", removed, "a matter of the client library; servers announce it for no reason"},
        {"capability_extension", removed, "not defined for this version of the protocol"},
        {"mariadb_com_multi", removed, "commands inside commands; MariaDB itself has given it up"},
        {"ssl", added, "Sluice has TLS for its clients, whatever the server has"},
        {"compress", added, "Sluice compresses for its clients, whatever it does towards the server"},
        {"zstd", added, "Sluice compresses for its clients, whatever it does towards the server"},
    };
    return rules;
}

std::string capability_difference(std::uint64_t direct, std::uint64_t through) {
    std::uint64_t may_be_removed = 0;
    std::uint64_t may_be_added = 0;
    for (const auto& rule : capability_rules()) {
        auto& flags = rule.kind == capability_rule::direction::removed ? may_be_removed : may_be_added;
        flags |= capability_named(rule.name);
    }
    const auto lost = direct & ~through & ~may_be_removed;
    const auto gained = through & ~direct & ~may_be_added;
    std::string out;
    if (lost != 0) out += "capabilities that the proxy may not remove: " + capability_names(lost) + "\n";
    if (gained != 0) out += "capabilities that the proxy may not add: " + capability_names(gained) + "\n";
    return out;
}

}  // namespace sluice::test::oracle
