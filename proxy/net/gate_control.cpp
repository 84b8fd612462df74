#include "proxy/net/gate_control.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "proxy/net/gate_hub.hpp"

namespace sluice::proxy {

namespace {

using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(1);  // for an I/O thread's turn
constexpr std::size_t blockers_max = 1000;

time_point soon() { return steady_clock::now() + patience; }

std::chrono::microseconds percentile(const std::vector<std::uint32_t>& sorted, double fraction) {
    if (sorted.empty()) return {};
    const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(sorted.size() - 1) + 0.5);
    return std::chrono::microseconds(sorted[rank]);
}

hold_report merge(const std::vector<session::shard_hold_report>& parts) {
    hold_report report;
    std::vector<std::uint32_t> samples;
    for (const auto& part : parts) {
        report.statements_held += part.held;
        report.expired = report.expired || part.expired;
        report.hold_max = std::max(report.hold_max, std::chrono::microseconds(part.max_us));
        samples.insert(samples.end(), part.samples_us.begin(), part.samples_us.end());
    }
    std::sort(samples.begin(), samples.end());
    report.hold_p50 = percentile(samples, 0.50);
    report.hold_p99 = percentile(samples, 0.99);
    return report;
}

}  // namespace

gate_control::gate_control(std::shared_ptr<gate_hub> hub) : hub_(std::move(hub)) {}

std::unique_ptr<table_gate> gate_control::watch(const gated_table& table) {
    const auto slot = hub_->take_slot();
    if (!slot) return nullptr;
    const sql::table_name name{table.schema, table.table};
    (void)hub_->ask_all<bool>(
        [slot = *slot, name](gate_shard& shard) {
            shard.watch(slot, name);
            return true;
        },
        soon());
    return std::make_unique<table_gate>(hub_, *slot);
}

table_gate::table_gate(std::shared_ptr<gate_hub> hub, unsigned slot) : hub_(std::move(hub)), slot_(slot) {}

table_gate::~table_gate() {
    const auto forgotten = hub_->ask_all<bool>(
        [slot = slot_](gate_shard& shard) {
            shard.unwatch(slot, steady_clock::now());
            return true;
        },
        soon());
    // A thread that is late would forget a table that is newly watched in this slot: then the slot is used no more.
    if (forgotten.size() == hub_->shard_count()) hub_->give_back_slot(slot_);
}

std::vector<gate_blocker> table_gate::blockers() {
    auto views = hub_->ask_all<std::vector<session::seat_view>>(
        [slot = slot_](gate_shard& shard) { return shard.blockers(slot, blockers_max); }, soon());
    std::vector<session::seat_view> all;
    for (auto& part : views) std::move(part.begin(), part.end(), std::back_inserter(all));
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    if (all.size() > blockers_max) all.resize(blockers_max);

    const auto now = steady_clock::now();
    std::vector<gate_blocker> blockers;
    blockers.reserve(all.size());
    for (auto& view : all) {
        const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - view.since);
        blockers.push_back(
            {view.connection_id, std::move(view.client), std::move(view.statement), age, view.in_transaction});
    }
    return blockers;
}

void table_gate::close(steady_clock::time_point deadline) {
    (void)hub_->ask_all<bool>(
        [slot = slot_, deadline](gate_shard& shard) {
            shard.close(slot, deadline);
            return true;
        },
        soon());
}

bool table_gate::wait_drained(steady_clock::time_point until) {
    for (;;) {
        const auto seen = hub_->changes();
        const auto counts =
            hub_->ask_all<std::size_t>([slot = slot_](gate_shard& shard) { return shard.in_use_count(slot); }, until);
        const bool all_answered = counts.size() == hub_->shard_count();
        if (hub_->stopped()) return true;
        if (all_answered && std::accumulate(counts.begin(), counts.end(), std::size_t{0}) == 0) return true;
        if (!hub_->wait_change(seen, until) && !hub_->stopped()) return false;
    }
}

hold_report table_gate::open() {
    const auto limit = soon();
    (void)hub_->ask_all<bool>(
        [slot = slot_](gate_shard& shard) {
            shard.open(slot, steady_clock::now());
            return true;
        },
        limit);
    for (;;) {
        const auto seen = hub_->changes();
        const auto waiting = hub_->ask_all<char>(
            [slot = slot_](gate_shard& shard) { return static_cast<char>(shard.has_ready(slot)); }, limit);
        if (std::find(waiting.begin(), waiting.end(), 1) == waiting.end()) break;
        if (!hub_->wait_change(seen, limit)) break;
    }
    return merge(hub_->ask_all<session::shard_hold_report>(
        [slot = slot_](gate_shard& shard) { return shard.report(slot); }, limit));
}

}  // namespace sluice::proxy
