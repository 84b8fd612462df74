#include "migration/relations/joined_gate.hpp"

#include "protocol/result.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

class joined_gate final : public table_gate {
public:
    explicit joined_gate(std::vector<std::unique_ptr<table_gate>> gates) : gates_(std::move(gates)) {}

    std::vector<gate_blocker> blockers() override {
        std::vector<gate_blocker> all;
        for (const auto& gate : gates_) {
            for (auto& blocker : gate->blockers()) {
                const bool known = std::any_of(all.begin(), all.end(), [&](const gate_blocker& one) {
                    return one.connection_id == blocker.connection_id;
                });
                if (!known) all.push_back(std::move(blocker));
            }
        }
        std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.age > b.age; });
        return all;
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
        if (!drain_all()) return false;
        return gates_.size() == 1 || drain_all();
    }

    hold_report open() override {
        hold_report all;
        for (const auto& gate : gates_) {
            const hold_report one = gate->open();
            all.statements_held += one.statements_held;
            all.hold_p50 = std::max(all.hold_p50, one.hold_p50);
            all.hold_p99 = std::max(all.hold_p99, one.hold_p99);
            all.hold_max = std::max(all.hold_max, one.hold_max);
            all.expired = all.expired || one.expired;
        }
        return all;
    }

private:
    std::vector<std::unique_ptr<table_gate>> gates_;
};

}  // namespace

std::unique_ptr<table_gate> watch_tables(traffic_gate& traffic, const std::vector<gated_table>& tables) {
    SLUICE_ASSERT(!tables.empty());
    std::vector<std::unique_ptr<table_gate>> gates;
    for (const auto& table : tables) {
        gates.push_back(traffic.watch(table));
        if (!gates.back()) return nullptr;
    }
    if (gates.size() == 1) return std::move(gates.front());
    return std::make_unique<joined_gate>(std::move(gates));
}

}  // namespace sluice::migration
