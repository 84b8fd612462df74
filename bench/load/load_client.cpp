#include "bench/load/load_client.hpp"

#include "bench/load/statements.hpp"

#include <algorithm>
#include <thread>

namespace sluice::load {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t messages_kept = 10;
constexpr std::size_t samples_max = 4'000'000;  // 96 MB per connection
constexpr std::uint64_t hot_rows = 16;
constexpr auto reconnect_pause = std::chrono::milliseconds(50);
constexpr unsigned deadlock = 1213;

}  // namespace

load_client::load_client(load_scene& scene, unsigned number)
    : scene_(scene),
      number_(number),
      prepared_(number < scene.options.prepared_connections),
      random_(scene.options.seed * 1'000'003 + number),
      books_(scene.options.filled_rows),
      // Later than every filled row, by more than a year.
      clock_us_(400ULL * 86'400 * 1'000'000),
      next_turn_(steady_clock::now()) {
    const std::uint64_t step = scene.options.connections;
    std::uint64_t id = number_ == 0 ? step : number_;
    for (; id <= scene.options.filled_rows; id += step) choose_from_now_on(id, true);
    next_new_id_ = id;
}

void load_client::run() {
    while (!scene_.stopping) step();
}

void load_client::step() {
    if (below(100) < 25) {
        transaction();
        without_pause_ = false;
    } else {
        any_statement();
    }
    if (connection_.native() == nullptr) reconnect();
}

void load_client::transaction() {
    if (const answer begun = send("BEGIN", {}); !begun.ok()) return note_error(begun, "BEGIN");
    in_transaction_ = true;
    without_pause_ = !scene_.options.pauses_in_transactions;
    pending_.clear();
    bool alive = true;
    const load_options& options = scene_.options;
    const std::uint64_t spread = options.transaction_statements_max - options.transaction_statements_min;
    for (std::uint64_t i = options.transaction_statements_min + below(spread + 1); i > 0 && alive; --i) {
        alive = any_statement();
    }
    in_transaction_ = false;
    const changes made = std::exchange(pending_, {});
    // A connection that is gone takes its open transaction with it.
    if (connection_.native() == nullptr) return;
    if (!alive || below(100) < 20) {
        if (const answer undone = send("ROLLBACK", {}); !undone.ok()) return note_error(undone, "ROLLBACK");
        ++counts_.rolled_back;
        return;
    }
    const answer committed = send("COMMIT", {});
    if (committed.ok()) {
        ++counts_.committed;
        return acknowledge(made);
    }
    if (committed.error != deadlock) doubt(made);
    note_error(committed, "COMMIT");
}

bool load_client::any_statement() {
    if (in_transaction_ && !pending_.empty() && below(100) < 30) {
        const auto again = std::next(pending_.begin(), static_cast<std::ptrdiff_t>(below(pending_.size())));
        const std::uint64_t id = again->first;
        const maybe_row row = again->second;
        if (!row) return insert(id);
        return below(2) == 0 ? update_everything(id, *row) : remove(id);
    }
    if (live_.empty() || below(100) < 20) return insert(absent_id());
    const std::uint64_t id = some_live_id();
    const maybe_row row = now_at(id);
    if (!row) return insert(id);  // deleted by this very transaction
    const std::uint64_t choice = below(100);
    if (choice < 20) return read(id);
    if (choice < 25) return read_by_index(id, *row);
    if (choice < 30 && !absent_.empty()) return read(absent_[below(absent_.size())]);
    if (choice < 50) return update_status(id, *row);
    if (choice < 60) return update_amount(id, *row);
    if (choice < 75) return update_everything(id, *row);
    if (choice < 80) return update_several();
    return remove(id);
}

bool load_client::read(std::uint64_t id) {
    ++counts_.reads;
    const std::string start =
        "SELECT customer, status, amount, note, updated_at FROM " + quoted_name(scene_.options.table) + " WHERE id = ";
    const std::string key = std::to_string(id);
    const answer outcome = prepared_ ? send(start + "?", {key}) : send(start + key, {});
    if (!outcome.ok()) return note_error(outcome, start + key), false;
    const maybe_row expected = now_at(id);
    if (outcome.rows.size() != (expected ? 1U : 0U) || (expected && !matches(*expected, outcome.rows[0]))) {
        note_wrong("read id " + key + ": expected " + shown(expected) + ", got " +
                   (outcome.rows.empty() ? std::string("no row") : shown(outcome.rows[0])));
    }
    return true;
}

bool load_client::read_by_index(std::uint64_t id, const order_row& row) {
    ++counts_.reads;
    const std::string text = "SELECT id FROM " + quoted_name(scene_.options.table) +
                             " WHERE customer = " + std::to_string(row.customer) +
                             " AND status = " + literal(status_names[row.status]);
    const answer outcome = send(text, {});
    if (!outcome.ok()) return note_error(outcome, text), false;
    const cells wanted = {std::to_string(id)};
    if (std::find(outcome.rows.begin(), outcome.rows.end(), wanted) == outcome.rows.end()) {
        note_wrong("id " + std::to_string(id) + " is missing from: " + text);
    }
    return true;
}

bool load_client::insert(std::uint64_t id) {
    ++counts_.inserts;
    const order_row row = random_row();
    const std::string start = insert_start(scene_.options.table);
    if (!prepared_) return write(start + "(" + std::to_string(id) + "," + row_literals(row) + ")", {}, 1, {{id, row}});
    auto parameters = texts(row);
    parameters.insert(parameters.begin(), std::to_string(id));
    return write(start + "(?,?,?,?,?,?)", parameters, 1, {{id, row}});
}

bool load_client::update_status(std::uint64_t id, order_row row) {
    ++counts_.updates;
    row.status = static_cast<std::uint8_t>((row.status + 1) % status_count);
    row.updated_at_us = clock_us_ += 1'000'001;
    const std::string start = "UPDATE " + quoted_name(scene_.options.table) + " SET status = ";
    const std::string status = status_names[row.status];
    const std::string moment = updated_at_text(row.updated_at_us);
    const std::string key = std::to_string(id);
    if (prepared_) return write(start + "?, updated_at = ? WHERE id = ?", {status, moment, key}, 1, {{id, row}});
    return write(start + literal(status) + ", updated_at = " + literal(moment) + " WHERE id = " + key, {}, 1,
                 {{id, row}});
}

// Relative to what the row holds: a change that is applied twice, or to an old version of the row, shows.
bool load_client::update_amount(std::uint64_t id, order_row row) {
    ++counts_.updates;
    const std::int64_t difference_cents = static_cast<std::int64_t>(below(2'000)) - 1'000;
    row.amount_cents += difference_cents;
    row.updated_at_us = clock_us_ += 1'000'001;
    const std::string start = "UPDATE " + quoted_name(scene_.options.table) + " SET amount = amount + ";
    const std::string difference = amount_text(difference_cents);
    const std::string moment = updated_at_text(row.updated_at_us);
    const std::string key = std::to_string(id);
    if (prepared_) {
        return write(start + "CAST(? AS DECIMAL(10,2)), updated_at = ? WHERE id = ?", {difference, moment, key}, 1,
                     {{id, row}});
    }
    return write(start + "(" + difference + "), updated_at = " + literal(moment) + " WHERE id = " + key, {}, 1,
                 {{id, row}});
}

bool load_client::update_everything(std::uint64_t id, order_row row) {
    ++counts_.updates;
    row = random_row();
    const std::string start = "UPDATE " + quoted_name(scene_.options.table) + " SET ";
    const std::string key = std::to_string(id);
    auto values = texts(row);
    if (prepared_) {
        values.push_back(key);
        return write(start + "customer = ?, status = ?, amount = ?, note = ?, updated_at = ? WHERE id = ?", values, 1,
                     {{id, row}});
    }
    return write(start + "customer = " + values[0] + ", status = " + literal(values[1]) + ", amount = " + values[2] +
                     ", note = " + literal(values[3]) + ", updated_at = " + literal(values[4]) + " WHERE id = " + key,
                 {}, 1, {{id, row}});
}

bool load_client::update_several() {
    ++counts_.updates;
    changes made;
    const std::uint64_t moment_us = clock_us_ += 1'000'001;
    const auto status = static_cast<std::uint8_t>(below(status_count));
    std::string keys;
    for (int i = 0; i < 3; ++i) {
        const std::uint64_t id = some_live_id();
        maybe_row row = now_at(id);
        if (!row || made.contains(id)) continue;
        row->status = status;
        row->updated_at_us = moment_us;
        made[id] = row;
        keys += (keys.empty() ? "" : ", ") + std::to_string(id);
    }
    if (made.empty()) return true;
    return write("UPDATE " + quoted_name(scene_.options.table) + " SET status = " + literal(status_names[status]) +
                     ", updated_at = " + literal(updated_at_text(moment_us)) + " WHERE id IN (" + keys + ")",
                 {}, made.size(), made);
}

bool load_client::remove(std::uint64_t id) {
    ++counts_.deletes;
    const std::string start = "DELETE FROM " + quoted_name(scene_.options.table) + " WHERE id = ";
    const std::string key = std::to_string(id);
    if (prepared_) return write(start + "?", {key}, 1, {{id, std::nullopt}});
    return write(start + key, {}, 1, {{id, std::nullopt}});
}

bool load_client::write(const std::string& text, const std::vector<std::string>& parameters, std::uint64_t rows_met,
                        const changes& made) {
    const answer outcome = send(text, parameters);
    if (!outcome.ok()) {
        if (!in_transaction_ && outcome.lost()) doubt(made);
        note_error(outcome, text);
        return false;
    }
    if (outcome.affected != rows_met) {
        note_wrong("met " + std::to_string(outcome.affected) + " rows instead of " + std::to_string(rows_met) + ": " +
                   text);
    }
    if (in_transaction_) {
        for (const auto& [id, row] : made) pending_[id] = row;
    } else {
        acknowledge(made);
    }
    return true;
}

answer load_client::send(const std::string& text, const std::vector<std::string>& parameters) {
    wait_for_turn();
    const auto begin = steady_clock::now();
    answer outcome = parameters.empty() ? connection_.run(text) : connection_.run_prepared(text, parameters);
    const auto us = [](steady_clock::duration time) {
        return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    };
    const auto took_us = us(steady_clock::now() - begin);
    if (outcome.ok()) {
        ++counts_.statements;
        scene_.statements.fetch_add(1, std::memory_order_relaxed);
    }
    if (samples_.size() < samples_max) {
        samples_.push_back({{.began_us = static_cast<std::uint64_t>(us(begin.time_since_epoch())),
                             .latency_us = static_cast<std::uint32_t>(took_us),
                             .error = outcome.error},
                            scene_.phase.load(std::memory_order_relaxed),
                            outcome.lost()});
    }
    return outcome;
}

void load_client::wait_for_turn() {
    if (scene_.options.statements_per_second <= 0) return;
    const std::chrono::duration<double> pause(scene_.options.connections / scene_.options.statements_per_second);
    next_turn_ += std::chrono::duration_cast<steady_clock::duration>(pause);
    if (without_pause_) return;  // the pause behind the transaction is the longer
    // A connection that was held up does not make up for it: that would be a burst no application makes.
    next_turn_ = std::max(next_turn_, steady_clock::now());
    while (!scene_.stopping && steady_clock::now() < next_turn_) {
        const auto longest_nap = steady_clock::now() + std::chrono::milliseconds(50);
        std::this_thread::sleep_until(std::min(next_turn_, longest_nap));
    }
}

void load_client::reconnect() {
    while (!scene_.stopping) {
        const answer outcome = connection_.connect(scene_.options.target);
        if (outcome.ok()) {
            ++counts_.reconnects;
            return;
        }
        note_error(outcome, "connect");
        std::this_thread::sleep_for(reconnect_pause);
    }
}

maybe_row load_client::now_at(std::uint64_t id) const {
    if (in_transaction_) {
        if (const auto changed = pending_.find(id); changed != pending_.end()) return changed->second;
    }
    return books_.at(id);
}

std::uint64_t load_client::some_live_id() {
    // Some rows are hot: they change again and again.
    const std::uint64_t bound = below(100) < 10 ? std::min<std::uint64_t>(hot_rows, live_.size()) : live_.size();
    return live_[below(bound)];
}

std::uint64_t load_client::absent_id() {
    // A key that comes back after its deletion is where a late copy of the old row would show.
    if (!absent_.empty() && below(100) < 40) {
        const std::uint64_t place = below(absent_.size());
        std::swap(absent_[place], absent_.back());
        const std::uint64_t id = absent_.back();
        absent_.pop_back();
        if (!now_at(id)) return id;
    }
    const std::uint64_t id = next_new_id_;
    next_new_id_ += scene_.options.connections;
    return id;
}

order_row load_client::random_row() {
    order_row row = filled_row(random_());
    row.updated_at_us = clock_us_ += 1'000'001;
    return row;
}

void load_client::no_longer_live(std::uint64_t id) {
    const auto found = place_.find(id);
    if (found == place_.end()) return;
    place_[live_.back()] = found->second;
    std::swap(live_[found->second], live_.back());
    live_.pop_back();
    place_.erase(id);
}

void load_client::choose_from_now_on(std::uint64_t id, bool present) {
    if (!present) {
        no_longer_live(id);
        absent_.push_back(id);
    } else if (place_.emplace(id, live_.size()).second) {
        live_.push_back(id);
    }
}

void load_client::acknowledge(const changes& made) {
    for (const auto& [id, row] : made) {
        books_.set(id, row);
        choose_from_now_on(id, row.has_value());
    }
}

void load_client::doubt(const changes& made) {
    if (made.empty()) return;
    ++counts_.unknown_outcomes;
    books::doubtful transaction;
    for (const auto& [id, row] : made) {
        transaction.before.emplace_back(id, books_.at(id));
        transaction.after.emplace_back(id, row);
        no_longer_live(id);
        std::erase(absent_, id);
    }
    books_.add(std::move(transaction));
}

void load_client::note_error(const answer& outcome, const std::string& text) {
    ++counts_.errors;
    ++scene_.errors;
    keep(std::to_string(outcome.error) + " " + outcome.message + ", at: " + text);
    if (outcome.lost()) connection_.close();
}

void load_client::note_wrong(const std::string& what) {
    ++counts_.wrong_answers;
    ++scene_.errors;
    keep("wrong answer: " + what);
}

void load_client::keep(const std::string& message) {
    if (counts_.first_errors.size() >= messages_kept) return;
    counts_.first_errors.push_back("connection " + std::to_string(number_) + ": " + message.substr(0, 400));
}

}  // namespace sluice::load
