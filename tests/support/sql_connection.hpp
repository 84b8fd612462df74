#pragma once

// A test's own connection to a server, or through the proxy: statements in, rows of text out.

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct st_mysql;

namespace sluice::test {

/// What the server (or the client library, numbers from 2000) said.
class sql_error : public std::runtime_error {
public:
    sql_error(unsigned number, std::string state, const std::string& message)
        : std::runtime_error(message), number_(number), state_(std::move(state)) {}
    [[nodiscard]] unsigned number() const { return number_; }
    [[nodiscard]] const std::string& state() const { return state_; }  ///< SQLSTATE, five characters

private:
    unsigned number_;
    std::string state_;
};

using cell = std::optional<std::string>;  ///< nullopt: NULL
using row = std::vector<cell>;
using rows = std::vector<row>;

struct connect_options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3306;
    std::string unix_socket;  ///< not empty: in place of host and port
    std::string user = "root";
    std::string password;
    std::string schema;  ///< empty: none
    std::string charset = "utf8mb4";
    bool tls = false;         ///< false: never; true: or no connection
    std::string tls_ca_file;  ///< not empty: the other end's certificate must be of this CA, and for `host`
    std::string tls_cert_file, tls_key_file;  ///< the client's own
    std::string plugin;                       ///< that the client begins with; empty: the library's choice
    std::string server_public_key_file;       ///< for passwords on plain connections; empty: the key is asked for
    bool multi_statements = false;
    bool local_infile = false;
    bool found_rows = false;  ///< affected rows of UPDATE are the rows met, not those changed
    bool compress = false;
    unsigned connect_limit_s = 10, read_limit_s = 120, write_limit_s = 120;
};

/// Blocking; belongs to one thread at a time. Every function throws sql_error on failure.
class sql_connection {
public:
    explicit sql_connection(const connect_options& options);
    /// The shape most tests need.
    sql_connection(std::uint16_t port, std::string user = "root", std::string password = "", std::string schema = "");
    sql_connection(sql_connection&&) noexcept;
    sql_connection& operator=(sql_connection&&) noexcept;
    ~sql_connection();

    /// Runs one statement; a statement without a result set gives no rows.
    rows query(std::string_view statement);
    /// Runs a text of several statements (multi_statements) and gives each one's rows.
    std::vector<rows> query_all(std::string_view statements);
    /// Runs a statement and gives the number of affected rows (of several: the last one's).
    std::uint64_t exec(std::string_view statement);
    /// The only cell of the only row; an sql_error with number 0 when there is not exactly one. NULL gives "NULL".
    std::string scalar(std::string_view statement);
    /// The error number that the statement fails with; 0 when it succeeds.
    unsigned error_of(std::string_view statement);

    [[nodiscard]] std::vector<std::string> column_names() const;  ///< of the last result set
    [[nodiscard]] std::uint64_t connection_id() const;            ///< as in the server's greeting
    [[nodiscard]] unsigned warning_count() const;
    [[nodiscard]] std::string quote(std::string_view text) const;  ///< 'text', escaped for this connection
    [[nodiscard]] std::string server_version() const;
    [[nodiscard]] std::string tls_cipher() const;  ///< empty: the connection is plain
    void ping();
    /// COM_CHANGE_USER.
    void change_user(const std::string& user, const std::string& password, const std::string& schema);
    /// For what this class does not cover (prepared statements); stays owned by it.
    [[nodiscard]] st_mysql* native() { return connection_; }

private:
    rows take_rows();

    st_mysql* connection_ = nullptr;
    std::vector<std::string> column_names_;
    std::uint64_t affected_ = 0;
};

}  // namespace sluice::test
