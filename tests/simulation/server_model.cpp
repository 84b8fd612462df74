#include "tests/simulation/server_model.hpp"

#include <algorithm>
#include <utility>

namespace sluice::simulation {

using migration::failure;
using migration::query_result;

namespace {

constexpr unsigned interrupted = 1317;
constexpr unsigned lock_wait_timeout = 1205;
constexpr unsigned no_such_table = 1146;

// MDL: what a granted lock keeps out, and what a pending one goes before.
bool granted_excludes(lock_type granted, lock_type wish) {
    if (granted == lock_type::exclusive || wish == lock_type::exclusive) return true;
    return granted == lock_type::no_read_write || wish == lock_type::no_read_write;
}

bool goes_before(lock_type pending, lock_type wish) {
    switch (wish) {
        case lock_type::read:
        case lock_type::write: return pending >= lock_type::no_read_write;
        case lock_type::no_read_write: return pending == lock_type::exclusive;
        case lock_type::exclusive: break;
    }
    return false;
}

}  // namespace

failure server_error(unsigned number, std::string message) {
    failure why = migration::refuse("server_error", std::move(message));
    why.server_errno = number;
    if (number == lock_wait_timeout || number == 1213) why.then = migration::disposition::retry;
    return why;
}

server_model::server_model(world& in, server_kind kind, std::size_t tables)
    : world_(in), kind_(kind), truth_(tables, row_values{}) {
    for (std::size_t i = 0; i < tables; ++i) {
        tables_[name_of(i)] = std::make_shared<table_object>();
        auto ghost = std::make_shared<table_object>();
        ghost->new_shape = true;
        tables_["_" + name_of(i) + "_gho"] = std::move(ghost);
    }
}

table_ptr server_model::find(const std::string& name) const {
    const auto found = tables_.find(name);
    return found == tables_.end() ? nullptr : found->second;
}

std::uint64_t server_model::open_session(milliseconds lock_wait_max) {
    sessions_[next_session_].lock_wait_max = lock_wait_max;
    return next_session_++;
}

bool server_model::has_locks(std::uint64_t session) const {
    return std::any_of(locks_.begin(), locks_.end(), [&](const auto& lock) {
        return std::any_of(lock.second.granted.begin(), lock.second.granted.end(),
                           [&](const granted_lock& one) { return one.session == session; });
    });
}

void server_model::lose(std::uint64_t session) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    found->second.lost = true;
    if (found->second.running) return;
    world_.after(world_.between(0, 20'000), [this, session] {
        const auto still = sessions_.find(session);
        if (still != sessions_.end() && !still->second.running) end_session(session);
    });
}

void server_model::end_session(std::uint64_t session) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    sessions_.erase(found);
    release(session, scope::statement);
}

void server_model::kill_query(std::uint64_t session) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end() || !found->second.running) return;
    const operation_ptr running = found->second.running;
    if (running->executing && running->text.starts_with("RENAME TABLE `s`.`t")) {
        // MariaDB loses the table's triggers; unless a sentry stands, so that it does not come to that.
        const bool doomed = std::any_of(tables_.begin(), tables_.end(), [&](const auto& one) {
            return one.second->sentry && running->text.find("TO `s`.`" + one.first + "`") != std::string::npos;
        });
        if (!kind_.rename_under_lock && !doomed) world_.violated("a RENAME was killed while it renamed");
        return;
    }
    if (running->executing && running->text.starts_with("INSERT")) {
        finish(running, server_error(interrupted, "Query execution was interrupted"));
        return;
    }
    if (running->waiting) stop_waiting(running, server_error(interrupted, "Query execution was interrupted"));
}

void server_model::kill_connection(std::uint64_t session) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    found->second.killed = true;
    kill_query(session);
    lose(session);
}

