#include "bench/load/load_connection.hpp"

#include <mysql.h>

#include <array>
#include <new>
#include <utility>

namespace sluice::load {
namespace {

// Longer than any column of the load's table in any of its shapes.
constexpr std::size_t cell_bytes_max = 1024;

answer statement_failure(MYSQL_STMT* statement) {
    answer result;
    result.error = mysql_stmt_errno(statement);
    result.message = mysql_stmt_error(statement);
    return result;
}

void set_options(MYSQL* connection) {
    const unsigned connect_limit_s = 10;
    const unsigned answer_limit_s = 120;
    mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_limit_s);
    mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &answer_limit_s);
    mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &answer_limit_s);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
#ifndef MARIADB_PACKAGE_VERSION
    // MariaDB's library uses TLS only when told to, and asks for the server's key by itself.
    const unsigned mode = SSL_MODE_DISABLED;
    mysql_options(connection, MYSQL_OPT_SSL_MODE, &mode);
    const bool on = true;
    mysql_options(connection, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &on);
#endif
}

answer take_statement_rows(MYSQL_STMT* statement) {
    const unsigned columns = mysql_stmt_field_count(statement);
    std::vector<std::array<char, cell_bytes_max>> cells(columns);
    std::vector<unsigned long> lengths(columns);
    // `is_null` has a type of its own in each library; the value zero means the same in both.
    std::vector<MYSQL_BIND> binds(columns);
    std::vector<std::remove_pointer_t<decltype(MYSQL_BIND::is_null)>> nulls_storage(columns);
    for (unsigned i = 0; i < columns; ++i) {
        binds[i].buffer_type = MYSQL_TYPE_STRING;
        binds[i].buffer = cells[i].data();
        binds[i].buffer_length = cell_bytes_max;
        binds[i].length = &lengths[i];
        binds[i].is_null = nulls_storage.data() + i;
    }
    if (mysql_stmt_bind_result(statement, binds.data())) return statement_failure(statement);
    answer result;
    for (;;) {
        const int fetched = mysql_stmt_fetch(statement);
        if (fetched == MYSQL_NO_DATA) break;
        if (fetched != 0) {
            result = statement_failure(statement);
            if (fetched == MYSQL_DATA_TRUNCATED)
                result = {.error = 1406, .message = "cell too long", .affected = 0, .rows = {}};
            break;
        }
        auto& row = result.rows.emplace_back(columns);
        for (unsigned i = 0; i < columns; ++i) {
            if (!nulls_storage[i]) row[i] = std::string(cells[i].data(), lengths[i]);
        }
    }
    mysql_stmt_free_result(statement);
    return result;
}

}  // namespace

load_connection::load_connection(load_connection&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), prepared_(std::move(other.prepared_)) {
    other.prepared_.clear();
}

load_connection::~load_connection() { close(); }

void load_connection::close() {
    for (auto& [text, statement] : prepared_) mysql_stmt_close(statement);
    prepared_.clear();
    if (connection_ != nullptr) mysql_close(std::exchange(connection_, nullptr));
}

answer load_connection::failure() const {
    answer result;
    result.error = mysql_errno(connection_);
    result.message = mysql_error(connection_);
    return result;
}

answer load_connection::connect(const endpoint& where) {
    close();
    connection_ = mysql_init(nullptr);
    if (connection_ == nullptr) throw std::bad_alloc();
    set_options(connection_);
    if (mysql_real_connect(connection_, where.host.c_str(), where.user.c_str(), where.password.c_str(),
                           where.schema.empty() ? nullptr : where.schema.c_str(), where.port, nullptr,
                           CLIENT_FOUND_ROWS) == nullptr) {
        answer result = failure();
        close();
        return result;
    }
    return {};
}

answer load_connection::run(const std::string& statement) {
    if (mysql_real_query(connection_, statement.data(), statement.size()) != 0) return failure();
    answer result;
    MYSQL_RES* stored = mysql_store_result(connection_);
    if (stored == nullptr) {
        if (mysql_field_count(connection_) != 0) return failure();
        result.affected = mysql_affected_rows(connection_);
        return result;
    }
    const unsigned columns = mysql_num_fields(stored);
    while (MYSQL_ROW cells = mysql_fetch_row(stored)) {
        const unsigned long* lengths = mysql_fetch_lengths(stored);
        auto& row = result.rows.emplace_back(columns);
        for (unsigned i = 0; i < columns; ++i) {
            if (cells[i] != nullptr) row[i] = std::string(cells[i], lengths[i]);
        }
    }
    mysql_free_result(stored);
    return result;
}

answer load_connection::run_prepared(const std::string& text, const std::vector<std::string>& parameters) {
    MYSQL_STMT*& statement = prepared_[text];
    if (statement == nullptr) {
        statement = mysql_stmt_init(connection_);
        if (statement == nullptr) throw std::bad_alloc();
        if (mysql_stmt_prepare(statement, text.data(), text.size()) != 0) {
            answer result = statement_failure(statement);
            mysql_stmt_close(statement);
            prepared_.erase(text);
            return result;
        }
    }
    std::vector<MYSQL_BIND> binds(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        binds[i].buffer_type = MYSQL_TYPE_STRING;
        binds[i].buffer = const_cast<char*>(parameters[i].data());  // the library only reads it
        binds[i].buffer_length = parameters[i].size();
    }
    if (mysql_stmt_bind_param(statement, binds.data())) return statement_failure(statement);
    if (mysql_stmt_execute(statement) != 0) return statement_failure(statement);
    if (mysql_stmt_field_count(statement) != 0) return take_statement_rows(statement);
    answer result;
    result.affected = mysql_stmt_affected_rows(statement);
    return result;
}

}  // namespace sluice::load
