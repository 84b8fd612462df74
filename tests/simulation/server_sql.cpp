// The engine's statements, as text: recognised by how they begin. And XA.

#include "migration/cutover/sentry_swap.hpp"
#include "tests/simulation/server_model.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::simulation {

using migration::cell;
using migration::query_result;

namespace {

constexpr unsigned table_exists = 1050;
constexpr unsigned no_such_table = 1146;
constexpr unsigned lock_wait_timeout = 1205;
constexpr microseconds row_wait_poll{300};
constexpr std::string_view reads_a_table = "SELECT 1 FROM `s`.`";

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The table names of `s`.`name`, in their order.
std::vector<std::string> names_in(std::string_view sql) {
    std::vector<std::string> names;
    constexpr std::string_view schema = "`s`.`";
    for (std::size_t at = sql.find(schema); at != std::string_view::npos; at = sql.find(schema, at)) {
        at += schema.size();
        const auto end = sql.find('`', at);
        names.emplace_back(sql.substr(at, end - at));
        at = end;
    }
    return names;
}

std::uint64_t number_at(std::string_view text, std::size_t at) {
    std::uint64_t value = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), value);
    return value;
}

/// The numbers of `… IN (1,2,3)`.
std::vector<std::size_t> keys_in(std::string_view sql) {
    std::vector<std::size_t> keys;
    constexpr std::string_view word = " IN (";
    auto at = sql.rfind(word);
    if (at == std::string_view::npos) return keys;
    at += word.size();
    for (const auto end = sql.find(')', at); at < end; ++at) {
        if (sql[at] >= '0' && sql[at] <= '9') {
            keys.push_back(number_at(sql, at));
            while (at < end && sql[at] >= '0' && sql[at] <= '9') ++at;
        }
    }
    return keys;
}

query_result row_of(std::vector<cell> cells) {
    query_result result;
    result.rows.push_back(std::move(cells));
    return result;
}

/// The text between the first two apostrophes behind `word`.
std::string quoted_behind(std::string_view sql, std::string_view word) {
    const auto at = sql.find(word);
    if (at == std::string_view::npos) return {};
    const auto begin = sql.find('\'', at) + 1;
    return std::string(sql.substr(begin, sql.find('\'', begin) - begin));
}

}  // namespace

answer server_model::processlist(std::string_view sql) const {
    query_result result;
    const std::string pending = quoted_behind(sql, "INSTR(info, ");
    for (const auto& [id, session] : sessions_) {
        if (!session.running) continue;
        const operation& running = *session.running;
        if (pending.empty() ? running.waiting
                            : running.text.starts_with("RENAME TABLE ") && has(running.text, pending)) {
            result.rows.push_back({std::to_string(id), "s", running.text});
        }
    }
    return result;
}

// Whoever asks has locks of their own: a table that is locked exclusively by somebody else is left out.
answer server_model::information_schema_tables(std::string_view sql) const {
    query_result result;
    const bool all_names = has(sql, "table_name IN (");
    for (const auto& [name, object] : tables_) {
        if (!has(sql, "'" + name + "'")) continue;
        const auto lock = locks_.find(name);
        const bool exclusive =
            lock != locks_.end() && std::any_of(lock->second.granted.begin(), lock->second.granted.end(),
                                                [](const auto& one) { return one.type == lock_type::exclusive; });
        const cell comment = exclusive ? cell() : cell(object->sentry ? std::string(migration::sentry_comment) : "");
        if (!all_names) {
            if (comment) result.rows.push_back({comment});
            continue;
        }
        // swap_check's own: comment, and which of its four names it is.
        std::vector<cell> row{comment};
        for (std::size_t at = sql.find(") = CAST("); at != std::string_view::npos; at = sql.find(") = CAST(", at + 1)) {
            row.emplace_back(has(sql.substr(at, 12 + name.size()), "'" + name + "'") ? "1" : "0");
        }
        result.rows.push_back(std::move(row));
    }
    return result;
}

