#pragma once

// Inserts, changes, moves and deletes rows of a table (id AUTO_INCREMENT, n) until it is told to stop: for tests in
// which a copy of it is killed and goes on.

#include "tests/integration/migration/writer_threads.hpp"
#include "tests/support/mysql_server.hpp"

#include <atomic>
#include <string>

namespace sluice::test {

/// Straight to the server, on a thread of its own. The server must outlive it.
class row_writer {
public:
    row_writer(const mysql_server& server, const std::string& schema, const std::string& table = "t") {
        thread_.start(1, [this, &server, schema, table](unsigned) {
            sql_connection sql = connect(server, schema);
            for (unsigned i = 1; !thread_.stopping(); ++i) {
                const std::string id = "(SELECT id FROM (SELECT FLOOR(RAND() * 9000) + 1 AS id) AS chosen)";
                sql.exec("UPDATE " + table + " SET n = n + 1 WHERE id = " + id);
                sql.exec("INSERT INTO " + table + " (n) VALUES (" + std::to_string(i) + ")");
                sql.exec("DELETE FROM " + table + " WHERE id = " + id);
                sql.exec("UPDATE IGNORE " + table + " SET id = id + 1000000 WHERE id = " + id);
                ++rounds_;
            }
        });
    }
    /// Ends it; throws what it met.
    void stop() { thread_.stop(); }
    [[nodiscard]] unsigned rounds() const { return rounds_; }

private:
    std::atomic<unsigned> rounds_{0};
    writer_threads thread_;
};

}  // namespace sluice::test
