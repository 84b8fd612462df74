#include "proxy/main/serve/latency_adapter.hpp"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

using session::latency_meter;

class timed_statements final : public migration::latency_watch {
public:
    explicit timed_statements(proxy::statement_timing& timing) : timing_(timing) { timing_.begin(); }
    timed_statements(const timed_statements&) = delete;
    timed_statements& operator=(const timed_statements&) = delete;
    ~timed_statements() override { timing_.end(); }

    migration::outcome<migration::latency_report> read() override {
        const auto times = timing_.read();
        if (!times) return migration::refuse("proxy_silent", "the proxy does not answer");
        return to_report(*times);
    }

private:
    proxy::statement_timing& timing_;
};

class proxy_latencies final : public migration::client_latencies {
public:
    explicit proxy_latencies(proxy::statement_timing& timing) : timing_(timing) {}
    std::unique_ptr<migration::latency_watch> watch() override { return std::make_unique<timed_statements>(timing_); }

private:
    proxy::statement_timing& timing_;
};

}  // namespace

migration::latency_report to_report(const proxy::statement_times& times) {
    migration::latency_report report;
    report.answered.reserve(times.answered.size());
    for (std::size_t i = 0; i < times.answered.size(); ++i) {
        report.answered.push_back({latency_meter::longest_of(i), times.answered[i]});
    }
    for (const auto age : times.under_way) report.under_way.push_back({age, 1});
    std::sort(report.under_way.begin(), report.under_way.end(),
              [](const auto& a, const auto& b) { return a.up_to < b.up_to; });
    return report;
}

std::shared_ptr<migration::client_latencies> client_latencies_of(proxy::statement_timing& timing) {
    return std::make_shared<proxy_latencies>(timing);
}

}  // namespace sluice
