#pragma once

// One client connection of the load: every failure is a value, because failures are what the load is there to count.

#include "bench/load/books.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

struct st_mysql;
struct st_mysql_stmt;

namespace sluice::load {

struct answer {
    unsigned error = 0;  ///< the server's number, or the client library's from 2000; 0: success
    std::string message;
    std::uint64_t affected = 0;  ///< rows met, also those that an UPDATE left as they were
    std::vector<std::vector<std::optional<std::string>>> rows;

    [[nodiscard]] bool ok() const { return error == 0; }
    /// The connection is gone, or the server is shutting down: whether the statement took effect is not known.
    [[nodiscard]] bool lost() const { return error >= 2000 || error == 1053; }
};

/// Belongs to one thread at a time.
class load_connection {
public:
    load_connection() = default;
    load_connection(load_connection&&) noexcept;
    load_connection& operator=(load_connection&&) = delete;
    ~load_connection();

    /// Closes what is open and connects anew.
    [[nodiscard]] answer connect(const endpoint& where);
    void close();

    [[nodiscard]] answer run(const std::string& statement);
    /// The same by the binary protocol: '?' stands for each parameter. The statement is prepared at its first use.
    [[nodiscard]] answer run_prepared(const std::string& statement, const std::vector<std::string>& parameters);

    /// For reading a result row by row.
    [[nodiscard]] st_mysql* native() { return connection_; }

private:
    [[nodiscard]] answer failure() const;

    st_mysql* connection_ = nullptr;
    std::map<std::string, st_mysql_stmt*> prepared_;
};

}  // namespace sluice::load
