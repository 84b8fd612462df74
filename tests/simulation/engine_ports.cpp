#include "tests/simulation/engine_ports.hpp"

#include <algorithm>
#include <utility>

namespace sluice::simulation {

using migration::failure;
using migration::kill_timer;
using migration::outcome;
using migration::query_result;
using migration::running_statement;
using migration::sql_session;
using migration::stream_position;
using migration::work_ledger;

namespace {

constexpr time_point the_past{};
constexpr microseconds look_interval{150};

// Asking the ledger costs a call of the operating system where the answer is no: not after each event.
template <class Done>
bool look_again(world& in, time_point until, Done done) {
    while (!done()) {
        if (in.now() >= until) return false;
        in.run_for(
            std::min(look_interval, std::chrono::duration_cast<microseconds>(until - in.now()) + microseconds(1)));
    }
    return true;
}

failure connection_lost() {
    failure why = migration::refuse("connection_lost", "the connection to the server was lost");
    why.then = migration::disposition::outcome_unknown;
    return why;
}

// No statement of the engine takes an hour.
outcome<query_result> wait_for_answer(world& in, const on_its_way& what) {
    if (in.run_until(in.now() + std::chrono::hours(1), [&] { return what.result.has_value(); })) return *what.result;
    in.violated("a statement of the engine was never answered");
    return connection_lost();
}

class timed_kill final : public kill_timer {
public:
    timed_kill(world& in, std::unique_ptr<sql_session> killer, std::uint64_t victim)
        : world_(in), own_(std::make_shared<state>()), victim_(victim) {
        own_->killer = std::move(killer);
    }
    ~timed_kill() override {
        own_->armed = 0;
        own_->killer.reset();  // pending events keep the rest
    }
    timed_kill(const timed_kill&) = delete;
    timed_kill& operator=(const timed_kill&) = delete;

    void arm(time_point deadline) override {
        own_->killed = false;
        own_->armed = ++own_->times;
        world_.at(deadline, [own = own_, turn = own_->times, victim = victim_] {
            if (own->armed != turn) return;
            own->armed = 0;
            if (own->sent && !own->sent->result) return;  // one at a time
            own->killed = true;
            own->sent = static_cast<engine_session&>(*own->killer).begin("KILL QUERY " + std::to_string(victim));
        });
    }
    bool disarm() override {
        own_->armed = 0;
        if (own_->sent) (void)wait_for_answer(world_, *own_->sent);
        own_->sent.reset();
        return own_->killed;
    }

private:
    struct state {
        std::unique_ptr<sql_session> killer;
        std::shared_ptr<on_its_way> sent;
        std::uint64_t times = 0;
        std::uint64_t armed = 0;  ///< which arm() is in force
        bool killed = false;
    };
    world& world_;
    std::shared_ptr<state> own_;
    std::uint64_t victim_;
};

class statement_in_world final : public running_statement {
public:
    statement_in_world(world& in, std::shared_ptr<on_its_way> what) : world_(in), what_(std::move(what)) {}
    statement_in_world(const statement_in_world&) = delete;
    statement_in_world& operator=(const statement_in_world&) = delete;
    ~statement_in_world() override { (void)wait_for_answer(world_, *what_).has_error(); }

