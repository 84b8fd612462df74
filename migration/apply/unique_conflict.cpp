#include "migration/apply/unique_conflict.hpp"

#include "migration/apply/server_position.hpp"
#include "migration/sql/identifier.hpp"

#include <array>
#include <chrono>
#include <string_view>

namespace sluice::migration {
namespace {

constexpr std::chrono::seconds catch_up_max{10};

}  // namespace

std::optional<std::string> duplicate_key_of(const migration_plan& plan, const failure& why) {
    if (why.code != "duplicate_entry") return std::nullopt;
    // Duplicate entry 'VALUE' for key '[TABLE.]KEY', in the server's language, with the table since MySQL 8.0.19. All
    // three may hold quotes and dots: what is known of the names is looked for at the end.
    const std::string_view text = std::string_view(why.message).substr(0, why.message.rfind('\'') + 1);
    const std::array befores{"'" + plan.ghost.table + ".", "'" + plan.swap_ghost.table + ".", std::string("'"),
                             std::string(".")};  // ".": the server has folded the table's letters
    for (const std::string& before : befores) {
        std::optional<std::string> longest;
        for (const key_description& key : plan.ghost_description.keys) {
            if (!text.ends_with(before + key.name + "'")) continue;
            if (!longest || key.name.size() > longest->size()) longest = key.name;
        }
        if (longest) return longest;
    }
    if (text.size() < 2) return std::string();
    const auto begin = text.rfind('\'', text.size() - 2);
    if (begin == std::string_view::npos) return std::string();
    return std::string(text.substr(begin + 1, text.size() - begin - 2));
}

failure unique_key_conflict(const migration_plan& plan, const failure& why) {
    failure conflict = why;
    conflict.code = "unique_key_conflict";
    conflict.then = disposition::abort;
    conflict.message = "rows of " + quote_table(plan.original) + " collide under unique key " +
                       quote_identifier(duplicate_key_of(plan, why).value_or("?")) + " of the " +
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
