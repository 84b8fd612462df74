#include "proxy/main/serve/gate_adapter.hpp"

#include <spdlog/spdlog.h>

namespace sluice {
namespace {

class adapted_gate final : public migration::table_gate {
public:
    explicit adapted_gate(std::unique_ptr<proxy::table_gate> gate) : gate_(std::move(gate)) {}

    std::vector<migration::gate_blocker> blockers() override {
        std::vector<migration::gate_blocker> all;
        for (proxy::gate_blocker& b : gate_->blockers()) {
            all.push_back({.connection_id = b.connection_id,
                           .client = std::move(b.client),
                           .statement = std::move(b.statement),
                           .age = b.age,
                           .in_transaction = b.in_transaction});
        }
        return all;
    }

    void close(std::chrono::steady_clock::time_point deadline) override { gate_->close(deadline); }

    bool wait_drained(std::chrono::steady_clock::time_point until) override { return gate_->wait_drained(until); }

    migration::hold_report open() override {
        const proxy::hold_report r = gate_->open();
        return {.statements_held = r.statements_held,
                .hold_p50 = r.hold_p50,
                .hold_p99 = r.hold_p99,
                .hold_max = r.hold_max,
                .expired = r.expired};
    }

private:
    std::unique_ptr<proxy::table_gate> gate_;
};

}  // namespace

std::unique_ptr<migration::table_gate> gate_adapter::watch(const migration::gated_table& table) {
    if (auto gate = gates_.watch({.schema = table.schema, .table = table.table})) {
        return std::make_unique<adapted_gate>(std::move(gate));
    }
    spdlog::warn("the proxy cannot watch {}.{}: its cut-over will hold no statements", table.schema, table.table);
    return migration::open_traffic_gate()->watch(table);
}

}  // namespace sluice