void server_model::start(operation_ptr what) {
    const auto found = sessions_.find(what->session);
    if (found == sessions_.end() || found->second.running) {
        world_.violated("a session was given a statement while it had one, or was gone: " + what->text);
        return;
    }
    std::sort(what->wishes.begin(), what->wishes.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    found->second.running = what;
    advance(what);
}

bool server_model::may_have(const named_lock& lock, const operation& what) const {
    const lock_type wish = what.wishes[what.next].type;
    const bool excluded = std::any_of(lock.granted.begin(), lock.granted.end(), [&](const granted_lock& one) {
        return one.session != what.session && granted_excludes(one.type, wish);
    });
    if (excluded) return false;
    return std::none_of(lock.pending.begin(), lock.pending.end(), [&](const operation_ptr& other) {
        return other.get() != &what && goes_before(other->wishes[other->next].type, wish);
    });
}

// Takes lock after lock, in the order of their names, and waits where it must.
void server_model::advance(const operation_ptr& what) {
    for (; what->next < what->wishes.size(); ++what->next) {
        const auto& wish = what->wishes[what->next];
        named_lock& lock = locks_[wish.name];
        const bool has_it = std::any_of(lock.granted.begin(), lock.granted.end(), [&](const granted_lock& one) {
            return one.session == what->session && one.type >= wish.type;
        });
        if (has_it) continue;
        if (may_have(lock, *what)) {
            lock.granted.push_back({what->session, wish.type, what->keeps});
            continue;
        }
        what->waiting = true;
        what->order = next_order_++;
        lock.pending.push_back(what);
        const auto order = what->order;
        world_.after(sessions_[what->session].lock_wait_max, [this, what, order] {
            if (what->waiting && what->order == order) {
                stop_waiting(what, server_error(lock_wait_timeout, "Lock wait timeout exceeded"));
            }
        });
        return;
    }
    what->executing = true;
    world_.after(what->takes, [this, what] { execute(what); });
}

void server_model::execute(const operation_ptr& what) {
    if (what->over) return;
    auto given = what->effect();
    if (given) finish(what, std::move(*given));
}

void server_model::finish(const operation_ptr& what, answer with) {
    if (std::exchange(what->over, true)) return;
    const auto found = sessions_.find(what->session);
    const bool in_transaction = found != sessions_.end() && found->second.in_transaction;
    if (found != sessions_.end()) found->second.running.reset();
    if (what->keeps == scope::statement || !in_transaction) {
        // Locks of the statement; those of a transaction that has ended went with it.
        if (what->keeps != scope::session) release(what->session, scope::transaction);
    }
    const bool lost = found == sessions_.end() || found->second.lost;
    if (lost) {
        const bool killed = found != sessions_.end() && found->second.killed;
        lose(what->session);
        if (!killed) return;
        failure why = migration::refuse("connection_lost", "killed");
        why.then = migration::disposition::outcome_unknown;
        with = std::move(why);
    }
    what->done(std::move(with));
}

void server_model::stop_waiting(const operation_ptr& what, failure why) {
    const std::string name = what->wishes[what->next].name;
    std::erase(locks_[name].pending, what);
    what->waiting = false;
    // What it has got so far for this statement goes back.
    for (std::size_t i = 0; i < what->next; ++i) {
        auto& granted = locks_[what->wishes[i].name].granted;
        if (what->keeps == scope::transaction) continue;
        std::erase_if(granted, [&](const granted_lock& one) {
            return one.session == what->session && one.type == what->wishes[i].type && one.keeps == what->keeps;
        });
    }
    finish(what, std::move(why));
    grant_pending(name);
    for (std::size_t i = 0; i < what->next; ++i) grant_pending(what->wishes[i].name);
}

void server_model::release(std::uint64_t session, scope down_from) {
    std::vector<std::string> freed;
    for (auto& [name, lock] : locks_) {
        const auto gone = std::erase_if(lock.granted, [&](const granted_lock& one) {
            if (one.session != session) return false;
            if (down_from == scope::statement) {
                // Everything, but for what outlives the session.
                return kind_.forgets_locks_of_detached_xa ||
                       std::none_of(prepared_by_.begin(), prepared_by_.end(),
                                    [&](const auto& by) { return by.second == session; });
            }
            return one.keeps != scope::session;
        });
        if (gone != 0) freed.push_back(name);
    }
    for (const auto& name : freed) grant_pending(name);
}

void server_model::grant_pending(const std::string& name) {
    named_lock& lock = locks_[name];
    for (bool again = true; again;) {
        again = false;
        for (const operation_ptr& one : lock.pending) {
            if (!may_have(lock, *one)) continue;
            const operation_ptr lucky = one;
            std::erase(lock.pending, lucky);
            lock.granted.push_back({lucky->session, lucky->wishes[lucky->next].type, lucky->keeps});
            ++lucky->next;
            lucky->waiting = false;
            // It wakes up a little later.
            world_.after(world_.between(5, 400), [this, lucky] {
                if (!lucky->over) advance(lucky);
            });
            again = true;
            break;
        }
    }
}

bool server_model::row_is_locked(const table_ptr& object, std::size_t key, std::uint64_t except) const {
    const auto has = [&](const std::vector<write_of_row>& writes) {
        return std::any_of(writes.begin(), writes.end(),
                           [&](const write_of_row& one) { return one.object == object && one.key == key; });
    };
    for (const auto& [id, session] : sessions_) {
        if (id != except && has(session.writes)) return true;
    }
    for (const auto& [xid, writes] : prepared_) {
        if (has(writes)) return true;
    }
    return std::any_of(committing_.begin(), committing_.end(), [&](const auto& one) { return has(one.second); });
}

bool server_model::has_open_writes() const {
    return !prepared_.empty() || !committing_.empty() ||
           std::any_of(sessions_.begin(), sessions_.end(), [](const auto& one) { return !one.second.writes.empty(); });
}

void server_model::log(log_entry entry) {
    entry.number = ++logged_;
    on_logged(entry);
}

// Logged first, visible later: a stalled semi-synchronous commit lies between the two.
void server_model::commit_writes(std::vector<write_of_row> writes, std::function<void()> visible) {
    if (writes.empty()) {
        world_.after(microseconds(20), std::move(visible));
        return;
    }
    const std::uint64_t slot = next_order_++;
    committing_[slot] = writes;
    world_.after(world_.between(10, 300), [this, slot, writes = std::move(writes), visible = std::move(visible)] {
        log({.kind = log_entry::what::rows, .number = 0, .xid = {}, .writes = writes});
        const auto number = logged_;
        invisible_.insert(number);
        const auto stall = world_.chance(300) ? world_.between(1'000, 60'000) : world_.between(5, 400);
        world_.after(stall, [this, slot, number, writes, visible] {
            committing_.erase(slot);
            invisible_.erase(number);
            for (const write_of_row& one : writes) {
                one.object->rows[one.key] = one.value;
                truth_[one.table][one.key] = one.value;
            }
            visible();
        });
    });
}

bool server_model::is_visible(std::uint64_t transaction) const {
    return transaction <= logged_ && !invisible_.contains(transaction);
}

std::string server_model::executed_text() const {
    std::string text;
    std::uint64_t from = 1;
    const auto add = [&](std::uint64_t to) {
        if (to >= from) text += ":" + std::to_string(from) + "-" + std::to_string(to);
    };
    for (const std::uint64_t hole : invisible_) {
        add(hole - 1);
        from = hole + 1;
    }
    add(logged_);
    return text.empty() ? "" : "00000000-0000-0000-0000-000000000001" + text;
}

// --- clients ---

void server_model::begin(std::uint64_t session, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->takes = microseconds(20);
    what->done = std::move(done);
    what->effect = [this, session]() -> std::optional<answer> {
        const auto found = sessions_.find(session);
        if (found != sessions_.end()) found->second.in_transaction = true;
        return query_result{};
    };
    start(what);
}

void server_model::write(std::uint64_t session, std::size_t table, std::size_t key, long value, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->wishes = {{name_of(table), lock_type::write}};
    what->keeps = scope::transaction;
    what->takes = world_.between(20, 500);
    what->done = std::move(done);
    what->text = "UPDATE " + name_of(table);
    what->effect = [this, weak = std::weak_ptr(what), table, key, value]() -> std::optional<answer> {
        const operation_ptr self = weak.lock();
        const table_ptr object = find(name_of(table));
        if (!object) return server_error(no_such_table, "Table doesn't exist: " + name_of(table));
        const auto found = sessions_.find(self->session);
        const write_of_row written{table, object, key, value};
        if (found != sessions_.end() && found->second.in_transaction) {
            found->second.writes.push_back(written);
            return query_result{};
        }
        commit_writes({written}, [this, self] { finish(self, query_result{}); });
        return std::nullopt;
    };
    start(what);
}

void server_model::read(std::uint64_t session, std::vector<std::size_t> tables, std::size_t key, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    for (const auto table : tables) what->wishes.push_back({name_of(table), lock_type::read});
    what->keeps = scope::transaction;
    what->takes = world_.between(20, 400);
    what->done = std::move(done);
    what->text = "SELECT";
    what->effect = [this, weak = std::weak_ptr(what), tables = std::move(tables), key]() -> std::optional<answer> {
        const operation_ptr self = weak.lock();
        std::optional<bool> shape;
        for (const auto table : tables) {
            const table_ptr object = find(name_of(table));
            if (!object) return server_error(no_such_table, "Table doesn't exist: " + name_of(table));
            if (shape && *shape != object->new_shape) world_.violated("one statement saw an old table and a new one");
            shape = object->new_shape;
            if (*shape && is_older_than_swap(self->session)) {
                world_.violated("a transaction read the new table as it was at an older snapshot");
            }
            if (object->rows[key] != truth_[table][key]) {
                world_.violated("a statement read " + std::to_string(object->rows[key]) + " where " +
                                std::to_string(truth_[table][key]) + " had been written, in " + name_of(table) +
                                " row " + std::to_string(key));
            }
        }
        return query_result{};
    };
    start(what);
}

void server_model::read_beside(std::uint64_t session, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->takes = world_.between(20, 400);
    what->done = std::move(done);
    what->text = "SELECT";
    what->effect = [this, session]() -> std::optional<answer> {
        const auto found = sessions_.find(session);
        if (found != sessions_.end() && found->second.in_transaction && !found->second.snapshot_at) {
            found->second.snapshot_at = world_.now();
        }
        return query_result{};
    };
    start(what);
}

bool server_model::is_older_than_swap(std::uint64_t session) const {
    const auto found = sessions_.find(session);
    return found != sessions_.end() && found->second.snapshot_at && swapped_at_ &&
           *found->second.snapshot_at < *swapped_at_;
}

void server_model::commit(std::uint64_t session, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->takes = microseconds(30);
    what->done = std::move(done);
    what->effect = [this, weak = std::weak_ptr(what)]() -> std::optional<answer> {
        const operation_ptr self = weak.lock();
        const auto found = sessions_.find(self->session);
        if (found == sessions_.end()) return query_result{};
        commit_writes(std::exchange(found->second.writes, {}), [this, self] {
            const auto still = sessions_.find(self->session);
            if (still != sessions_.end()) still->second.in_transaction = false;
            if (still != sessions_.end()) still->second.snapshot_at.reset();
            release(self->session, scope::transaction);
            finish(self, query_result{});
        });
        return std::nullopt;
    };
    start(what);
}

void server_model::rollback(std::uint64_t session, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->takes = microseconds(30);
    what->done = std::move(done);
    what->effect = [this, session]() -> std::optional<answer> {
        const auto found = sessions_.find(session);
        if (found != sessions_.end()) {
            found->second.writes.clear();
            found->second.in_transaction = false;
            found->second.snapshot_at.reset();
        }
        release(session, scope::transaction);
        return query_result{};
    };
    start(what);
}

}  // namespace sluice::simulation
