#include "tests/simulation/proxy_model.hpp"

#include <algorithm>
#include <utility>

namespace sluice::simulation {

using session::slot_bit;
using session::slot_mask;

namespace {

constexpr std::size_t release_burst = 2;
constexpr auto patience = std::chrono::seconds(1);
constexpr auto verdict_patience = std::chrono::seconds(1);  // of a shard

slot_mask slots_of(std::size_t tables) { return (slot_mask{1} << tables) - 1; }

}  // namespace

// --- the shards ---

proxy_model::proxy_model(world& in, std::size_t tables, std::size_t shards, session::gate_limits limits)
    : world_(in), tables_(tables) {
    for (std::size_t i = 0; i < shards; ++i) {
        shards_.push_back(std::make_unique<shard_turns>());
        shards_.back()->shard = std::make_unique<session::gate_shard>(limits);
        for (unsigned slot = 0; slot < tables; ++slot) {
            shards_.back()->shard->watch(slot, {"s", server_model::name_of(slot)});
        }
        shards_.back()->probe = std::make_unique<swap_probe>([this] {
            if (!swap_announced_) world_.violated("a gate presumes a swap that nobody has begun");
        });
        shards_.back()->shard->join(*shards_.back()->probe);
    }
}

void proxy_model::pump(std::size_t which) {
    shard_turns& turns = *shards_[which];
    if (turns.pumping || !turns.shard->has_ready()) return;
    turns.pumping = true;
    world_.after(world_.between(1, 100), [this, which] {
        shard_turns& own = *shards_[which];
        own.pumping = false;
        std::vector<session::gate_seat*> free;
        own.shard->release(release_burst, world_.now(), free);
        for (auto* seat : free) static_cast<client*>(seat)->go_on();
        pump(which);
    });
}

bool proxy_model::all_open() const {
    return std::all_of(shards_.begin(), shards_.end(),
                       [](const auto& one) { return one->shard->holding() == 0 && one->shard->held_now() == 0; });
}

void proxy_model::check_swap() {
    for (const auto& one : shards_) {
        if ((~(one->shard->undecided() | one->probe->told) & slots_of(tables_)) != 0) {
            world_.violated("the tables change places behind a gate that has presumed that they will not");
        }
    }
}

time_point proxy_model::latest_release(std::size_t which) const { return shards_[which]->deadline + turn_max; }

void proxy_model::on_all(const std::function<void(std::size_t)>& task, time_point until) {
    const auto done = std::make_shared<std::size_t>(0);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        // Now and then an I/O thread is late, once in a while later than anybody waits.
        auto delay = world_.between(5, 200);
        if (world_.chance(100)) delay = world_.between(1'000, 40'000);
        if (world_.chance(5)) delay = world_.between(900'000, 1'300'000);
        auto& free_at = shards_[i]->free_at;
        free_at = std::max(free_at, world_.now() + delay);
        world_.at(free_at, [this, i, task, done] {
            task(i);
            pump(i);
            ++*done;
        });
    }
    world_.run_until(until, [&] { return *done == shards_.size(); });
}

void proxy_model::close(time_point deadline) {
    swap_announced_ = false;
    on_all(
        [this, deadline](std::size_t which) {
            shard_turns& turns = *shards_[which];
            turns.probe->told = 0;
            for (unsigned slot = 0; slot < tables_; ++slot) turns.shard->close(slot, deadline);
            turns.deadline = deadline;
            const auto expire = [this, which] {
                shards_[which]->shard->expire(world_.now());
                pump(which);
            };
            world_.at(deadline + world_.between(0, 3'000), expire);
            world_.at(deadline + verdict_patience + world_.between(0, 3'000), expire);
        },
        world_.now() + patience);
}

bool proxy_model::wait_drained(time_point until) {
    while (true) {
        const auto users = std::make_shared<std::size_t>(0);
        const auto answers = std::make_shared<std::size_t>(0);
        on_all(
            [this, users, answers](std::size_t which) {
                ++*answers;
                for (unsigned slot = 0; slot < tables_; ++slot) *users += shards_[which]->shard->in_use_count(slot);
            },
            until);
        if (*answers == shards_.size() && *users == 0 && seal(until)) return true;
        if (world_.now() >= until) return false;
        world_.run_for(microseconds(200));
    }
}

bool proxy_model::seal(time_point until) {
    const auto sealed = std::make_shared<std::size_t>(0);
    on_all(
        [this, sealed](std::size_t which) {
            bool all = true;
            for (unsigned slot = 0; slot < tables_; ++slot) {
                auto& shard = *shards_[which]->shard;
                all = shard.seal(slot) && shard.in_use_count(slot) == 0 && all;
            }
            if (all) ++*sealed;
        },
        until);
    if (*sealed == shards_.size()) return true;
    on_all(
        [this](std::size_t which) {
            for (unsigned slot = 0; slot < tables_; ++slot) shards_[which]->shard->unseal(slot);
        },
        until);
    return false;
}

bool proxy_model::announce_swap(time_point until) {
    swap_announced_ = true;
    const auto announced = std::make_shared<std::size_t>(0);
    on_all(
        [this, announced](std::size_t which) {
            bool all = true;
            for (unsigned slot = 0; slot < tables_; ++slot) all = shards_[which]->shard->announce(slot) && all;
            if (all) ++*announced;
        },
        until);
    return *announced == shards_.size();
}

migration::hold_report proxy_model::open(migration::gate_opening why) {
    const auto end = why == migration::gate_opening::swapped ? session::gate_end::swapped : session::gate_end::given_up;
    const auto until = world_.now() + patience;
    on_all(
        [this, end](std::size_t which) {
            for (unsigned slot = 0; slot < tables_; ++slot) shards_[which]->shard->open(slot, end);
        },
        until);
    world_.run_until(until, [this] {
        return std::none_of(shards_.begin(), shards_.end(), [](const auto& one) { return one->shard->has_ready(); });
    });
    return {};
}

// --- a client ---

client::client(world& in, server_model& server, proxy_model* proxy, std::size_t shard, unsigned number,
               std::size_t statements)
    : world_(in),
      server_(server),
      proxy_(proxy),
      shard_(shard),
      number_(number),
      left_(statements),
      connection_(server.open_session()) {
    if (proxy_ != nullptr) proxy_->shard(shard_).join(*this);
}

void client::begin() { think(); }

void client::think() {
    if (left_ == 0) return;
    const auto pause = world_.chance(500) ? world_.between(2'000, 60'000) : world_.between(50, 4'000);
    world_.after(pause, [this] {
        choose();
        submit();
    });
}

void client::choose() {
    table_ = world_.below(server_.tables());
    --left_;
    if (prepared_) {
        next_ = statement::xa_commit;
        return;
    }
    if (in_transaction_) {
        if (left_in_transaction_ == 0 || left_ == 0) {
            if (is_xa_ && touched_in_transaction_) {
                next_ = statement::xa_prepare;
                ++left_;  // the commit is still to come
            } else {
                next_ = world_.chance(8'500) ? statement::commit : statement::rollback;
            }
            return;
        }
        --left_in_transaction_;
        if (repeatable_ && !touched_in_transaction_ && world_.chance(7'000)) {
            next_ = statement::read_beside;
            return;
        }
        next_ = world_.chance(6'000) ? statement::write : statement::read;
        return;
    }
    if (left_ > 2 && world_.chance(3'000)) {
        next_ = statement::begin;
        left_in_transaction_ = world_.below(4);
        is_xa_ = world_.chance(700);
        // Past the proxy nobody guards it.
        repeatable_ = proxy_ != nullptr && !is_xa_ && world_.chance(5'000);
        return;
    }
    const auto kind = world_.below(10);
    next_ = kind < 5 ? statement::write : kind < 8 ? statement::read : statement::read_all;
}

slot_mask client::touched() const {
    switch (next_) {
        case statement::write:
        case statement::read: return slot_bit(static_cast<unsigned>(table_));
        case statement::read_all: return slots_of(server_.tables());
        default: return 0;
    }
}

session::hold_question client::asked() const {
    auto& shard = proxy_->shard(shard_);
    using kind = sql::statement_kind;
    static constexpr kind kinds[] = {
        kind::start_transaction, kind::update,     kind::select,   kind::select, kind::select, kind::commit,
        kind::rollback,          kind::xa_prepare, kind::xa_commit};
    return {.kind = kinds[static_cast<std::size_t>(next_)],
            .may_touch = touched(),
            .holding = shard.holding(),
            .holding_all = shard.holding_all(),
            .sealed = shard.sealed(),
            .undecided = shard.undecided(),
            .in_transaction = in_transaction_,
            .has_touched = touched_in_transaction_,
            .holds_locks = prepared_,
            .has_snapshot = has_snapshot(),
            .reads_anew = !repeatable_,
            .touches_a_table = touched() != 0 || next_ == statement::read_beside,
            .reads_by_snapshot = next_ != statement::write};
}

// The session's part: whether the statement waits at a gate, or is refused.
void client::submit() {
    ++statement_number_;
    in_flight_ = true;
    sent_ = false;
    if (proxy_ == nullptr) {
        send();
        return;
    }
    constexpr std::size_t bytes = 100;
    auto& shard = proxy_->shard(shard_);
    const session::hold_question question = asked();
    const session::hold_masks held_for = session::must_hold(question);
    if (session::must_refuse(question, outdated_) || shard.has_to_refuse(held_for, bytes)) {
        refused();
        return;
    }
    if (held_for.all() == 0 || !shard.hold(*this, held_for, bytes, world_.now())) {
        send();
        proxy_->pump(shard_);  // past a full gate it may have taken the seal away
        return;
    }
    waits_to_be_told_ = held_for.told != 0;
    held_since_ = world_.now();
    proxy_->pump(shard_);
    // Its client may go meanwhile.
    if (world_.chance(300)) {
        world_.after(world_.between(100, 30'000), [this, number = statement_number_] {
            if (statement_number_ != number || !held()) return;
            proxy_->shard(shard_).abandon(*this);
            world_.trace("client " + std::to_string(number_) + " goes while it is held");
            in_flight_ = false;
            left_ = 0;
            server_.lose(connection_);
            proxy_->shard(shard_).set_in_use(*this, 0);
        });
    }
}

void client::go_on() {
    if (sent_ || !in_flight_) {
        world_.violated("a statement was released twice, or without its client");
        return;
    }
    // Behind the deadline come the shard's turn and the pace of release: a burst per turn.
    auto limit = std::max(proxy_->latest_release(shard_), held_since_) + milliseconds(2);
    if (waits_to_be_told_) limit += verdict_patience;
    if (world_.now() > limit) world_.violated("a statement was held past the deadline");
    if (session::must_refuse(asked(), outdated_)) {
        refused();
        return;
    }
    send();
}

// Error 1412, to which a client's answer is to begin anew.
void client::refused() {
    answered_ = statement_number_;
    in_flight_ = false;
    world_.after(world_.between(20, 200), [this] {
        next_ = statement::rollback;
        submit();
    });
}

void client::send() {
    sent_ = true;
    if (touched() != 0 || next_ == statement::read_beside) touched_in_transaction_ = true;
    if (proxy_ != nullptr) proxy_->shard(shard_).set_in_use(*this, in_use() | touched());
    world_.after(world_.between(20, 200), [this, number = statement_number_] {
        const auto done = [this, number](const answer& what) {
            world_.after(world_.between(20, 200), [this, number, what] { answered(number, what); });
        };
        if (world_.traced()) {
            world_.trace("client " + std::to_string(number_) + (proxy_ == nullptr ? " (direct)" : "") + " statement " +
                         std::to_string(number) + " kind " + std::to_string(static_cast<int>(next_)) + " table " +
                         std::to_string(table_ + 1));
        }
        const auto value = static_cast<long>(number_ * 100'000 + number);
        switch (next_) {
            case statement::begin: server_.begin(connection_, done); break;
            case statement::write: server_.write(connection_, table_, number_ % keys_per_table, value, done); break;
            case statement::read: server_.read(connection_, {table_}, world_.below(keys_per_table), done); break;
            case statement::read_all:
                server_.read(connection_, all_tables(), world_.below(keys_per_table), done);
                break;
            case statement::read_beside: server_.read_beside(connection_, done); break;
            case statement::commit: server_.commit(connection_, done); break;
            case statement::rollback: server_.rollback(connection_, done); break;
            case statement::xa_prepare:
                xid_ = "x" + std::to_string(number_) + "-" + std::to_string(number);
                server_.xa_prepare(connection_, xid_, done);
                break;
            case statement::xa_commit: server_.xa_commit(connection_, xid_, done); break;
        }
        if (world_.chance(60) && next_ != statement::xa_prepare && next_ != statement::xa_commit) lose_connection();
    });
}

std::vector<std::size_t> client::all_tables() const {
    std::vector<std::size_t> all(server_.tables());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
}

// The statement on its way is done by the server, or will be; nobody hears of it. The client comes back.
void client::lose_connection() {
    server_.lose(connection_);
    connection_ = server_.open_session();
    answered_ = statement_number_;
    in_flight_ = false;
    in_transaction_ = touched_in_transaction_ = is_xa_ = prepared_ = repeatable_ = false;
    outdated_ = 0;
    if (proxy_ != nullptr) proxy_->shard(shard_).set_in_use(*this, 0);
    think();
}

void client::answered(std::uint64_t number, const answer& what) {
    if (number <= answered_ && number < statement_number_ + 1 && !in_flight_) {
        world_.violated("a statement was answered twice");
        return;
    }
    if (number != statement_number_ || number != answered_ + 1) {
        world_.violated("answers of a session are not in the order of its statements");
    }
    answered_ = number;
    in_flight_ = false;
    if (!what) {
        world_.violated("a client got an error: " + what.error().message);
    }
    if (what) {
        switch (next_) {
            case statement::begin: in_transaction_ = true; break;
            case statement::xa_prepare: prepared_ = true; break;
            case statement::commit:
            case statement::rollback:
            case statement::xa_commit: in_transaction_ = touched_in_transaction_ = is_xa_ = prepared_ = false; break;
            default: break;
        }
    }
    if (!in_transaction_) {
        touched_in_transaction_ = repeatable_ = false;
        outdated_ = 0;
        if (proxy_ != nullptr) proxy_->shard(shard_).set_in_use(*this, 0);
    }
    if (prepared_ && server_.kind().forgets_locks_of_detached_xa && world_.chance(5'000)) {
        // The session goes, another one commits what it has prepared, sometime.
        server_.lose(connection_);
        connection_ = server_.open_session();
        if (proxy_ != nullptr) proxy_->shard(shard_).set_in_use(*this, 0);
    }
    think();
}

}  // namespace sluice::simulation
