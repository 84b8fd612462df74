#include "proxy/net/gate_control.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "proxy/net/gate_hub.hpp"

namespace sluice::proxy {

namespace {

using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(1);  // for an I/O thread's turn
constexpr std::size_t blockers_max = 1000;
// A transaction that is older is not about to end.
constexpr auto young = std::chrono::seconds(1);

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
        report.overflowed += part.overflowed;
        report.old_snapshots += part.old_snapshots;
        report.hold_max = std::max(report.hold_max, std::chrono::microseconds(part.max_us));
        samples.insert(samples.end(), part.samples_us.begin(), part.samples_us.end());
    }
    std::sort(samples.begin(), samples.end());
    report.hold_p50 = percentile(samples, 0.50);
    report.hold_p99 = percentile(samples, 0.99);
    return report;
}

std::vector<session::seat_view> merge(std::vector<std::vector<session::seat_view>> parts) {
    std::vector<session::seat_view> all;
    for (auto& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all));
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    if (all.size() > blockers_max) all.resize(blockers_max);
    return all;
}

std::vector<gate_blocker> to_blockers(std::vector<session::seat_view> all) {
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

}  // namespace

gate_control::gate_control(std::shared_ptr<gate_hub> hub) : hub_(std::move(hub)) {}

std::unique_ptr<table_gate> gate_control::watch(const gated_table& table, watch_rules rules) {
    for (const unsigned retired : hub_->take_retired()) {
        const auto watched = hub_->ask_all<char>(
            [retired](gate_shard& shard) { return static_cast<char>(shard.is_watched(retired)); }, soon());
        const bool all_answered = watched.size() == hub_->shard_count();
        if (all_answered && std::find(watched.begin(), watched.end(), 1) == watched.end()) {
            hub_->give_back_slot(retired);
        } else {
            hub_->retire_slot(retired);
        }
    }
    const auto slot = hub_->take_slot();
    if (!slot) return nullptr;
    const sql::table_name name{table.schema, table.table};
    const session::watch_kind kind{rules.holds_all, rules.changes_places};
    (void)hub_->ask_all<bool>(
        [slot = *slot, name, kind](gate_shard& shard) {
            shard.watch(slot, name, kind);
            return true;
        },
        soon());
    return std::make_unique<table_gate>(hub_, *slot, std::move(rules));
}

table_gate::table_gate(std::shared_ptr<gate_hub> hub, unsigned slot, watch_rules rules)
    : hub_(std::move(hub)), slot_(slot), rules_(std::move(rules)) {}

table_gate::~table_gate() {
    const auto watched = hub_->ask_all<char>(
        [slot = slot_](gate_shard& shard) {
            shard.unwatch(slot);
            return static_cast<char>(shard.is_watched(slot));
        },
        soon());
    // A thread that is late would forget a table that is newly watched in this slot: then the slot is used no more.
    if (watched.size() != hub_->shard_count()) return;
    if (std::find(watched.begin(), watched.end(), 1) == watched.end()) {
        hub_->give_back_slot(slot_);
    } else {
        hub_->retire_slot(slot_);
    }
}

std::vector<gate_blocker> table_gate::blockers() {
    return to_blockers(merge(hub_->ask_all<std::vector<session::seat_view>>(
        [slot = slot_](gate_shard& shard) { return shard.blockers(slot, blockers_max); }, soon())));
}

std::vector<session::seat_view> table_gate::snapshot_seats() {
    return merge(hub_->ask_all<std::vector<session::seat_view>>(
        [slot = slot_](gate_shard& shard) { return shard.old_snapshots(slot, blockers_max); }, soon()));
}

std::vector<gate_blocker> table_gate::old_snapshots() {
    auto seats = snapshot_seats();
    // The server need not be asked about those that will be gone at once, nor all the time.
    const auto now = steady_clock::now();
    if (!seats.empty() && now - seats.front().since >= young && now - asked_at_ >= young) {
        ask_who_reads_anew(seats);
        seats = snapshot_seats();
    }
    return to_blockers(std::move(seats));
}

void table_gate::close(steady_clock::time_point deadline) {
    sealed_ = false;
    patience_ = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()) / 10;
    (void)hub_->ask_all<bool>(
        [slot = slot_, deadline](gate_shard& shard) {
            shard.close(slot, deadline);
            return true;
        },
        soon());
}

bool table_gate::wait_drained(steady_clock::time_point until) {
    if (sealed_) unseal();
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

bool table_gate::seal(steady_clock::time_point until) {
    if (!rules_.changes_places) return true;
    enum class answer : char { sealed, in_use, open };
    const auto answers = hub_->ask_all<answer>(
        [slot = slot_](gate_shard& shard) {
            if (!shard.seal(slot)) return answer::open;
            return shard.in_use_count(slot) == 0 ? answer::sealed : answer::in_use;
        },
        until);
    if (hub_->stopped()) return true;
    sealed_ = true;
    const bool all = answers.size() == hub_->shard_count() &&
                     std::all_of(answers.begin(), answers.end(), [](answer a) { return a == answer::sealed; });
    if (!all) {
        unseal();
        return false;
    }
    wait_for_young(until);
    if (const auto seats = snapshot_seats(); !seats.empty()) ask_who_reads_anew(seats);
    return true;
}

bool table_gate::announce_swap(steady_clock::time_point until) {
    if (!rules_.changes_places) return true;
    const auto answers = hub_->ask_all<char>(
        [slot = slot_](gate_shard& shard) { return static_cast<char>(shard.announce(slot)); }, until);
    if (hub_->stopped()) return true;
    return answers.size() == hub_->shard_count() && std::find(answers.begin(), answers.end(), 0) == answers.end();
}

void table_gate::unseal() {
    sealed_ = false;
    (void)hub_->ask_all<bool>(
        [slot = slot_](gate_shard& shard) {
            shard.unseal(slot);
            return true;
        },
        soon());
}

void table_gate::wait_for_young(steady_clock::time_point until) {
    const auto limit = std::min(until, steady_clock::now() + patience_);
    for (;;) {
        const auto seen = hub_->changes();
        const auto seats = snapshot_seats();
        const auto now = steady_clock::now();
        const bool any = std::any_of(seats.begin(), seats.end(), [&](const auto& s) { return now - s.since < young; });
        if (!any || !hub_->wait_change(seen, limit)) return;
    }
}

void table_gate::ask_who_reads_anew(const std::vector<session::seat_view>& seats) {
    if (!rules_.ask_transactions) return;
    asked_at_ = steady_clock::now();
    std::unordered_set<std::uint64_t> told;
    for (const auto& open : rules_.ask_transactions()) {
        if (open.reads_anew) told.insert(open.connection_id);
    }
    std::vector<session::begun_transaction> anew;
    for (const auto& seat : seats) {
        if (told.contains(seat.connection_id)) anew.push_back({seat.connection_id, seat.since});
    }
    if (anew.empty()) return;
    (void)hub_->ask_all<bool>(
        [anew](gate_shard& shard) {
            shard.note_reads_anew(anew);
            return true;
        },
        soon());
}

hold_report table_gate::open(gate_end end) {
    sealed_ = false;
    const auto limit = soon();
    (void)hub_->ask_all<bool>(
        [slot = slot_, end](gate_shard& shard) {
            shard.open(slot, end);
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
