#include "migration/cutover/cutover_group.hpp"

#include "migration/relations/joined_gate.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Members look for a good moment many times a second, each for itself.
constexpr milliseconds readiness_lasts{1'500};
constexpr milliseconds coming_max{1'000};
constexpr milliseconds presence_max{10'000};

}  // namespace

cutover_group::cutover_group(std::string name, std::size_t size) : name_(std::move(name)), size_(size) {}

void cutover_group::join(const std::string& id, const table_name& table) {
    const std::lock_guard lock(mutex_);
    members_[id].table = table;
    // The place is taken again.
    if (members_.size() == size_) lost_.clear();
}

void cutover_group::leave(const std::string& id, const std::string& why) {
    const std::lock_guard lock(mutex_);
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    if (!why.empty()) lost_ = "migration " + id + " of " + quote_table(found->second.table) + " " + why;
    members_.erase(found);
    changed_.notify_all();
}

bool cutover_group::all_ready(steady_clock::time_point now) const {
    return members_.size() == size_ && std::all_of(members_.begin(), members_.end(),
                                                   [now](const auto& one) { return one.second.ready_until > now; });
}

outcome<void> cutover_group::check_unrelated() const {
    for (const auto& [id, one] : members_) {
        if (one.part.plan == nullptr) continue;
        const auto& related = one.part.plan->relations.related_tables;
        for (const auto& [other_id, other] : members_) {
            if (std::find(related.begin(), related.end(), other.table) == related.end()) continue;
            return refuse("group_members_related", quote_table(one.table) + " and " + quote_table(other.table) +
                                                       " of group " + name_ +
                                                       " are joined by a foreign key: migrate them one after another");
        }
    }
    return {};
}

outcome<bool> cutover_group::ready(const std::string& id, const group_part& part) {
    std::unique_lock lock(mutex_);
    member& own = members_[id];
    own.part = part;
    own.ready_until = steady_clock::now() + readiness_lasts;
    SLUICE_TRY_VOID(check_unrelated());
    if (!all_ready(steady_clock::now())) return false;
    own.come = true;
    if (std::all_of(members_.begin(), members_.end(), [](const auto& one) { return one.second.come; })) {
        assembled_ = true;
        changed_.notify_all();
    } else {
        changed_.wait_for(lock, coming_max, [this] { return assembled_; });
    }
    if (assembled_) return true;
    own.come = false;
    return false;
}

cutover_outcome cutover_group::conduct(std::uint32_t number, sql_executor& executor) {
    std::vector<cutover_member> parts;
    std::vector<table_gate*> gates;
    for (const auto& [id, one] : members_) {
        parts.push_back({*one.part.plan, *one.part.ledger, one.part.stop_requested});
        gates.push_back(one.part.gate);
    }
    const auto gate = join_gates(std::move(gates));
    cutover_outcome made;
    try {
        made = cutover(std::move(parts), executor, *gate).attempt(number);
    } catch (const std::exception& error) {
        made.end = cutover_end::unknown;
        made.why = refuse("internal_error", std::string("the engine stopped itself: ") + error.what());
    }
    return made;
}

cutover_outcome cutover_group::outcome_for(const std::string& id) const {
    cutover_outcome own = last_;
    own.report.group = name_;
    if (own.end != cutover_end::failed || !own.who) return own;
    auto culprit = members_.begin();
    std::advance(culprit, static_cast<std::ptrdiff_t>(std::min(*own.who, members_.size() - 1)));
    if (culprit->first == id) return own;
    own.end = cutover_end::given_up;
    own.report.given_up_because =
        "migration " + culprit->first + " of " + quote_table(culprit->second.table) + " failed: " + own.why->message;
    own.why.reset();
    return own;
}

cutover_outcome cutover_group::attempt(const std::string& id, std::uint32_t number, sql_executor& executor) {
    std::unique_lock lock(mutex_);
    const auto round = rounds_;
    const auto all_present = [this] {
        return members_.size() == size_ &&
               std::all_of(members_.begin(), members_.end(), [](const auto& one) { return one.second.present; });
    };
    members_[id].present = true;
    changed_.notify_all();
    // Whoever conducts always comes to an end, and says so; if it has left before, the next one conducts.
    changed_.wait(lock, [&] { return rounds_ != round || members_.begin()->first == id; });
    if (rounds_ != round) return outcome_for(id);
    const bool complete = changed_.wait_for(lock, presence_max, all_present);
    if (complete) {
        // Nobody touches the members now but this thread: the others wait for the end of the round.
        lock.unlock();
        cutover_outcome made = conduct(number, executor);
        lock.lock();
        last_ = std::move(made);
    } else {
        last_ = {};
        last_.report.number = number;
        last_.report.given_up_because = "a member of group " + name_ + " did not come";
    }
    for (auto& [other, one] : members_) {
        one.come = one.present = false;
        one.ready_until = {};
    }
    assembled_ = false;
    ++rounds_;
    changed_.notify_all();
    return outcome_for(id);
}

std::string cutover_group::waiting_for(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    std::string missing;
    for (const auto& [other, one] : members_) {
        if (other == id || one.ready_until > now) continue;
        missing += (missing.empty() ? "" : ", ") + quote_table(one.table);
    }
    std::string text = "group " + name_;
    if (!missing.empty()) text += ": " + missing + " not ready";
    if (members_.size() < size_) {
        text += ": " + std::to_string(members_.size()) + " of its " + std::to_string(size_) + " migrations are there";
    }
    if (!lost_.empty()) text += "; " + lost_ + ": start it again with this group, or abort this one";
    return text;
}

std::vector<swap_names> cutover_group::tables() const {
    const std::lock_guard lock(mutex_);
    std::vector<swap_names> all;
    for (const auto& [id, one] : members_) {
        if (one.part.plan != nullptr) all.push_back(swap_names_of(*one.part.plan));
    }
    return all;
}

std::shared_ptr<cutover_group> cutover_groups::find(const std::string& name, std::size_t size) {
    const std::lock_guard lock(mutex_);
    auto group = groups_[name].lock();
    if (!group) {
        group = std::make_shared<cutover_group>(name, size);
        groups_[name] = group;
    }
    return group;
}

group_seat::~group_seat() { leave({}); }

void group_seat::join(std::shared_ptr<cutover_group> group, std::string id, const table_name& table) {
    group_ = std::move(group);
    id_ = std::move(id);
    group_->join(id_, table);
}

void group_seat::leave(const std::string& why) {
    if (!group_) return;
    group_->leave(id_, why);
    group_.reset();
}

outcome<bool> group_seat::ready(const group_part& part) {
    if (!group_) return true;
    return group_->ready(id_, part);
}

cutover_outcome group_seat::attempt(const group_part& part, std::uint32_t number, sql_executor& executor) {
    if (group_) return group_->attempt(id_, number, executor);
    return cutover({{*part.plan, *part.ledger, part.stop_requested}}, executor, *part.gate).attempt(number);
}

}  // namespace sluice::migration