    bool wait_ended(time_point until) override {
        return world_.run_until(until, [this] { return what_->result.has_value(); });
    }
    outcome<query_result> result() override { return wait_for_answer(world_, *what_); }

private:
    world& world_;
    std::shared_ptr<on_its_way> what_;
};

}  // namespace

outcome<std::unique_ptr<sql_session>> engine_executor::connect() {
    world_.run_for(world_.between(50, 400));
    if (dead()) {
        failure why = connection_lost();
        why.then = migration::disposition::abort;  // or ten minutes would be waited for another
        return why;
    }
    opened_.push_back(server_.open_session(milliseconds(2'000)));
    return std::unique_ptr<sql_session>(std::make_unique<engine_session>(*this, opened_.back()));
}

bool engine_executor::has_locks() const {
    return std::any_of(opened_.begin(), opened_.end(), [this](auto id) { return server_.has_locks(id); });
}

std::shared_ptr<on_its_way> engine_session::begin(std::string_view sql) {
    auto way = std::make_shared<on_its_way>();
    world& in = of_.world_;
    ++of_.statements_;
    if (of_.dead()) {
        const bool last_one = of_.statements_ == of_.faults_.dies_at_statement && !*dead_;
        if (last_one && in.chance(5'000)) leave_unread(sql);
        *dead_ = true;
    }
    if (*dead_) {
        if (!*unread_) of_.server_.lose(id_);
        way->result = connection_lost();
        return way;
    }
    if (in.traced()) in.trace("engine " + std::to_string(id_) + ": " + std::string(sql.substr(0, 150)));
    const bool lost = in.chance(of_.faults_.lost_in_ten_thousand);
    const auto where = in.below(4);
    const auto lose = [way, &in, id = id_, &server = of_.server_, dead = dead_] {
        if (way->result) return;
        in.trace("engine " + std::to_string(id) + " loses its connection");
        server.lose(id);
        way->result = connection_lost();
        *dead = true;
    };
    auto travel = in.between(10, 150);
    if (in.chance(of_.faults_.slow_in_ten_thousand)) travel = in.between(5'000, 400'000);
    if (in.chance(of_.faults_.slow_in_ten_thousand / 8)) travel = in.between(1'000'000, 3'000'000);
    if (lost && where == 3) {
        leave_unread(sql);
        *dead_ = true;
        way->result = connection_lost();
        return way;
    }
    if (lost && where == 0) {
        in.after(travel, lose);
        return way;
    }
    in.after(travel, [way, text = std::string(sql), lost, where, lose, &in, id = id_, &server = of_.server_] {
        if (way->result || !server.exists(id)) {
            if (!way->result) lose();
            return;
        }
        server.run_sql(id, text, [way, lost, where, lose, &in](answer what) {
            if (way->result) return;
            if (lost && where == 1) return lose();
            in.after(in.between(10, 150), [way, what = std::move(what), &in] {
                if (way->result) return;
                if (in.traced()) in.trace(what ? "  done" : "  failed: " + what.error().message);
                way->result = what;
            });
        });
        if (lost && where == 2) in.after(in.between(0, 20'000), lose);
    });
    return way;
}

void engine_session::leave_unread(std::string_view sql) {
    *unread_ = true;
    world& in = of_.world_;
    in.trace("engine " + std::to_string(id_) + " is cut off behind: " + std::string(sql.substr(0, 150)));
    in.after(in.between(100, 60'000), [text = std::string(sql), id = id_, &server = of_.server_] {
        if (!server.is_ending(id)) server.run_sql(id, text, [](const answer&) {});
        server.lose(id);
    });
}

outcome<query_result> engine_session::run(std::string_view sql) { return wait_for_answer(of_.world_, *begin(sql)); }

std::unique_ptr<kill_timer> simulated_surroundings::watch(std::unique_ptr<sql_session> killer, std::uint64_t victim) {
    return std::make_unique<timed_kill>(world_, std::move(killer), victim);
}

std::unique_ptr<running_statement> simulated_surroundings::start(sql_session& session, std::string sql) {
    return std::make_unique<statement_in_world>(world_, static_cast<engine_session&>(session).begin(sql));
}

bool simulated_surroundings::park_batches(work_ledger& ledger, time_point until) {
    return look_again(world_, until, [&] { return ledger.park_batches(the_past); });
}

bool simulated_surroundings::wait_read_through(work_ledger& ledger, const stream_position& position, time_point until) {
    return look_again(world_, until, [&] { return ledger.wait_read_through(position, the_past); });
}

}  // namespace sluice::simulation
