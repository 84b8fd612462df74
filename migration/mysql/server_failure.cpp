#include "migration/mysql/server_failure.hpp"

#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <array>

namespace sluice::migration {
namespace {

constexpr std::size_t attempted_characters_max = 300;

struct meaning {
    unsigned number;
    const char* code;
    disposition then;
};

constexpr auto retry = disposition::retry;
constexpr auto abort = disposition::abort;
constexpr auto unknown = disposition::outcome_unknown;

// Ordered by number, for the binary search.
constexpr std::array meanings{
    meaning{1017, "no_such_table", abort},  // MySQL 5.6, of a file
    // Of no use to try again: every attempt takes what other tables need, and the ghost's end gives it back.
    meaning{1021, "out_of_space", abort},  // disk full
    meaning{1022, "duplicate_entry", abort}, meaning{1037, "out_of_memory", retry},
    meaning{1038, "out_of_memory", retry},                                             // sort buffer
    meaning{1041, "out_of_memory", retry}, meaning{1044, "access_denied", abort},      // to a schema
    meaning{1045, "access_denied", abort},                                             // login
    meaning{1048, "null_not_allowed", abort}, meaning{1049, "no_such_table", abort},   // no such schema
    meaning{1051, "no_such_table", abort}, meaning{1053, "connection_lost", unknown},  // the server is shutting down
    meaning{1062, "duplicate_entry", abort}, meaning{1114, "out_of_space", abort},     // table full
    meaning{1129, "access_denied", abort},  // host blocked after too many errors
    meaning{1130, "access_denied", abort},  // host not allowed
    meaning{1138, "null_not_allowed", abort}, meaning{1142, "access_denied", abort},  // to a table
    meaning{1143, "access_denied", abort},                                            // to a column
    meaning{1146, "no_such_table", abort}, meaning{1153, "packet_too_large", abort},
    meaning{1158, "connection_lost", unknown},  // the server could not read from us
    meaning{1159, "connection_lost", unknown},
    meaning{1160, "connection_lost", unknown},  // the server could not write to us
    meaning{1161, "connection_lost", unknown},
    meaning{1184, "connection_lost", unknown},      // the server gave the connection up
    meaning{1197, "transaction_too_large", retry},  // max_binlog_cache_size: a smaller chunk fits
    meaning{1205, "lock_wait_timeout", retry},
    meaning{1206, "transaction_too_large", retry},                            // lock table full: a smaller chunk fits
    meaning{1213, "deadlock", retry}, meaning{1227, "access_denied", abort},  // a global privilege
    meaning{1263, "null_not_allowed", abort}, meaning{1264, "out_of_range", abort},
    meaning{1265, "data_truncated", abort}, meaning{1290, "read_only", abort}, meaning{1292, "invalid_value", abort},
    meaning{1317, "interrupted", retry},  // KILL QUERY
    meaning{1364, "no_default_value", abort}, meaning{1366, "invalid_value", abort},
    meaning{1367, "invalid_value", abort}, meaning{1370, "access_denied", abort},  // to a routine
    meaning{1406, "data_truncated", abort}, meaning{1411, "invalid_value", abort},
    meaning{1412, "table_changed", retry},  // the snapshot is older than the table
    meaning{1526, "no_partition", abort}, meaning{1586, "duplicate_entry", abort},
    meaning{1614, "deadlock", retry},  // of an XA transaction
    meaning{1690, "out_of_range", abort}, meaning{1698, "access_denied", abort},
    meaning{1792, "read_only", abort},      // a READ ONLY transaction
    meaning{1820, "access_denied", abort},  // password expired
    meaning{1836, "read_only", abort}, meaning{1859, "duplicate_entry", abort},
    meaning{1862, "access_denied", abort},      // password expired
    meaning{1927, "connection_lost", unknown},  // MariaDB: connection killed
    meaning{1969, "lock_wait_timeout", retry},  // MariaDB: max_statement_time
    meaning{2006, "connection_lost", unknown}, meaning{2013, "connection_lost", unknown},
    meaning{2020, "packet_too_large", abort},
    meaning{2026, "connection_lost", unknown},  // TLS broke off in the middle of a statement
    meaning{2027, "connection_lost", unknown},  // malformed packet: the stream cannot be followed any more
    meaning{2055, "connection_lost", unknown}, meaning{3024, "lock_wait_timeout", retry},  // max_execution_time
    meaning{3118, "access_denied", abort},                                                 // account locked
    meaning{3140, "invalid_value", abort},                                                 // JSON text
    meaning{3141, "invalid_value", abort}, meaning{3144, "invalid_value", abort},
    meaning{3572, "lock_wait_timeout", retry},                                       // NOWAIT
    meaning{3673, "null_not_allowed", abort},                                        // MySQL 8, of a geometry
    meaning{3819, "check_violated", abort}, meaning{4025, "check_violated", abort},  // MariaDB
    meaning{4031, "connection_lost", unknown},  // disconnected by wait_timeout and its like
};
static_assert(std::ranges::is_sorted(meanings, {}, &meaning::number));

const meaning* find_meaning(unsigned number) {
    const auto found = std::ranges::lower_bound(meanings, number, {}, &meaning::number);
    return found != meanings.end() && found->number == number ? &*found : nullptr;
}

// Errors of files and engines carry the system's own number in their text: 28 is ENOSPC.
bool speaks_of_full_disk(const server_message& said) {
    constexpr std::array<std::string_view, 4> forms{"rror 28 ", "rrcode: 28 ", "rrno: 28 ", "rrno 28 "};
    return std::ranges::any_of(forms, [&](std::string_view form) { return said.text.find(form) != said.text.npos; });
}

failure make(std::string_view code, disposition then, const server_message& said, std::string message) {
    return failure{.code = std::string(code),
                   .message = std::move(message),
                   .server_errno = said.number,
                   .sqlstate = std::string(said.sqlstate),
                   .attempted = {},
                   .then = then};
}

}  // namespace

bool ends_connection(unsigned number) noexcept {
    const auto* known = find_meaning(number);
    return known != nullptr && known->then == disposition::outcome_unknown;
}

failure statement_failure(const server_message& said, std::string_view attempted) {
    const auto* known = find_meaning(said.number);
    auto failed = make(known != nullptr ? known->code : "server_error", known != nullptr ? known->then : abort, said,
                       std::string(said.text));
    if (known == nullptr && speaks_of_full_disk(said)) failed.code = "out_of_space";
    failed.attempted = shortened(attempted, attempted_characters_max);
    return failed;
}

failure login_failure_of(const server_message& said, std::string_view address, std::string_view user) {
    const std::string where = " (server " + std::string(address) + ", user '" + std::string(user) + "')";
    const std::string text = std::string(said.text) + where;
    failure failed;
    switch (said.number) {
        case 1040:  // too many connections
        case 1203:  // ... of this user
        case 1226:  // a limit of this user's account
            failed = make("too_many_connections", retry, said, text);
            break;
        case 2026:
            // A certificate that is not accepted, or a server that went away in the middle of the handshake: the
            // library does not tell which, and the latter passes.
            failed = make("tls_failed", retry, said, text);
            break;
        case 1251:  // the server wants another protocol than the client has
        case 2007:  // protocols differ
        case 2049:  // the server knows only the login of before 4.1
        case 2054:  // unknown character set
        case 2058:  // the plug-in could not be set up
        case 2059:  // the plug-in could not be loaded
        case 2061:  // the plug-in refused
            failed = make("unsupported_login", abort, said, text);
            break;
        default: {
            const auto* known = find_meaning(said.number);
            const bool is_transport = (said.number >= 2000 && said.number < 3000) || said.number == 0 ||
                                      (known != nullptr && known->then == unknown);
            if (is_transport) {
                failed = make("cannot_connect", retry, said, text);
            } else if (known != nullptr) {
                failed = make(known->code, known->then, said, text);
            } else {
                failed = make("server_error", abort, said, text);
            }
        }
    }
    failed.attempted = "connect";
    return failed;
}

}  // namespace sluice::migration
