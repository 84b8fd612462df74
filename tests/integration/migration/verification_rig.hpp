#pragma once

// Original and ghost on a real server, with a ledger and an applier but no stream: what the comparison before the swap
// makes of them, step by step. Markers come back as soon as they are written.

#include "migration/apply/apply_worker.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/checksum/table_verification.hpp"
#include "migration/engine/preparation.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "migration/ports/reconnecting_session.hpp"
#include "migration/sql/copy_statements.hpp"
#include "tests/integration/migration/engine_rig.hpp"

#include <stdexcept>
#include <string>
#include <thread>

namespace sluice::test {

class verification_rig {
public:
    /// columns: the original's definition, in parentheses. values: what follows VALUES; may be empty.
    verification_rig(const mysql_server& server, const std::string& table, const std::string& columns,
                     const std::string& values, const std::string& alter)
        : root(connect(server, "test")),
          original("`test`.`" + table + "`"),
          ghost("`test`.`_" + table + "_gho`"),
          executor_(engine_address(server)),
          session_(executor_, [] { return false; }) {
        root.exec("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'");
        root.exec("CREATE TABLE " + original + " " + columns);
        if (!values.empty()) root.exec("INSERT INTO " + original + " VALUES " + values);
        prepare({{"test", table}, alter, {}});
        must(session_.run(migration::copy_chunk_statement(plan_.columns, {}, migration::read_lock::none, false)));
        ledger_.set_frontier(migration::copy_frontier(std::nullopt, false));
        verification.emplace(plan_, ledger_, session_, [this]() -> migration::outcome<std::uint64_t> {
            ledger_.marker_seen(++marker_);
            return marker_;
        });
        must(verification->prepare());
        applier_ = std::thread([this] { migration::apply_worker(plan_, ledger_, executor_).run(); });
    }
    ~verification_rig() {
        ledger_.stop();
        if (applier_.joinable()) applier_.join();
    }
    verification_rig(const verification_rig&) = delete;
    verification_rig& operator=(const verification_rig&) = delete;

    /// One whole pass. between: called before each step.
    migration::outcome<migration::pass_counts> pass(const std::function<void()>& between = [] {}) {
        verification->begin_pass();
        while (true) {
            between();
            SLUICE_TRY(const bool more, verification->step());
            if (const auto failed = ledger_.first_failure()) return *failed;
            if (!more) return verification->report().last_pass;
        }
    }

    [[nodiscard]] const migration::migration_plan& plan() const { return plan_; }
    [[nodiscard]] migration::work_ledger& ledger() { return ledger_; }

    sql_connection root;
    const std::string original;
    const std::string ghost;
    std::optional<migration::table_verification> verification;

private:
    template <class T>
    static T must(migration::outcome<T> done) {
        if (!done) throw std::runtime_error(done.error().code + ": " + done.error().message);
        return std::move(done).value();
    }
    static void must(migration::outcome<void> done) {
        if (!done) throw std::runtime_error(done.error().code + ": " + done.error().message);
    }

    void prepare(const migration::migration_spec& spec) {
        must(session_.connect());
        const auto facts = must(migration::check_server(session_));
        const auto alter = must(migration::parse_alter_of(spec));
        migration::own_tables own;
        plan_ = must(migration::prepare_tables(session_, spec, alter, facts, own)).plan;
    }

    migration::mysql_executor executor_;
    migration::reconnecting_session session_;
    migration::migration_plan plan_;
    migration::work_ledger ledger_{{}};
    std::uint64_t marker_ = 0;
    std::thread applier_;
};

}  // namespace sluice::test
