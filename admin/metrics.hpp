#pragma once

// The answer of GET /metrics in the Prometheus text format. Pure function of what it is given.

#include "admin/proxy_view.hpp"
#include "migration/engine/migration_snapshot.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::admin {

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// Migrations by state over all of `migrations`; the numbers of a single migration only while it runs, so that the
/// number of time series stays small.
[[nodiscard]] std::string metrics_text(const std::vector<migration::snapshot_ptr>& migrations,
                                       const proxy_status& proxy, std::string_view version);

}  // namespace sluice::admin
