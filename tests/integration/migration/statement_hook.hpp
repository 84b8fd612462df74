#pragma once

// Looks over the shoulder of the engine's sessions: a test hears of each statement before it is sent and after it was
// answered, so that it can act on the server at exactly that moment. The server and the connections are real.

#include "migration/ports/sql_executor.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace sluice::test {

/// Called on the engine's threads, several at a time. Set before the engine starts.
struct statement_hook {
    /// The statement is about to be sent on this connection.
    std::function<void(std::string_view sql, std::uint64_t connection)> before;
    /// It was answered; the answer may be replaced, for what no server can be made to say.
    std::function<void(std::string_view sql, std::uint64_t connection, migration::outcome<migration::query_result>&)>
        after;
};

class hooked_executor final : public migration::sql_executor {
public:
    hooked_executor(std::shared_ptr<migration::sql_executor> real, statement_hook hook)
        : real_(std::move(real)), hook_(std::make_shared<const statement_hook>(std::move(hook))) {}

    migration::outcome<std::unique_ptr<migration::sql_session>> connect() override {
        SLUICE_TRY(auto session, real_->connect());
        return std::unique_ptr<migration::sql_session>(std::make_unique<hooked_session>(std::move(session), hook_));
    }

private:
    class hooked_session final : public migration::sql_session {
    public:
        hooked_session(std::unique_ptr<migration::sql_session> real, std::shared_ptr<const statement_hook> hook)
            : real_(std::move(real)), hook_(std::move(hook)) {}

        migration::outcome<migration::query_result> run(std::string_view sql) override {
            if (hook_->before) hook_->before(sql, connection_id());
            auto answer = real_->run(sql);
            if (hook_->after) hook_->after(sql, connection_id(), answer);
            return answer;
        }
        [[nodiscard]] std::uint64_t connection_id() const override { return real_->connection_id(); }

    private:
        std::unique_ptr<migration::sql_session> real_;
        std::shared_ptr<const statement_hook> hook_;
    };

    std::shared_ptr<migration::sql_executor> real_;
    std::shared_ptr<const statement_hook> hook_;
};

}  // namespace sluice::test
