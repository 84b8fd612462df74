#include "migration/family/lock_holders.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::migration {
namespace {

std::uint64_t number(const cell& text) {
    std::uint64_t value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

gate_blocker session_of(const std::vector<cell>& row) {
    return {.connection_id = number(row[0]),
            .client = row[1].value_or(""),
            .statement = row[2].value_or(""),
            .age = std::chrono::milliseconds(number(row[3])),
            .in_transaction = true,
            .direct = true,
            .age_is_known = number(row[4]) != 0};
}

// A session may hold several locks on a table.
void add(std::vector<gate_blocker>& sessions, gate_blocker found) {
    for (gate_blocker& known : sessions) {
        if (known.connection_id != found.connection_id) continue;
        known.age = std::max(known.age, found.age);
        known.age_is_known = known.age_is_known && found.age_is_known;
        return;
    }
    sessions.push_back(std::move(found));
}

}  // namespace

table_users users_of(const server_family& family, const table_name& table, sql_session& session) {
    table_users users;
    for (const auto& query : family.lock_holder_queries(table)) {
        const auto answer = session.run(query);
        if (!answer && answer.error().server_errno == 0) break;  // the connection is lost, not the view unknown
        if (!answer) continue;
        for (const auto& row : answer->rows) {
            if (row.size() < 5) continue;
            if (number(row[0]) == 0) {
                users.server_tells = true;
            } else {
                add(users.sessions, session_of(row));
            }
        }
        if (users.server_tells) break;
    }
    return users;
}

std::vector<gate_blocker> lock_holders(const server_family& family, const table_name& table, sql_session& session) {
    return users_of(family, table, session).sessions;
}

std::vector<gate_blocker> open_transactions(const server_family& family, sql_session& session,
                                            open_transaction_kind kind) {
    std::vector<gate_blocker> sessions;
    const auto answer = session.run(family.open_transactions_query());
    if (!answer) return sessions;
    for (const auto& row : answer->rows) {
        if (row.size() < 6) continue;
        if (kind == open_transaction_kind::any || row[5] == "REPEATABLE READ") sessions.push_back(session_of(row));
    }
    return sessions;
}

std::vector<open_transaction> transactions_by_isolation(sql_session& session) {
    std::vector<open_transaction> transactions;
    const auto answer =
        session.run("SELECT trx_mysql_thread_id, trx_isolation_level FROM information_schema.INNODB_TRX");
    if (!answer) return transactions;
    for (const auto& row : answer->rows) {
        if (row.size() < 2) continue;
        transactions.push_back({.connection_id = number(row[0]), .reads_anew = row[1] != "REPEATABLE READ"});
    }
    return transactions;
}

}  // namespace sluice::migration
