#include "migration/apply/unique_conflict.hpp"

#include "migration/apply/server_position.hpp"
#include "migration/sql/identifier.hpp"

#include <chrono>

namespace sluice::migration {
namespace {

constexpr std::chrono::seconds catch_up_max{10};

}  // namespace

std::optional<std::string> duplicate_key_of(const failure& why) {
    if (why.code != "duplicate_entry") return std::nullopt;
    // Duplicate entry 'VALUE' for key '[TABLE.]KEY': the value may hold anything, so the key is read from the end.
    const std::string& text = why.message;
    const auto end = text.rfind('\'');
    if (end == std::string::npos || end == 0) return std::string();
    const auto begin = text.rfind('\'', end - 1);
    if (begin == std::string::npos) return std::string();
    std::string key = text.substr(begin + 1, end - begin - 1);
    if (const auto dot = key.find('.'); dot != std::string::npos) key.erase(0, dot + 1);
    return key;
}

failure unique_key_conflict(const migration_plan& plan, const failure& why) {
    failure conflict = why;
    conflict.code = "unique_key_conflict";
    conflict.then = disposition::abort;
    conflict.message = "rows of " + quote_table(plan.original) + " collide under unique key " +
                       quote_identifier(duplicate_key_of(why).value_or("?")) + " of the " +
                       (plan.backwards ? "old" : "new") + " definition (server: " + why.message + ")" +
                       (plan.backwards ? "" : "; make the values distinct or leave the key out");
    return conflict;
}

outcome<void> catch_up(const migration_plan& plan, work_ledger& ledger, reconnecting_session& session) {
    const auto until = std::chrono::steady_clock::now() + catch_up_max;
    auto position = read_place_to_reach(session, plan);
    if (!position) {
        if (position.error().then == disposition::abort) return std::move(position).error();
        return {};
    }
    if (ledger.wait_read_through(*position, until)) ledger.wait_applied_through(ledger.transactions_begun(), until);
    return {};
}

}  // namespace sluice::migration
