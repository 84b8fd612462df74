#pragma once

// A session that answers by a script: the first rule whose text stands in the statement.

#include "migration/ports/sql_executor.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

class scripted_session final : public migration::sql_session {
public:
    using rows = std::vector<std::vector<migration::cell>>;

    /// Later rules come after earlier ones.
    scripted_session& when(std::string part, std::vector<std::string> columns, rows answer) {
        migration::query_result result;
        result.columns = std::move(columns);
        result.rows = std::move(answer);
        rules_.emplace_back(std::move(part), std::move(result));
        return *this;
    }
    scripted_session& fail_when(std::string part, unsigned number, std::string code) {
        migration::failure failed;
        failed.code = std::move(code);
        failed.server_errno = number;
        rules_.emplace_back(std::move(part), std::move(failed));
        return *this;
    }

    migration::outcome<migration::query_result> run(std::string_view sql) override {
        statements.emplace_back(sql);
        for (const auto& [part, answer] : rules_) {
            if (sql.find(part) != std::string_view::npos) return answer;
        }
        return migration::query_result();
    }
    [[nodiscard]] std::uint64_t connection_id() const override { return 1; }

    std::vector<std::string> statements;

private:
    std::vector<std::pair<std::string, migration::outcome<migration::query_result>>> rules_;
};

}  // namespace sluice::test