std::optional<answer> server_model::answer_at_once(std::uint64_t session, std::string_view sql) {
    if (sql.starts_with("SELECT GET_LOCK(")) {
        sessions_[session].user_lock = quoted_behind(sql, "GET_LOCK(");
        return row_of({"1"});
    }
    if (sql.starts_with("SELECT IS_USED_LOCK(")) {
        const std::string name = quoted_behind(sql, "IS_USED_LOCK(");
        for (const auto& [id, one] : sessions_) {
            if (one.user_lock == name) return row_of({std::to_string(id)});
        }
        return row_of({std::nullopt});
    }
    if (sql.starts_with("KILL QUERY ")) {
        kill_query(number_at(sql, 11));
        return query_result{};
    }
    if (sql.starts_with("KILL ")) {
        const auto victim = number_at(sql, 5);
        if (!exists(victim)) return server_error(1094, "Unknown thread id");
        kill_connection(victim);
        return query_result{};
    }
    if (sql.starts_with("SET SESSION lock_wait_timeout = ")) {
        sessions_[session].lock_wait_max = std::chrono::seconds(number_at(sql, 32));
        return query_result{};
    }
    if (sql == "SELECT @@GLOBAL.gtid_executed") return row_of({executed_text()});
    if (has(sql, "MASTER STATUS") || has(sql, "BINLOG STATUS") || has(sql, "BINARY LOG STATUS")) {
        return row_of({"log.000001", std::to_string(logged_)});
    }
    if (sql == "SELECT @@GLOBAL.max_write_lock_count") return row_of({"18446744073709551615"});
    if (has(sql, "_schema.processlist")) return processlist(sql);
    if (has(sql, "information_schema.tables")) return information_schema_tables(sql);
    if (sql.starts_with("UNLOCK TABLES")) {
        std::vector<std::string> freed;
        for (auto& [name, lock] : locks_) {
            const auto gone = std::erase_if(lock.granted, [&](const granted_lock& one) {
                return one.session == session && one.keeps == scope::session;
            });
            if (gone != 0) freed.push_back(name);
        }
        for (const auto& name : freed) grant_pending(name);
        return query_result{};
    }
    // Triggers, foreign keys, lock holders, the counter: this model has none.
    if (sql.starts_with("SELECT") || sql.starts_with("SHOW") || sql.starts_with("SET")) return query_result{};
    return std::nullopt;
}

answer server_model::rename_now(const std::vector<std::pair<std::string, std::string>>& pairs) {
    const auto before = tables_;
    for (const auto& [from, to] : pairs) {
        const auto found = tables_.find(from);
        if (found == tables_.end() || tables_.contains(to)) {
            const bool is_gone = found == tables_.end();
            tables_ = before;
            return is_gone ? server_error(no_such_table, "Table doesn't exist: " + from)
                           : server_error(table_exists, "Table exists already: " + to);
        }
        tables_[to] = found->second;
        tables_.erase(from);
    }
    return query_result{};
}

