#pragma once

// Where migrations that are to change places together meet. Each of them copies, applies and verifies by itself. When
// all are ready at the same time, one conducts the attempt for all, and the others stand still meanwhile: their ledgers
// and gates are its to use.
//
// A member that fails or is aborted does not take the others with it: they wait, and say for whom. Another migration of
// that table may take its place, or the operator aborts them too. A restart loses nothing either: one statement renames
// all tables, so each finds by itself whether it was swapped, and joins again if it was not.

#include "migration/cutover/cutover.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// What a member lends the one that conducts. Pointers are valid from ready() to the end of attempt().
struct group_part {
    const migration_plan* plan = nullptr;
    work_ledger* ledger = nullptr;
    table_gate* gate = nullptr;
    const std::atomic<bool>* stop_requested = nullptr;
};

/// One group. Thread-safe; each member is a thread of its own, the coordinator of its migration.
class cutover_group {
public:
    cutover_group(std::string name, std::size_t size);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void join(const std::string& id, const table_name& table);
    /// why: shown to those that stay; empty when the member has come to its end with the group.
    void leave(const std::string& id, const std::string& why);

    /// This member could change places now. True once all can and have come here: attempt() must follow at once. False
    /// when others are not ready, which waiting_for() names. Blocks for at most a second. "group_members_related" when
    /// tables of the group refer to each other by foreign keys.
    outcome<bool> ready(const std::string& id, const group_part& part);
    /// All members call it; the same comes of it for all of them. A failure that one alone has caused is "failed" for
    /// that one, and "given up" for the others.
    cutover_outcome attempt(const std::string& id, std::uint32_t number, sql_executor& executor);
    [[nodiscard]] std::string waiting_for(const std::string& id) const;
    /// Of all members; to be asked between ready() and attempt().
    [[nodiscard]] std::vector<swap_names> tables() const;

private:
    struct member {
        table_name table;
        group_part part;
        std::chrono::steady_clock::time_point ready_until{};
        bool come = false;     ///< waits in ready() for the others
        bool present = false;  ///< in attempt()
    };

    [[nodiscard]] outcome<void> check_unrelated() const;
    cutover_outcome conduct(std::uint32_t number, sql_executor& executor);
    [[nodiscard]] bool all_ready(std::chrono::steady_clock::time_point now) const;
    [[nodiscard]] cutover_outcome outcome_for(const std::string& id) const;

    const std::string name_;
    const std::size_t size_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, member> members_;  ///< by id; the first one conducts
    std::string lost_;                       ///< who left before the end, and why
    bool assembled_ = false;
    std::uint64_t rounds_ = 0;  ///< attempts that have ended
    cutover_outcome last_;
};

/// All groups of one service. Thread-safe.
class cutover_groups {
public:
    /// The group of that name; made anew when nobody is in it.
    [[nodiscard]] std::shared_ptr<cutover_group> find(const std::string& name, std::size_t size);

private:
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<cutover_group>> groups_;
};

/// A migration's place in its group, if it has one. Used by its coordinator; leaves at its end.
class group_seat {
public:
    group_seat() = default;
    ~group_seat();
    group_seat(const group_seat&) = delete;
    group_seat& operator=(const group_seat&) = delete;

    void join(std::shared_ptr<cutover_group> group, std::string id, const table_name& table);
    void leave(const std::string& why);
    [[nodiscard]] cutover_group* group() const noexcept { return group_.get(); }

    /// As of cutover_group; true and a plain attempt for a migration of its own.
    outcome<bool> ready(const group_part& part);
    cutover_outcome attempt(const group_part& part, std::uint32_t number, sql_executor& executor);
    [[nodiscard]] std::string waiting_for() const { return group_ ? group_->waiting_for(id_) : std::string(); }
    /// Empty for a migration of its own.
    [[nodiscard]] std::vector<swap_names> tables() const {
        return group_ ? group_->tables() : std::vector<swap_names>();
    }

private:
    std::shared_ptr<cutover_group> group_;
    std::string id_;
};

}  // namespace sluice::migration
