#include "tests/simulation/simulated_run.hpp"

#include "migration/cutover/cutover.hpp"
#include "migration/cutover/swap_check.hpp"
#include "tests/simulation/engine_ports.hpp"
#include "tests/simulation/proxy_model.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace sluice::simulation {

using namespace sluice::migration;

namespace {

constexpr std::size_t shards_max = 3;

migration_plan plan_of(std::size_t table, bool rename_under_lock, milliseconds budget) {
    static const family_ptr mysql = family_of(false, 90700);
    static const family_ptr mariadb = family_of(true, 101100);
    const std::string t = server_model::name_of(table);
    migration_plan plan;
    plan.original = plan.columns.original = {"s", t};
    plan.ghost = plan.columns.ghost = {"s", "_" + t + "_gho"};
    plan.old_table = {"s", "_" + t + "_del"};
    plan.swap_ghost = {"s", t + "~gho"};
    plan.swap_old = {"s", t + "~old"};
    key_column key;
    key.original = key.ghost = "id";
    plan.columns.key = {key};
    copied_column id;
    id.original = id.ghost = "id";
    plan.columns.columns = {id};
    plan.columns.original_index = plan.columns.ghost_index = "PRIMARY";
    plan.family = rename_under_lock ? mysql : mariadb;
    plan.rename_under_lock = rename_under_lock;
    plan.follow_by_gtid = rename_under_lock;
    plan.lock = rename_under_lock ? read_lock::none : read_lock::share;
    plan.options.hold_budget = budget;
    return plan;
}

/// A migration that has copied: its ledger, fed from the log, and an applier.
class follower {
public:
    follower(world& in, server_model& server, std::size_t table, migration_plan plan, bool by_gtid)
        : plan_(std::move(plan)), ledger_({}), world_(in), server_(server), table_(table), by_gtid_(by_gtid) {
        ledger_.set_frontier(copy_frontier(std::nullopt, false));
        stream_position start;
        if (by_gtid_) start.executed.emplace();
        start.at.file_name = "log.000001";
        ledger_.begin_stream(start);
        session_ = server_.open_session();
    }

    [[nodiscard]] const migration_plan& plan() const { return plan_; }
    [[nodiscard]] work_ledger& ledger() { return ledger_; }

