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

constexpr milliseconds look_interval{50};  // at what a member is told meanwhile

bool is_set(const std::atomic<bool>* flag) { return flag != nullptr && *flag; }

}  // namespace

cutover_group::cutover_group(std::string name, std::size_t size, group_waits waits)
    : name_(std::move(name)), size_(size), waits_(waits) {}

void cutover_group::join(const std::string& id, const table_name& table) {
    const std::lock_guard lock(mutex_);
    // It begins anew, with another server.
    if (members_.contains(id) && is_of_this_round(id)) end_round_untried(name_of(id) + " begins anew");
    members_[id].table = table;
    // The place is taken again.
    if (members_.size() == size_) lost_.clear();
}

void cutover_group::leave(const std::string& id, const std::string& why) {
    const std::lock_guard lock(mutex_);
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    if (!why.empty()) lost_ = name_of(id) + " " + why;
    // It is not in attempt(), so nobody conducts.
    if (is_of_this_round(id)) end_round_untried(name_of(id) + " " + (why.empty() ? "has left the group" : why));
    members_.erase(found);
    changed_.notify_all();
}

std::string cutover_group::name_of(const std::string& id) const {
    return "migration " + id + " of " + quote_table(members_.at(id).table);
}

bool cutover_group::is_of_this_round(const std::string& id) const {
    return assembled_ && members_.at(id).round == rounds_;
}

bool cutover_group::all_ready(steady_clock::time_point now) const {
    return members_.size() == size_ && std::all_of(members_.begin(), members_.end(),
                                                   [now](const auto& one) { return one.second.ready_until > now; });
}

outcome<void> cutover_group::check_unrelated() const {
    for (const auto& [id, one] : members_) {
        for (const auto& [other_id, other] : members_) {
            if (std::find(one.related.begin(), one.related.end(), other.table) == one.related.end()) continue;
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
    if (part.plan != nullptr) {
        own.names = swap_names_of(*part.plan);
        own.related = part.plan->relations.related_tables;
    }
    own.ready_until = steady_clock::now() + waits_.readiness_lasts;
    SLUICE_TRY_VOID(check_unrelated());
    if (!all_ready(steady_clock::now())) return false;
    own.come = true;
    if (std::all_of(members_.begin(), members_.end(), [](const auto& one) { return one.second.come; })) {
        assembled_ = true;
        assembled_at_ = steady_clock::now();
        for (auto& [other, one] : members_) one.round = rounds_;
        changed_.notify_all();
    } else {
        changed_.wait_for(lock, waits_.coming_max, [&] { return is_of_this_round(id); });
    }
    if (is_of_this_round(id)) return true;
    own.come = false;
    return false;
}

// Nobody touches the members now but this thread: the others wait for the end of the round.
cutover_outcome cutover_group::conduct(std::unique_lock<std::mutex>& lock, sql_executor& executor) {
    std::vector<cutover_member> parts;
    std::vector<table_gate*> gates;
    std::uint32_t number = 0;
    for (const auto& [id, one] : members_) {
        parts.push_back({*one.part.plan, *one.part.ledger, one.part.stop_requested, one.part.told_otherwise});
        gates.push_back(one.part.gate);
        number = std::max(number, one.number);
    }
    conducting_ = true;
    lock.unlock();
    const auto gate = join_gates(std::move(gates));
    cutover_outcome made;
    try {
        made = cutover(std::move(parts), executor, *gate).attempt(number);
    } catch (const std::exception& error) {
        made.end = cutover_end::unknown;
        made.why = refuse("internal_error", std::string("the engine stopped itself: ") + error.what());
    }
    lock.lock();
    conducting_ = false;
    return made;
}

cutover_outcome cutover_group::untried(std::string why) const {
    cutover_outcome made;
    made.tried = false;
    made.report.group = name_;
    made.report.given_up_because = std::move(why);
    return made;
}

void cutover_group::end_round(cutover_outcome made) {
    last_ = std::move(made);
    last_fault_.reset();
    if (last_.end == cutover_end::failed && last_.who) {
        auto culprit = members_.begin();
        std::advance(culprit, static_cast<std::ptrdiff_t>(std::min(*last_.who, members_.size() - 1)));
        last_fault_ = {culprit->first, name_of(culprit->first) + " failed: " + last_.why->message};
    }
    for (auto& [id, one] : members_) {
        one.come = one.present = false;
        one.ready_until = {};
    }
    assembled_ = false;
    ++rounds_;
    changed_.notify_all();
}

void cutover_group::end_round_untried(std::string why) { end_round(untried(std::move(why))); }

cutover_outcome cutover_group::outcome_for(const std::string& id) const {
    cutover_outcome own = last_;
    own.report.group = name_;
    own.report.number = members_.at(id).number;
    if (!last_fault_ || last_fault_->id == id) return own;
    own.end = cutover_end::given_up;
    own.report.given_up_because = last_fault_->text;
    own.why.reset();
    return own;
}

bool cutover_group::all_present() const {
    return members_.size() == size_ &&
           std::all_of(members_.begin(), members_.end(), [](const auto& one) { return one.second.present; });
}

std::string cutover_group::missing() const {
    std::string names;
    for (const auto& [id, one] : members_) {
        if (!one.present) names += (names.empty() ? "" : ", ") + name_of(id);
    }
    return names;
}

cutover_outcome cutover_group::attempt(const std::string& id, std::uint32_t number, sql_executor& executor) {
    std::unique_lock lock(mutex_);
    member& own = members_.at(id);
    own.number = number;
    // The round has ended before this member came: there is no other one until it is ready again.
    if (!is_of_this_round(id)) return outcome_for(id);
    own.present = true;
    const auto round = rounds_;
    while (rounds_ == round) {
        if (conducting_) {
            changed_.wait(lock, [&] { return rounds_ != round; });  // whoever conducts comes to an end
        } else if (all_present()) {
            end_round(conduct(lock, executor));
        } else if ((own.part.told_otherwise && own.part.told_otherwise()) || is_set(own.part.stop_requested)) {
            end_round_untried(name_of(id) + " was told otherwise");
        } else if (steady_clock::now() >= assembled_at_ + waits_.presence_max) {
            end_round_untried(missing() + " did not come to the attempt of group " + name_);
        } else {
            changed_.wait_for(lock, look_interval);
        }
    }
    return outcome_for(id);
}

cutover_outcome cutover_group::call_off(const std::string& id, std::uint32_t number, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (is_of_this_round(id)) end_round_untried(name_of(id) + ": " + why);
    cutover_outcome own = untried(why);
    own.report.number = number;
    return own;
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
        if (one.names) all.push_back(*one.names);
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

cutover_outcome group_seat::call_off(std::uint32_t number, const std::string& why) {
    if (group_) return group_->call_off(id_, number, why);
    cutover_outcome own;
    own.tried = false;
    own.report.number = number;
    own.report.given_up_because = why;
    return own;
}

cutover_outcome group_seat::attempt(const group_part& part, std::uint32_t number, sql_executor& executor) {
    if (group_) return group_->attempt(id_, number, executor);
    return cutover({{*part.plan, *part.ledger, part.stop_requested, part.told_otherwise}}, executor, *part.gate)
        .attempt(number);
}

}  // namespace sluice::migration
