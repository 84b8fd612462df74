#pragma once

// From what was last heard of the server, its replicas and so on, and from the time: whether to hold back. Values in, a
// verdict out; no threads, no clock. The order in which reasons are looked for is gh-ost's, and so are their words.

#include "migration/model/failure.hpp"
#include "migration/throttle/client_latency.hpp"
#include "migration/throttle/throttle_settings.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sluice::migration {

using throttle_time = std::chrono::steady_clock::time_point;

/// What the last look brought: a value, or why there is none.
template <class T>
struct throttle_sample {
    throttle_time at{};
    std::optional<T> value;
    std::string error;
};

/// Only what the settings ask for needs to be there.
struct throttle_signals {
    throttle_time watching_since{};
    std::optional<throttle_sample<std::map<std::string, std::int64_t>>>
        status;  ///< variables, by their lower-case name
    std::optional<throttle_sample<double>> query;
    std::optional<throttle_sample<unsigned>> http;                                   ///< status of the answer
    std::map<std::string, throttle_sample<std::chrono::milliseconds>> replica_lags;  ///< by host:port
    std::optional<throttle_sample<std::chrono::milliseconds>> heartbeat;  ///< written: how long the server took
    std::optional<throttle_sample<client_latency_figures>> clients;
    bool flag_file_exists = false;
};

struct throttle_verdict {
    std::string reason;          ///< to hold back; empty: none
    std::optional<failure> end;  ///< the migration must end: "critical_load"
    bool resting = false;        ///< nobody is to be asked anything
};

/// A signal that has not been heard for so long throttles.
inline constexpr std::chrono::seconds signal_patience{5};

/// Used by one thread at a time.
class throttle_judge {
public:
    /// When `resting` ends, the signals must begin anew.
    [[nodiscard]] throttle_verdict judge(const throttle_settings& settings, const throttle_signals& signals,
                                         throttle_time now);

private:
    struct met {
        std::string variable;
        std::int64_t value;
        std::int64_t limit;
    };
    [[nodiscard]] static std::optional<met> first_met(const load_thresholds& thresholds,
                                                      const throttle_signals& signals);
    [[nodiscard]] std::optional<throttle_verdict> judge_critical(const throttle_settings& settings,
                                                                 const throttle_signals& signals, throttle_time now);

    std::optional<throttle_time> rests_until_;
    std::string rests_until_text_;
    std::optional<throttle_time> critical_since_;  ///< met once, waiting for the second time
};

/// "Not found (http=404)", "http=302"; of freno's answers where the URL names it.
[[nodiscard]] std::string http_status_text(const std::string& url, unsigned status);

}  // namespace sluice::migration
