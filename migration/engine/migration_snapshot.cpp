#include "migration/engine/migration_snapshot.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::migration {
namespace {

constexpr std::array<std::pair<migration_state, std::string_view>, 16> names{{
    {migration_state::queued, "queued"},
    {migration_state::checking, "checking"},
    {migration_state::altering, "altering"},
    {migration_state::preparing, "preparing"},
    {migration_state::copying, "copying"},
    {migration_state::indexing, "indexing"},
    {migration_state::verifying, "verifying"},
    {migration_state::ready, "ready"},
    {migration_state::cutting_over, "cutting_over"},
    {migration_state::in_sync, "in_sync"},
    {migration_state::reverting, "reverting"},
    {migration_state::tidying, "tidying"},
    {migration_state::completed, "completed"},
    {migration_state::reverted, "reverted"},
    {migration_state::aborted, "aborted"},
    {migration_state::failed, "failed"},
}};

constexpr std::array<std::pair<standing_order, std::string_view>, 3> orders{{
    {standing_order::abort, "abort"},
    {standing_order::revert, "revert"},
    {standing_order::finish, "finish"},
}};

}  // namespace

std::string_view to_string(migration_state state) noexcept {
    const auto place = std::find_if(names.begin(), names.end(), [state](const auto& n) { return n.first == state; });
    return place == names.end() ? "unknown" : place->second;
}

std::optional<migration_state> parse_migration_state(std::string_view text) noexcept {
    const auto place = std::find_if(names.begin(), names.end(), [text](const auto& n) { return n.second == text; });
    if (place == names.end()) return std::nullopt;
    return place->first;
}

std::string_view to_string(standing_order order) noexcept {
    const auto place = std::find_if(orders.begin(), orders.end(), [order](const auto& o) { return o.first == order; });
    return place == orders.end() ? "unknown" : place->second;
}

std::optional<standing_order> parse_standing_order(std::string_view text) noexcept {
    const auto place = std::find_if(orders.begin(), orders.end(), [text](const auto& o) { return o.second == text; });
    if (place == orders.end()) return std::nullopt;
    return place->first;
}

bool is_final(migration_state state) noexcept { return state >= migration_state::completed; }

}  // namespace sluice::migration
