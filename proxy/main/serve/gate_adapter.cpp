#include "proxy/main/serve/gate_adapter.hpp"

#include <spdlog/spdlog.h>

namespace sluice {
namespace {

class adapted_gate final : public migration::table_gate {
public:
    explicit adapted_gate(std::unique_ptr<proxy::table_gate> gate) : gate_(std::move(gate)) {}

    std::vector<migration::gate_blocker> blockers() override { return adapted(gate_->blockers()); }

    std::vector<migration::gate_blocker> old_snapshots() override { return adapted(gate_->old_snapshots()); }

    void close(std::chrono::steady_clock::time_point deadline) override { gate_->close(deadline); }

    bool wait_drained(std::chrono::steady_clock::time_point until) override { return gate_->wait_drained(until); }

    bool seal(std::chrono::steady_clock::time_point until) override { return gate_->seal(until); }

    bool announce_swap(std::chrono::steady_clock::time_point until) override { return gate_->announce_swap(until); }

    migration::hold_report open(migration::gate_opening why) override {
        const bool swapped = why == migration::gate_opening::swapped;
        const proxy::hold_report r = gate_->open(swapped ? proxy::gate_end::swapped : proxy::gate_end::given_up);
        return {.statements_held = r.statements_held,
                .hold_p50 = r.hold_p50,
                .hold_p99 = r.hold_p99,
                .hold_max = r.hold_max,
                .expired = r.expired,
                .overflowed = r.overflowed,
                .old_snapshots = r.old_snapshots};
    }

private:
    static std::vector<migration::gate_blocker> adapted(std::vector<proxy::gate_blocker> blockers) {
        std::vector<migration::gate_blocker> all;
        for (proxy::gate_blocker& b : blockers) {
            all.push_back({.connection_id = b.connection_id,
                           .client = std::move(b.client),
                           .statement = std::move(b.statement),
                           .age = b.age,
                           .in_transaction = b.in_transaction});
        }
        return all;
    }

    std::unique_ptr<proxy::table_gate> gate_;
};

}  // namespace

std::unique_ptr<migration::table_gate> gate_adapter::watch(const migration::gated_table& table,
                                                           const migration::watch_rules& rules) {
    proxy::watch_rules adapted{.holds_all = rules.scope == migration::hold_scope::all,
                               .changes_places = table.changes_places,
                               .ask_transactions = {}};
    if (rules.ask_transactions) {
        adapted.ask_transactions = [ask = rules.ask_transactions] {
            std::vector<proxy::open_transaction> all;
            for (const auto& one : ask()) all.push_back({one.connection_id, one.reads_anew});
            return all;
        };
    }
    if (auto gate = gates_.watch({.schema = table.schema, .table = table.table}, std::move(adapted))) {
        return std::make_unique<adapted_gate>(std::move(gate));
    }
    spdlog::warn("the proxy cannot watch {}.{}: its cut-over will hold no statements", table.schema, table.table);
    return migration::open_traffic_gate()->watch(table, rules);
}

}  // namespace sluice
