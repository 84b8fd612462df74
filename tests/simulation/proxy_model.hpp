#pragma once

// The proxy as the cut-over meets it: the real gate shards and the real hold policy, each shard with turns of its own,
// and clients that send statement after statement through them, or past them straight to the server.

#include "migration/ports/traffic_gate.hpp"
#include "proxy/session/gate_shard.hpp"
#include "proxy/session/hold_policy.hpp"
#include "tests/simulation/server_model.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::simulation {

class proxy_model;

/// A client session with its script: it sends the next statement when the last one is answered.
class client final : public session::gate_seat {
public:
    /// proxy: nullptr for a client that bypasses it. own_key: nobody else writes this row.
    client(world& in, server_model& server, proxy_model* proxy, std::size_t shard, unsigned number,
           std::size_t statements);

    void begin();
    [[nodiscard]] bool ended() const { return left_ == 0 && !in_flight_; }
    void go_on();  ///< released by the shard
    [[nodiscard]] std::size_t shard() const { return shard_; }

    [[nodiscard]] session::seat_view view() const override {
        session::seat_view shown;
        shown.connection_id = connection_;
        return shown;
    }
    [[nodiscard]] std::uint64_t connection_id() const noexcept override { return connection_; }
    [[nodiscard]] bool has_snapshot() const override {
        return in_transaction_ && repeatable_ && touched_in_transaction_;
    }
    [[nodiscard]] session::slot_mask outdated() const override { return outdated_; }

protected:
    [[nodiscard]] session::slot_mask on_watch(session::slot_mask added) override { return added; }
    [[nodiscard]] bool on_swapped(session::slot_mask swapped) override {
        if (has_snapshot()) outdated_ |= swapped;
        return has_snapshot();
    }
    void on_reads_anew(time_point) override {}

private:
    enum class statement : std::uint8_t {
        begin,
        write,
        read,
        read_all,
        read_beside,
        commit,
        rollback,
        xa_prepare,
        xa_commit
    };

    void think();
    void choose();
    void submit();
    [[nodiscard]] session::hold_question asked() const;
    void send();
    void refused();
    void answered(std::uint64_t number, const answer& what);
    void lose_connection();
    [[nodiscard]] session::slot_mask touched() const;
    [[nodiscard]] std::vector<std::size_t> all_tables() const;

    world& world_;
    server_model& server_;
    proxy_model* proxy_;
    std::size_t shard_;
    unsigned number_;
    std::size_t left_;
    std::uint64_t connection_ = 0;
    std::uint64_t statement_number_ = 0;  ///< of the one in flight; answers come in this order, each once
    std::uint64_t answered_ = 0;
    bool in_flight_ = false;
    bool sent_ = false;
    bool in_transaction_ = false;
    bool touched_in_transaction_ = false;
    bool is_xa_ = false;
    bool repeatable_ = false;  ///< its transaction reads by one snapshot
    session::slot_mask outdated_ = 0;
    bool prepared_ = false;
    std::string xid_;
    std::size_t left_in_transaction_ = 0;
    statement next_ = statement::read;
    std::size_t table_ = 0;
    time_point held_since_{};
    bool waits_to_be_told_ = false;  ///< how the attempt ends; it is held
};

/// Told, as every session is, when a shard takes the tables to have changed places.
class swap_probe final : public session::gate_seat {
public:
    explicit swap_probe(std::function<void()> when_told) : when_told_(std::move(when_told)) {}

    [[nodiscard]] session::seat_view view() const override { return {}; }
    [[nodiscard]] std::uint64_t connection_id() const noexcept override { return 0; }
    [[nodiscard]] bool has_snapshot() const override { return false; }
    [[nodiscard]] session::slot_mask outdated() const override { return 0; }

    session::slot_mask told = 0;

protected:
    [[nodiscard]] session::slot_mask on_watch(session::slot_mask) override { return 0; }
    [[nodiscard]] bool on_swapped(session::slot_mask swapped) override {
        told |= swapped;
        when_told_();
        return false;
    }
    void on_reads_anew(time_point) override {}

private:
    std::function<void()> when_told_;
};

/// The shards, and the gate in front of all watched tables that the engine has of them.
class proxy_model final : public migration::table_gate {
public:
    proxy_model(world& in, std::size_t tables, std::size_t shards, session::gate_limits limits);

    [[nodiscard]] std::size_t shards() const { return shards_.size(); }
    [[nodiscard]] session::gate_shard& shard(std::size_t which) { return *shards_[which]->shard; }
    /// After anything that was done to a shard: lets go whom nothing holds any more.
    void pump(std::size_t which);
    [[nodiscard]] bool all_open() const;
    /// The tables change places at this moment: no shard may have come to believe that they will not.
    void check_swap();
    /// The latest moment at which a shard has had a turn behind the deadline.
    [[nodiscard]] time_point latest_release(std::size_t which) const;

    std::vector<migration::gate_blocker> blockers() override { return {}; }
    std::vector<migration::gate_blocker> old_snapshots() override { return {}; }
    void close(time_point deadline) override;
    bool wait_drained(time_point until) override;
    bool seal(time_point until) override;
    bool announce_swap(time_point until) override;
    migration::hold_report open(migration::gate_opening why) override;

    static constexpr milliseconds turn_max{5};

private:
    struct shard_turns {
        std::unique_ptr<session::gate_shard> shard;
        std::unique_ptr<swap_probe> probe;
        time_point free_at{};
        time_point deadline{};
        bool pumping = false;
    };
    /// Runs it on each shard, in a turn of that shard, and waits for all: as gate_hub::ask_all().
    void on_all(const std::function<void(std::size_t)>& task, time_point until);

    world& world_;
    std::size_t tables_;
    std::vector<std::unique_ptr<shard_turns>> shards_;
    bool swap_announced_ = false;  ///< by the attempt, to whatever shards heard it
};

}  // namespace sluice::simulation
