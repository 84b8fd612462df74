#pragma once

// The engine's ports, on the model: calls that block let the world go on meanwhile. Connections may be lost at each
// statement: before it, behind it, in the midst of it, or so that the server still gets to read it much later.

#include "migration/cutover/attempt_surroundings.hpp"
#include "migration/ports/sql_executor.hpp"
#include "tests/simulation/server_model.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::simulation {

struct engine_faults {
    unsigned lost_in_ten_thousand = 0;    ///< statements whose connection is lost
    unsigned slow_in_ten_thousand = 0;    ///< statements that take long on their way, or very long
    std::uint64_t dies_at_statement = 0;  ///< from then on all connections are lost and none is to be had; 0: never
};

class engine_executor final : public migration::sql_executor {
public:
    engine_executor(world& in, server_model& server, engine_faults faults)
        : world_(in), server_(server), faults_(faults) {}

    migration::outcome<std::unique_ptr<migration::sql_session>> connect() override;

    /// No more faults: what was dead has been started again.
    void heal() { faults_ = {}; }
    [[nodiscard]] bool dead() const {
        return faults_.dies_at_statement != 0 && statements_ >= faults_.dies_at_statement;
    }
    [[nodiscard]] std::uint64_t statements() const { return statements_; }
    /// Sessions that it has opened and whose locks the server still has.
    [[nodiscard]] bool has_locks() const;

private:
    friend class engine_session;
    world& world_;
    server_model& server_;
    engine_faults faults_;
    std::uint64_t statements_ = 0;
    std::vector<std::uint64_t> opened_;
};

/// One statement on its way.
struct on_its_way {
    std::optional<answer> result;
};

class engine_session final : public migration::sql_session {
public:
    engine_session(engine_executor& of, std::uint64_t id) : of_(of), id_(id) {}
    ~engine_session() override {
        if (!*unread_) of_.server_.lose(id_);
    }
    engine_session(const engine_session&) = delete;
    engine_session& operator=(const engine_session&) = delete;

    migration::outcome<migration::query_result> run(std::string_view sql) override;
    [[nodiscard]] std::uint64_t connection_id() const override { return id_; }

    [[nodiscard]] std::shared_ptr<on_its_way> begin(std::string_view sql);

private:
    engine_executor& of_;
    std::uint64_t id_;
    void leave_unread(std::string_view sql);

    std::shared_ptr<bool> dead_ = std::make_shared<bool>(false);  ///< outlives it in events
    /// The server has a statement of its before it to read: only then it finds that the client has gone.
    std::shared_ptr<bool> unread_ = std::make_shared<bool>(false);
};

class simulated_surroundings final : public migration::attempt_surroundings {
public:
    explicit simulated_surroundings(world& in) : world_(in) {}

    time_point now() override { return world_.now(); }
    void sleep_for(milliseconds time) override { world_.run_for(time); }
    std::unique_ptr<migration::kill_timer> watch(std::unique_ptr<migration::sql_session> killer,
                                                 std::uint64_t victim) override;
    std::unique_ptr<migration::running_statement> start(migration::sql_session& session, std::string sql) override;
    bool park_batches(migration::work_ledger& ledger, time_point until) override;
    bool wait_read_through(migration::work_ledger& ledger, const migration::stream_position& position,
                           time_point until) override;

private:
    world& world_;
};

}  // namespace sluice::simulation