void server_model::plan_rename(const operation_ptr& what, std::string_view sql) {
    const auto names = names_in(sql);
    std::vector<std::pair<std::string, std::string>> pairs;
    for (std::size_t i = 0; i + 1 < names.size(); i += 2) pairs.emplace_back(names[i], names[i + 1]);
    std::set<std::string> all(names.begin(), names.end());
    for (const auto& name : all) what->wishes.push_back({name, lock_type::exclusive});
    what->takes = world_.between(200, 4'000);
    what->effect = [this, pairs = std::move(pairs)]() -> std::optional<answer> {
        answer done = rename_now(pairs);
        const bool swaps = done && std::any_of(pairs.begin(), pairs.end(), [](const auto& one) {
                               return !has(one.first, "~") && one.first[0] == 't';
                           });
        if (swaps) swapped_at_ = world_.now();
        if (swaps && on_swapped) on_swapped();
        return done;
    };
}

void server_model::plan_delete(const operation_ptr& what, std::string_view sql) {
    const std::string ghost = names_in(sql).front();
    what->wishes = {{ghost, lock_type::write}};
    what->effect = [this, ghost, keys = keys_in(sql)]() -> std::optional<answer> {
        const table_ptr object = find(ghost);
        if (!object) return server_error(no_such_table, ghost);
        for (const auto key : keys) object->rows[key] = missing;
        return query_result{};
    };
}

// INSERT INTO ghost … SELECT … FROM original: what is committed, or behind a locking read what will be.
void server_model::carry(const operation_ptr& what, const std::string& ghost, const std::string& original,
                         const std::vector<std::size_t>& keys, bool locking, time_point until) {
    if (what->over) return;
    const table_ptr from = find(original);
    const table_ptr to = find(ghost);
    if (!from || !to) return finish(what, server_error(no_such_table, from ? ghost : original));
    const bool waits = locking && std::any_of(keys.begin(), keys.end(),
                                              [&](auto key) { return row_is_locked(from, key, what->session); });
    if (waits && world_.now() >= until) return finish(what, server_error(lock_wait_timeout, "a row's lock"));
    if (waits) {
        world_.after(row_wait_poll, [=, this] { carry(what, ghost, original, keys, locking, until); });
        return;
    }
    for (const auto key : keys) to->rows[key] = from->rows[key];
    finish(what, query_result{});
}

void server_model::plan_insert(const operation_ptr& what, std::string_view sql) {
    const auto names = names_in(sql);
    const std::string ghost = names.front();
    const std::string original = names.back();
    what->wishes = {{ghost, lock_type::write}, {original, lock_type::read}};
    const bool locking = has(sql, "LOCK IN SHARE MODE") || has(sql, "FOR SHARE");
    what->effect = [=, this, weak = std::weak_ptr(what), keys = keys_in(sql)]() -> std::optional<answer> {
        carry(weak.lock(), ghost, original, keys, locking, world_.now() + milliseconds(1'000));
        return std::nullopt;
    };
}

void server_model::plan_statement(const operation_ptr& what, std::string_view sql) {
    if (sql.starts_with("LOCK TABLES ")) {
        for (const auto& name : names_in(sql)) what->wishes.push_back({name, lock_type::no_read_write});
        what->keeps = scope::session;
        what->effect = []() -> std::optional<answer> { return query_result{}; };
    } else if (sql.starts_with(reads_a_table)) {
        what->wishes = {{names_in(sql).front(), lock_type::read}};
        what->effect = []() -> std::optional<answer> { return query_result{}; };
    } else if (sql.starts_with("RENAME TABLE ")) {
        plan_rename(what, sql);
    } else if (sql.starts_with("DELETE FROM ")) {
        plan_delete(what, sql);
    } else if (sql.starts_with("INSERT INTO ")) {
        plan_insert(what, sql);
    } else if (sql.starts_with("CREATE TABLE ") || sql.starts_with("DROP TABLE ")) {
        const std::string name = names_in(sql).front();
        const bool create = sql.starts_with("CREATE");
        what->wishes = {{name, lock_type::exclusive}};
        what->effect = [this, weak = std::weak_ptr(what), name, create]() -> std::optional<answer> {
            if (create == tables_.contains(name)) {
                return server_error(create ? table_exists : no_such_table, name);
            }
            if (create) {
                tables_[name] = std::make_shared<table_object>();
                tables_[name]->sentry = true;
            } else {
                tables_.erase(name);
                // Under LOCK TABLES the lock goes with the table.
                const auto session = weak.lock()->session;
                std::erase_if(locks_[name].granted, [&](const auto& one) { return one.session == session; });
                grant_pending(name);
            }
            return query_result{};
        };
    } else {
        world_.violated("the model does not know this statement: " + std::string(sql));
        what->effect = []() -> std::optional<answer> { return query_result{}; };
    }
}

void server_model::run_sql(std::uint64_t session, std::string_view sql, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->done = std::move(done);
    what->text = std::string(sql);
    what->takes = world_.between(20, 300);
    const bool at_once = (sql.starts_with("SELECT") && !sql.starts_with(reads_a_table)) || sql.starts_with("SHOW") ||
                         sql.starts_with("SET") || sql.starts_with("KILL") || sql.starts_with("UNLOCK");
    if (at_once) {
        what->keeps = scope::session;
        what->effect = [this, session, text = what->text] { return answer_at_once(session, text); };
    } else {
        plan_statement(what, sql);
    }
    start(what);
}

void server_model::apply(std::uint64_t session, std::size_t table, std::vector<std::size_t> keys, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->done = std::move(done);
    what->text = "the applier's batch";
    what->takes = world_.between(50, 2'000);
    const std::string ghost = "_" + name_of(table) + "_gho";
    const std::string original = name_of(table);
    what->wishes = {{ghost, lock_type::write}, {original, lock_type::read}};
    what->effect = [=, this, weak = std::weak_ptr(what), keys = std::move(keys)]() -> std::optional<answer> {
        carry(weak.lock(), ghost, original, keys, !kind_.rename_under_lock, world_.now() + milliseconds(1'000));
        return std::nullopt;
    };
    start(what);
}

void server_model::xa_prepare(std::uint64_t session, std::string xid, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->keeps = scope::session;
    what->takes = microseconds(50);
    what->done = std::move(done);
    what->effect = [this, session, xid = std::move(xid)]() -> std::optional<answer> {
        const auto found = sessions_.find(session);
        if (found == sessions_.end()) return query_result{};
        log({.kind = log_entry::what::prepared, .number = 0, .xid = xid, .writes = found->second.writes});
        prepared_[xid] = std::exchange(found->second.writes, {});
        prepared_by_[xid] = session;
        return query_result{};
    };
    start(what);
}

void server_model::xa_commit(std::uint64_t session, std::string xid, on_answer done) {
    auto what = std::make_shared<operation>();
    what->session = session;
    what->keeps = scope::session;
    what->takes = microseconds(50);
    what->done = std::move(done);
    what->effect = [this, weak = std::weak_ptr(what), xid = std::move(xid)]() -> std::optional<answer> {
        const operation_ptr self = weak.lock();
        const auto found = prepared_.find(xid);
        if (found == prepared_.end()) return server_error(1397, "XAER_NOTA");
        log({.kind = log_entry::what::committed_prepared, .number = 0, .xid = xid, .writes = found->second});
        invisible_.insert(logged_);
        const auto number = logged_;
        world_.after(world_.between(5, 2'000), [this, self, xid, number] {
            invisible_.erase(number);
            for (const write_of_row& one : prepared_[xid]) {
                one.object->rows[one.key] = one.value;
                truth_[one.table][one.key] = one.value;
            }
            prepared_.erase(xid);
            const auto by = prepared_by_.find(xid);
            const std::uint64_t preparer = by == prepared_by_.end() ? 0 : by->second;
            prepared_by_.erase(xid);
            const auto of = sessions_.find(preparer);
            if (of != sessions_.end()) of->second.in_transaction = false;
            release(preparer, of == sessions_.end() ? scope::statement : scope::transaction);
            finish(self, query_result{});
        });
        return std::nullopt;
    };
    start(what);
}

}  // namespace sluice::simulation
