#pragma once

// What the session remembers of a command between sending it on and the end of its reply: how the reply will look, and
// what its success will mean. One per command in flight; a client may have several (pipelining).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/message/command.hpp"
#include "protocol/result.hpp"
#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/gate_seat.hpp"
#include "proxy/session/isolation_tracker.hpp"

namespace sluice::session {

/// What a FLUSH locks: nothing, the tables that it names (as LOCK TABLES does), or all by the global read lock, which
/// outlives the START TRANSACTION that frees the others.
enum class flush_lock : std::uint8_t { none, tables, global };

/// The rarer part, for the few commands that need it.
struct command_memory {
    /// Of COM_STMT_PREPARE, COM_INIT_DB and PREPARE; the alias of HANDLER ... OPEN and CLOSE.
    std::string text;
    bool text_is_whole = true;  ///< false: longer than is kept
    /// Of a COM_STMT_PREPARE whose text is longer than is kept, where it could be read all the same.
    std::optional<sql::statement_footprint> footprint;
    /// Statements of a COM_QUERY that change what the session must know (USE, SET ...), or all of several.
    std::vector<sql::statement_summary> statements;
    std::string name;                           ///< of PREPARE and DEALLOCATE PREPARE
    isolation_change isolation;                 ///< of a COM_QUERY or COM_STMT_EXECUTE
    std::optional<std::uint64_t> killed_query;  ///< connection whose statement it ends, done here where that is held
};

struct expected_reply {
    protocol::command command = protocol::command::sleep;
    sql::statement_kind kind =
        sql::statement_kind::other;   ///< of a COM_QUERY or COM_STMT_EXECUTE with a single statement
    bool cursor_asked = false;        ///< COM_STMT_EXECUTE that wants a cursor
    bool local_infile_asked = false;  ///< a statement that may make the server ask for a file
    bool is_barrier = false;          ///< nothing else is sent before its reply has ended
    bool touches_a_table = false;     ///< these three are known only while tables are watched
    bool reads_by_snapshot = true;    ///< it may read tables by its transaction's snapshot, not by locks
    bool takes_snapshot = false;      ///< of all tables, and locks none: START TRANSACTION WITH CONSISTENT SNAPSHOT
    bool runs_several = false;        ///< or what runs others: it may begin a transaction, read in it, and set how
    bool may_lock = false;            ///< by LOCK TABLES and its kin, in a text that is not known
    flush_lock flush = flush_lock::none;
    std::uint16_t option = 0;        ///< of COM_SET_OPTION
    std::uint32_t statement_id = 0;  ///< of COM_STMT_EXECUTE and COM_STMT_FETCH
    slot_mask may_touch = 0;
    std::unique_ptr<command_memory> memory;
};

/// A first-in first-out queue that holds at most a fixed number and owns no memory until it is first used.
class reply_queue {
public:
    static constexpr std::size_t size_max = 64;

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] bool full() const noexcept { return count_ == size_max; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] expected_reply& front() {
        SLUICE_ASSERT(!empty());
        return ring_[first_];
    }
    [[nodiscard]] expected_reply& at(std::size_t index) {
        SLUICE_ASSERT(index < count_);
        return ring_[(first_ + index) % ring_.size()];
    }
    void push(expected_reply&& reply) {
        SLUICE_ASSERT(!full());
        if (count_ == ring_.size()) grow();
        ring_[(first_ + count_) % ring_.size()] = std::move(reply);
        ++count_;
    }
    [[nodiscard]] expected_reply pop() {
        SLUICE_ASSERT(!empty());
        expected_reply reply = std::move(ring_[first_]);
        first_ = (first_ + 1) % ring_.size();
        --count_;
        return reply;
    }

private:
    void grow() {
        std::vector<expected_reply> larger(ring_.empty() ? 2 : ring_.size() * 2);
        for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(at(i));
        ring_ = std::move(larger);
        first_ = 0;
    }

    std::vector<expected_reply> ring_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace sluice::session
