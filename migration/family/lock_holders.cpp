#include "migration/family/lock_holders.hpp"

#include <charconv>

namespace sluice::migration {
namespace {

std::uint64_t number(const cell& text) {
    std::uint64_t value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

std::vector<gate_blocker> sessions_of(const query_result& answer) {
    std::vector<gate_blocker> sessions;
    for (const auto& row : answer.rows) {
        if (row.size() < 4) continue;
        sessions.push_back({.connection_id = number(row[0]),
                            .client = row[1].value_or(""),
                            .statement = row[2].value_or(""),
                            .age = std::chrono::milliseconds(number(row[3])),
                            .in_transaction = true});
    }
    return sessions;
}

}  // namespace

std::vector<gate_blocker> lock_holders(const server_family& family, const table_name& table, sql_session& session) {
    for (const auto& query : family.lock_holder_queries(table)) {
        const auto answer = session.run(query);
        if (answer) return sessions_of(*answer);
        if (answer.error().server_errno == 0) break;  // the connection is lost, not the view unknown
    }
    return {};
}

std::vector<gate_blocker> open_transactions(const server_family& family, sql_session& session) {
    const auto answer = session.run(family.open_transactions_query());
    return answer ? sessions_of(*answer) : std::vector<gate_blocker>();
}

}  // namespace sluice::migration
