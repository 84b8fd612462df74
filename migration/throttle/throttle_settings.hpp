#pragma once

// When a migration is to hold back. Every part may change while it runs.

#include "migration/model/migration_spec.hpp"
#include "migration/throttle/load_thresholds.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct replica_address {
    std::string host;
    std::uint16_t port = 3306;

    [[nodiscard]] std::string text() const { return host + ":" + std::to_string(port); }
    bool operator==(const replica_address&) const = default;
};

struct throttle_settings {
    load_thresholds max_load;
    load_thresholds critical_load;
    std::chrono::milliseconds critical_load_interval{0};  ///< 0: the first time counts; else it must be met twice
    std::chrono::milliseconds critical_load_rest{0};      ///< 0: the migration ends; else it rests for so long
    std::vector<replica_address> control_replicas;
    std::chrono::milliseconds max_lag{1'500};
    std::string query;     ///< a number above 0 throttles; empty: none
    std::string http_url;  ///< http://…; any answer but 200 throttles; empty: none
    std::chrono::milliseconds http_interval{100};
    std::chrono::milliseconds http_timeout{1'000};
    bool ignore_http_errors = false;  ///< no answer at all does not throttle
    std::string flag_file;            ///< while it exists; empty: none
    std::string additional_flag_file;
    double nice_ratio = 0.0;                          ///< rest after a chunk, as a share of the time that it took
    std::chrono::milliseconds heartbeat_interval{0};  ///< 0: heartbeats only where replicas are watched, each 100 ms
    std::uint32_t client_latency_rise_percent = 0;    ///< over the baseline; from there on it throttles; 0: off
    std::chrono::milliseconds client_latency_floor{5};
    std::chrono::milliseconds client_latency_window{5'000};
    bool commanded = false;  ///< by the operator
};

/// "r1,r2:3307": without a port, 3306; IPv6 addresses in brackets. The error says which is none.
[[nodiscard]] result<std::vector<replica_address>, std::string> parse_replicas(std::string_view text);
[[nodiscard]] std::string to_string(const std::vector<replica_address>& replicas);

/// The options must be valid (option_fields).
[[nodiscard]] throttle_settings throttle_settings_of(const migration_options& options);

}  // namespace sluice::migration
