#pragma once

// Where migrations that are to change places together meet. Each of them copies, applies and verifies by itself. When
// all are ready at the same time, the one that comes last conducts the attempt for all, and the others stand still
// meanwhile: their ledgers and gates are its to use. Nobody waits long for others to come: a round to which one of them
// does not come, or that one of them must leave, ends without an attempt, and who comes behind its end is told so.
//
// A member that fails or is aborted does not take the others with it: they wait, and say for whom. Another migration of
// that table may take its place, or the operator aborts them too. A restart loses nothing either: one statement renames
// all tables, so each finds by itself whether it was swapped, and joins again if it was not.

#include "migration/cutover/cutover.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// What a member lends the one that conducts. Pointers must be valid from ready() to the end of attempt().
struct group_part {
    const migration_plan* plan = nullptr;
    work_ledger* ledger = nullptr;
    table_gate* gate = nullptr;
    const std::atomic<bool>* stop_requested = nullptr;
    std::function<bool()> told_otherwise{};  ///< see cutover_member; may be empty
};

struct group_waits {
    std::chrono::milliseconds readiness_lasts{1'500};  ///< members look for a good moment many times a second
    std::chrono::milliseconds coming_max{1'000};       ///< in ready(), for the others to be ready too
    std::chrono::milliseconds presence_max{10'000};    ///< from then on until all of them have called attempt()
};

/// One group. Thread-safe; each member is a thread of its own, the coordinator of its migration.
class cutover_group {
public:
    cutover_group(std::string name, std::size_t size, group_waits waits = {});

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void join(const std::string& id, const table_name& table);
    /// why: shown to those that stay; empty when the member has come to its end with the group.
    void leave(const std::string& id, const std::string& why);

    /// This member could change places now. True once all can and have come here: attempt(), call_off() or leave() must
    /// follow at once. False when others are not ready, which waiting_for() names. Blocks for at most coming_max.
    /// "group_members_related" when tables of the group refer to each other by foreign keys.
    outcome<bool> ready(const std::string& id, const group_part& part);
    /// All members call it; the same comes of it for all of them. A failure that one alone has caused is "failed" for
    /// that one, and "given up" for the others. Until all have come it blocks for at most presence_max, and ends at
    /// once for a stop or an abort of this member; from then on for as long as cutover::attempt().
    cutover_outcome attempt(const std::string& id, std::uint32_t number, sql_executor& executor);
    /// Instead of attempt(): this member cannot take part now. It is given up for all of them, untried.
    cutover_outcome call_off(const std::string& id, std::uint32_t number, const std::string& why);
    [[nodiscard]] std::string waiting_for(const std::string& id) const;
    /// Of all members; to be asked between ready() and attempt().
    [[nodiscard]] std::vector<swap_names> tables() const;

private:
    struct member {
        table_name table;
        std::optional<swap_names> names;  ///< as it told last, and the next one too; others read them at any time
        std::vector<table_name> related;
        group_part part;
        std::chrono::steady_clock::time_point ready_until{};
        bool come = false;        ///< waits in ready() for the others
        bool present = false;     ///< in attempt()
        std::uint64_t round = 0;  ///< for which ready() said true last
        std::uint32_t number = 0;
    };
    /// Of whose fault the last round has failed; that member may have left by now.
    struct fault {
        std::string id;
        std::string text;
    };

    [[nodiscard]] outcome<void> check_unrelated() const;
    cutover_outcome conduct(std::unique_lock<std::mutex>& lock, sql_executor& executor);
    void end_round(cutover_outcome made);
    void end_round_untried(std::string why);
    [[nodiscard]] cutover_outcome untried(std::string why) const;
    [[nodiscard]] bool all_ready(std::chrono::steady_clock::time_point now) const;
    [[nodiscard]] bool all_present() const;
    [[nodiscard]] std::string missing() const;
    [[nodiscard]] std::string name_of(const std::string& id) const;
    [[nodiscard]] bool is_of_this_round(const std::string& id) const;
    [[nodiscard]] cutover_outcome outcome_for(const std::string& id) const;

    const std::string name_;
    const std::size_t size_;
    const group_waits waits_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, member> members_;  ///< by id
    std::string lost_;                       ///< who left before the end, and why
    bool assembled_ = false;                 ///< ready() has said true, and the round has not ended
    bool conducting_ = false;                ///< what members have lent is in use: none of them may go
    std::chrono::steady_clock::time_point assembled_at_{};
    std::uint64_t rounds_ = 0;  ///< that have ended
    cutover_outcome last_;
    std::optional<fault> last_fault_;
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
    cutover_outcome call_off(std::uint32_t number, const std::string& why);
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
