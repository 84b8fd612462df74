#include "migration/relations/joined_gate.hpp"

#include "protocol/result.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

class joined_gate final : public table_gate {
public:
    joined_gate(std::vector<table_gate*> gates, std::vector<std::unique_ptr<table_gate>> owned)
        : gates_(std::move(gates)), owned_(std::move(owned)) {}

    std::vector<gate_blocker> blockers() override {
        return joined([](table_gate& gate) { return gate.blockers(); });
    }

    std::vector<gate_blocker> old_snapshots() override {
        return joined([](table_gate& gate) { return gate.old_snapshots(); });
    }

    void close(std::chrono::steady_clock::time_point deadline) override {
        for (const auto& gate : gates_) gate->close(deadline);
    }

    bool wait_drained(std::chrono::steady_clock::time_point until) override {
        // What is in flight on one table may go on to another one that has been found empty: the last round, over
        // closed and drained gates, is the one that counts.
        const auto drain_all = [&] {
            return std::all_of(gates_.begin(), gates_.end(),
                               [&](const auto& gate) { return gate->wait_drained(until); });
        };
        do {
            if (!drain_all() || (gates_.size() > 1 && !drain_all())) return false;
            if (seal(until)) return true;
        } while (std::chrono::steady_clock::now() < until);
        return false;
    }

    bool seal(std::chrono::steady_clock::time_point until) override {
        return std::all_of(gates_.begin(), gates_.end(), [&](const auto& gate) { return gate->seal(until); });
    }

    bool announce_swap(std::chrono::steady_clock::time_point until) override {
        return std::all_of(gates_.begin(), gates_.end(), [&](const auto& gate) { return gate->announce_swap(until); });
    }

    hold_report open(gate_opening why) override {
        hold_report all;
        for (const auto& gate : gates_) {
            const hold_report one = gate->open(why);
            all.statements_held += one.statements_held;
            all.hold_p50 = std::max(all.hold_p50, one.hold_p50);
            all.hold_p99 = std::max(all.hold_p99, one.hold_p99);
            all.hold_max = std::max(all.hold_max, one.hold_max);
            all.expired = all.expired || one.expired;
            all.overflowed += one.overflowed;
            all.old_snapshots += one.old_snapshots;
        }
        return all;
    }

private:
    /// Each session once, the oldest first.
    template <class Ask>
    std::vector<gate_blocker> joined(Ask ask) {
        std::vector<gate_blocker> all;
        for (const auto& gate : gates_) {
            for (auto& blocker : ask(*gate)) {
                const bool known = std::any_of(all.begin(), all.end(), [&](const gate_blocker& one) {
                    return one.connection_id == blocker.connection_id;
                });
                if (!known) all.push_back(std::move(blocker));
            }
        }
        std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.age > b.age; });
        return all;
    }

    std::vector<table_gate*> gates_;
    std::vector<std::unique_ptr<table_gate>> owned_;
};

}  // namespace

std::unique_ptr<table_gate> watch_tables(traffic_gate& traffic, const std::vector<gated_table>& tables,
                                         const watch_rules& rules) {
    SLUICE_ASSERT(!tables.empty());
    if (rules.scope == hold_scope::none) return open_traffic_gate()->watch(tables.front(), rules);
    std::vector<std::unique_ptr<table_gate>> gates;
    for (const auto& table : tables) {
        gates.push_back(traffic.watch(table, rules));
        if (!gates.back()) return nullptr;
    }
    std::vector<table_gate*> joined;
    joined.reserve(gates.size());
    for (const auto& gate : gates) joined.push_back(gate.get());
    return std::make_unique<joined_gate>(std::move(joined), std::move(gates));
}

std::unique_ptr<table_gate> join_gates(std::vector<table_gate*> gates) {
    SLUICE_ASSERT(!gates.empty());
    return std::make_unique<joined_gate>(std::move(gates), std::vector<std::unique_ptr<table_gate>>());
}

}  // namespace sluice::migration
