#pragma once

// A run's figures for StatsD, under gh-ost's names: gh_ost.row_copy.rows_copied and so on, with tags in Datadog's form.
// Source: gh-ost's go/metrics; what is about the Go runtime or the phases of its own cut-over has no counterpart.

#include "protocol/result.hpp"
#include "proxy/main/ghost/run_view.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ghost {

/// What is to be sent, one line per figure. Pure.
class run_metrics {
public:
    using time = std::chrono::steady_clock::time_point;

    /// tags: "key:value", put behind each line.
    explicit run_metrics(const std::vector<std::string>& tags);

    [[nodiscard]] std::vector<std::string> startup() const;
    /// Of one look at the run, in the order of the looks.
    [[nodiscard]] std::vector<std::string> lines(const run_view& view, time now);

private:
    [[nodiscard]] std::string line(std::string_view name, double value, std::string_view type,
                                   const std::string& tag = {}) const;
    void add_throttle(std::vector<std::string>& all, const run_view& view, time now);
    void add_cutover(std::vector<std::string>& all, const run_view& view);

    std::string tags_;
    std::optional<time> throttled_since_;
    std::string throttled_by_;
    std::uint64_t retries_told_ = 0;
    bool end_told_ = false;
};

/// "max-load", "flag-file", "replica-lag", …: the kind of a reason to throttle, without its figures, fit for a tag.
[[nodiscard]] std::string throttle_kind(std::string_view reason);

/// Sends datagrams and waits for nobody: what the other side does not take is lost, as StatsD has it.
class statsd_sender {
public:
    /// address: host:port, [::1]:port, or unix:///path. The error names it.
    [[nodiscard]] static result<std::unique_ptr<statsd_sender>, std::string> connect(const std::string& address);
    ~statsd_sender();
    statsd_sender(const statsd_sender&) = delete;
    statsd_sender& operator=(const statsd_sender&) = delete;

    /// As many lines in one datagram as fit into an Ethernet frame.
    void send(const std::vector<std::string>& lines) const;

private:
    explicit statsd_sender(int socket) : socket_(socket) {}
    const int socket_;
};

}  // namespace sluice::ghost
