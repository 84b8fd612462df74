#include "migration/ports/traffic_gate.hpp"

namespace sluice::migration {
namespace {

class ungated_table final : public table_gate {
public:
    std::vector<gate_blocker> blockers() override { return {}; }
    std::vector<gate_blocker> old_snapshots() override { return {}; }
    void close(std::chrono::steady_clock::time_point) override {}
    bool wait_drained(std::chrono::steady_clock::time_point) override { return true; }
    bool seal(std::chrono::steady_clock::time_point) override { return true; }
    bool announce_swap(std::chrono::steady_clock::time_point) override { return true; }
    hold_report open(gate_opening) override { return {}; }
};

class ungated_traffic final : public traffic_gate {
public:
    std::unique_ptr<table_gate> watch(const gated_table&, const watch_rules&) override {
        return std::make_unique<ungated_table>();
    }
};

}  // namespace

std::optional<hold_scope> parse_hold_scope(std::string_view text) noexcept {
    if (text.empty() || text == "table") return hold_scope::table;
    if (text == "all") return hold_scope::all;
    if (text == "none") return hold_scope::none;
    return std::nullopt;
}

std::unique_ptr<traffic_gate> open_traffic_gate() { return std::make_unique<ungated_traffic>(); }

}  // namespace sluice::migration
