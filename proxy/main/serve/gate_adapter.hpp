#pragma once

// The engine's port traffic_gate on the proxy's gate_control: the place where the two rooms, which do not know each
// other, meet.

#include "migration/ports/traffic_gate.hpp"
#include "proxy/net/gate_control.hpp"

#include <memory>

namespace sluice {

/// Thread-safe. `gates` must outlive it, not the gates that it gives.
class gate_adapter final : public migration::traffic_gate {
public:
    explicit gate_adapter(proxy::gate_control& gates) : gates_(gates) {}

    /// When the proxy cannot watch one more table, a gate that holds nothing: the cut-over then is less graceful, and
    /// just as correct.
    std::unique_ptr<migration::table_gate> watch(const migration::gated_table& table,
                                                 const migration::watch_rules& rules) override;

private:
    proxy::gate_control& gates_;
};

}  // namespace sluice