    void read(const log_entry& entry) {
        std::optional<binlog::gtid> gtid;
        if (by_gtid_) {
            gtid.emplace();
            gtid->source.server.bytes.back() = 1;
            gtid->number = entry.number;
        }
        std::vector<row_key> keys;
        for (const write_of_row& one : entry.writes) {
            if (one.table == table_) keys.push_back({std::to_string(one.key), ""});
        }
        if (!keys.empty() && entry.kind == log_entry::what::prepared) {
            prepared_.push_back(entry.xid);
            ledger_.set_prepared(prepared_);
        } else if (!keys.empty()) {
            const auto transaction = ledger_.begin_transaction(gtid);
            ledger_.add_changes(transaction, std::move(keys));
            apply_soon(microseconds(300));
        }
        if (entry.kind == log_entry::what::committed_prepared) {
            std::erase(prepared_, entry.xid);
            ledger_.set_prepared(prepared_);
        }
        binlog::coordinates end;
        end.file_name = "log.000001";
        end.position = entry.number;
        ledger_.read_through(gtid, end);
    }

private:
    // As apply_worker: confirm what is visible, take a batch, apply it.
    void apply() {
        if (const auto asked = ledger_.begin_confirmation()) {
            const auto executed = binlog::gtid_set::parse(server_.executed_text());
            ledger_.end_confirmation(*asked, executed && executed->contains(asked->transactions));
        }
        auto batch = ledger_.take_batch(4, milliseconds(0));
        if (!batch) {
            if (ledger_.count().backlog_keys != 0) apply_soon(std::min(pause_ * 2, microseconds(20'000)));
            return;
        }
        pause_ = microseconds(300);
        scheduled_ = true;
        std::vector<std::size_t> keys;
        for (const row_key& key : batch->keys) keys.push_back(static_cast<std::size_t>(std::stoul(key.literals)));
        server_.apply(session_, table_, std::move(keys), [this, taken = std::move(*batch)](const answer& done) {
            if (done) {
                ledger_.batch_applied(taken);
            } else {
                ledger_.batch_failed(taken);
            }
            scheduled_ = false;
            apply_soon(world_.between(100, 1'500));
        });
    }

    void apply_soon(microseconds pause) {
        if (std::exchange(scheduled_, true)) return;
        pause_ = pause;
        world_.after(pause, [this] {
            scheduled_ = false;
            apply();
        });
    }

    migration_plan plan_;
    work_ledger ledger_;
    world& world_;
    server_model& server_;
    std::size_t table_;
    bool by_gtid_;
    std::uint64_t session_ = 0;
    bool scheduled_ = false;
    microseconds pause_{300};
    std::vector<std::string> prepared_;
};

class seeded_run {
public:
    seeded_run(std::uint64_t seed, bool traced);
    run_result play();

private:
    void begin_feed();
    void attempt(std::uint32_t number);
    bool settle();
    bool settle_behind_death(bool died);
    void check_between_attempts();
    void check_books();
    [[nodiscard]] bool quiet() const;

    world world_;
    bool sentry_;
    std::size_t tables_;
    server_model server_;
    proxy_model proxy_;
    std::vector<std::unique_ptr<follower>> followers_;
    engine_executor executor_;
    simulated_surroundings around_;
    std::vector<std::unique_ptr<client>> clients_;
    time_point feed_at_{};
    run_result result_;
    bool swapped_ = false;
};

engine_faults draw_faults(world& in) {
    engine_faults faults;
    if (in.chance(4'000)) faults.lost_in_ten_thousand = 400;
    if (in.chance(3'000)) faults.slow_in_ten_thousand = 400;
    if (in.chance(1'500)) faults.dies_at_statement = 1 + in.below(60);
    return faults;
}

seeded_run::seeded_run(std::uint64_t seed, bool traced)
    : world_(seed, traced),
      sentry_(world_.chance(5'000)),
      tables_(world_.chance(3'000) ? 2 + world_.below(2) : 1),
      server_(world_, {.rename_under_lock = !sentry_, .forgets_locks_of_detached_xa = sentry_}, tables_),
      proxy_(world_, tables_, 1 + world_.below(shards_max),
             {.held_statements_max = world_.chance(1'000) ? 2U : 1'000U}),
      executor_(world_, server_, draw_faults(world_)),
      around_(world_) {
    const auto budget = milliseconds(world_.chance(2'000) ? 15 : 60 + world_.below(140));
    for (std::size_t i = 0; i < tables_; ++i) {
        followers_.push_back(std::make_unique<follower>(world_, server_, i, plan_of(i, !sentry_, budget), !sentry_));
    }
    begin_feed();
    const auto proxied = 2 + world_.below(5);
    const auto direct = world_.below(3);
    for (unsigned i = 0; i < proxied + direct; ++i) {
        clients_.push_back(std::make_unique<client>(world_, server_, i < proxied ? &proxy_ : nullptr,
                                                    i % proxy_.shards(), i + 1, 5 + world_.below(25)));
        clients_.back()->begin();
    }
    result_.group = tables_ > 1;
    result_.sentry = sentry_;
}

void seeded_run::begin_feed() {
    server_.on_swapped = [this] { proxy_.check_swap(); };
    server_.on_logged = [this](const log_entry& entry) {
        auto delay = world_.between(20, 800);
        if (world_.chance(100)) delay = world_.between(5'000, 150'000);
        feed_at_ = std::max(feed_at_, world_.now() + delay);
        world_.at(feed_at_, [this, entry] {
            for (const auto& one : followers_) one->read(entry);
        });
    };
}

bool seeded_run::quiet() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& one) { return one->ended(); });
}

// As migration_run::ask_until_known() and, after a death, settle_interrupted().
bool seeded_run::settle() {
    for (int times = 0; times < 40; ++times) {
        executor_.heal();
        auto session = executor_.connect();
        if (!session) continue;
        const statement_runner run = [&session](std::string_view sql) { return (*session)->run(sql); };
        bool all = true;
        std::size_t swapped = 0;
        for (const auto& one : followers_) {
            const auto state = settle_swap(run, one->plan(), around_);
            if (!state) {
                world_.trace("settle: " + state.error().message);
                all = false;
                break;
            }
            if (*state == swap_state::swapped) ++swapped;
            if (*state == swap_state::neither) world_.violated("neither ghost nor old table is there");
        }
        if (!all) {
            world_.run_for(milliseconds(100));
            continue;
        }
        if (swapped != 0 && swapped != followers_.size())
            world_.violated("some tables of the group are swapped, some not");
        return swapped != 0;
    }
    world_.violated("which table is which could not be settled");
    return false;
}

// Whoever starts again asks, and asks again when it drops what was left: what the dead process had sent may come late,
// but what was said first must stay true.
bool seeded_run::settle_behind_death(bool died) {
    const bool swapped = settle();
    if (!died || swapped) return swapped;
    world_.run_for(milliseconds(100));
    if (settle()) world_.violated("a swap took place behind the answer that there was none");
    return false;
}

void seeded_run::attempt(std::uint32_t number) {
    std::vector<cutover_member> members;
    for (const auto& one : followers_) members.push_back({one->plan(), one->ledger()});
    cutover changing_places(std::move(members), executor_, proxy_, around_);
    cutover_outcome made = changing_places.attempt(number);
    if (world_.traced()) {
        world_.trace("attempt ends " + std::to_string(static_cast<int>(made.end)) + " " + made.report.given_up_because +
                     (made.why ? " | " + made.why->message : ""));
    }
    const bool died = executor_.dead();
    if (made.end == cutover_end::unknown) {
        ++result_.unknown;
        made.end = settle_behind_death(died) ? cutover_end::swapped : cutover_end::given_up;
        // As migration_run; of a process that has died nobody tells.
        const bool swapped = made.end == cutover_end::swapped;
        if (!died) (void)proxy_.open(swapped ? gate_opening::swapped : gate_opening::given_up);
        if (made.end == cutover_end::given_up) {
            for (const auto& one : followers_) one->ledger().unpark_batches();
        }
    } else if (died || made.end == cutover_end::swapped) {
        // Behind a swap as migration_run::tidy(), for the names.
        const bool swapped = settle_behind_death(died);
        if (swapped != (made.end == cutover_end::swapped))
            world_.violated("an attempt ended in another way than it says");
    }
    switch (made.end) {
        case cutover_end::swapped: ++result_.swapped; break;
        case cutover_end::failed: ++result_.failed; break;
        default: ++result_.given_up; break;
    }
    if (made.end == cutover_end::failed && !died) {
        world_.violated("an attempt failed for good: " + (made.why ? made.why->message : std::string()));
    }
    swapped_ = made.end == cutover_end::swapped;
    check_between_attempts();
}

void seeded_run::check_between_attempts() {
    // A late shard and a lost connection have their time.
    world_.run_for(std::chrono::milliseconds(2'600));
    if (!proxy_.all_open()) world_.violated("a gate is closed, or somebody is held, after the attempt");
    if (executor_.has_locks()) world_.violated("a session of the engine has locks after the attempt");
    for (std::size_t i = 0; i < tables_; ++i) {
        const std::string t = server_model::name_of(i);
        if (!server_.find(t) || server_.find(t)->new_shape != swapped_) {
            world_.violated("the name " + t + " does not stand for the table that it should");
        }
        if (!!server_.find("_" + t + "_gho") == swapped_) world_.violated("the ghost is there, or is not");
        if (!!server_.find("_" + t + "_del") != swapped_) world_.violated("the old table is there, or is not");
        if (server_.find(t + "~gho") || server_.find(t + "~old")) world_.violated("a name of the attempt was left");
    }
}

void seeded_run::check_books() {
    const auto limit = world_.now() + std::chrono::seconds(60);
    world_.run_until(limit, [this] { return quiet() && !server_.has_open_writes(); });
    if (!quiet()) world_.violated("a client waits for ever");
    const auto all_applied = [this] {
        return std::all_of(followers_.begin(), followers_.end(),
                           [](const auto& one) { return one->ledger().count().backlog_keys == 0; });
    };
    world_.run_for(milliseconds(400));  // the log's last entries
    if (!swapped_ && !world_.run_until(world_.now() + std::chrono::seconds(10), all_applied)) {
        world_.violated("the applier does not go on after an attempt that was given up");
    }
    for (std::size_t i = 0; i < tables_; ++i) {
        const std::string t = server_model::name_of(i);
        const table_ptr live = server_.find(t);
        if (!live) continue;
        if (live->rows != server_.truth(i)) world_.violated("an acknowledged write is not in " + t);
        const table_ptr ghost = server_.find("_" + t + "_gho");
        if (!swapped_ && ghost && ghost->rows != server_.truth(i)) {
            world_.violated("the ghost of " + t + " lacks a change after an attempt that was given up");
        }
    }
}

run_result seeded_run::play() {
    world_.run_for(world_.between(0, 30'000));
    constexpr std::uint32_t attempts_max = 3;
    for (std::uint32_t number = 1; number <= attempts_max && !swapped_ && world_.violation().empty(); ++number) {
        attempt(number);
        if (!executor_.dead() && world_.chance(5'000)) executor_.heal();
    }
    if (world_.violation().empty()) check_books();
    result_.violation = world_.violation();
    return result_;
}

}  // namespace

run_result run_seed(std::uint64_t seed, bool traced) {
    try {
        return seeded_run(seed, traced).play();
    } catch (const std::exception& error) {
        run_result tripped;
        tripped.violation = error.what();
        return tripped;
    }
}

}  // namespace sluice::simulation
