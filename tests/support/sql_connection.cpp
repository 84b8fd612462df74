#include "tests/support/sql_connection.hpp"

#include <mysql.h>

#include <type_traits>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
// MariaDB's library never frees the text of MYSQL_SERVER_PUBLIC_KEY.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:mysql_optionsv\n"; }
#endif

namespace sluice::test {
namespace {

void set_limits(MYSQL* connection, const connect_options& options) {
    mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &options.connect_limit_s);
    mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &options.read_limit_s);
    mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &options.write_limit_s);
}

// Oracle's library and MariaDB's differ in how TLS is asked for, and in asking for the key of caching_sha2_password:
// MariaDB's does that by itself.
void set_security(MYSQL* connection, const connect_options& options) {
    const bool tls = options.tls;
    if (!options.tls_ca_file.empty()) mysql_options(connection, MYSQL_OPT_SSL_CA, options.tls_ca_file.c_str());
    if (!options.tls_cert_file.empty()) mysql_options(connection, MYSQL_OPT_SSL_CERT, options.tls_cert_file.c_str());
    if (!options.tls_key_file.empty()) mysql_options(connection, MYSQL_OPT_SSL_KEY, options.tls_key_file.c_str());
    if (!options.plugin.empty()) mysql_options(connection, MYSQL_DEFAULT_AUTH, options.plugin.c_str());
    if (!options.server_public_key_file.empty()) {
        mysql_options(connection, MYSQL_SERVER_PUBLIC_KEY, options.server_public_key_file.c_str());
    }
#ifdef MARIADB_PACKAGE_VERSION
    const char on = 1;
    const char off = 0;
    if (tls) mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &on);
    mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, options.tls_ca_file.empty() ? &off : &on);
#else
    const unsigned verified = options.tls_ca_file.empty() ? SSL_MODE_REQUIRED : SSL_MODE_VERIFY_IDENTITY;
    const unsigned mode = tls ? verified : SSL_MODE_DISABLED;
    mysql_options(connection, MYSQL_OPT_SSL_MODE, &mode);
    const bool on = true;
    mysql_options(connection, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &on);
#endif
}

[[noreturn]] void fail(MYSQL* connection, const std::string& what) {
    throw sql_error(mysql_errno(connection), mysql_sqlstate(connection),
                    std::string(mysql_error(connection)) + " (" + std::to_string(mysql_errno(connection)) + ")" +
                        (what.empty() ? "" : ", at: " + what.substr(0, 300)));
}

}  // namespace

sql_connection::sql_connection(const connect_options& options) : connection_(mysql_init(nullptr)) {
    if (connection_ == nullptr) throw std::bad_alloc();
    set_limits(connection_, options);
    set_security(connection_, options);
    mysql_options(connection_, MYSQL_SET_CHARSET_NAME, options.charset.c_str());
    const unsigned local_infile = options.local_infile ? 1 : 0;
    mysql_options(connection_, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    if (options.compress) mysql_options(connection_, MYSQL_OPT_COMPRESS, nullptr);
    unsigned long flags = CLIENT_MULTI_RESULTS;
    if (options.multi_statements) flags |= CLIENT_MULTI_STATEMENTS;
    if (options.found_rows) flags |= CLIENT_FOUND_ROWS;
    const char* schema = options.schema.empty() ? nullptr : options.schema.c_str();
    const char* socket = options.unix_socket.empty() ? nullptr : options.unix_socket.c_str();
    const char* host = socket != nullptr ? "localhost" : options.host.c_str();
    if (mysql_real_connect(connection_, host, options.user.c_str(), options.password.c_str(), schema, options.port,
                           socket, flags) == nullptr) {
        const sql_error failure(mysql_errno(connection_), mysql_sqlstate(connection_), mysql_error(connection_));
        mysql_close(connection_);
        throw failure;
    }
}

sql_connection::sql_connection(std::uint16_t port, std::string user, std::string password, std::string schema)
    : sql_connection([&] {
          connect_options options;
          options.port = port;
          options.user = std::move(user);
          options.password = std::move(password);
          options.schema = std::move(schema);
          return options;
      }()) {}

sql_connection::sql_connection(sql_connection&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      column_names_(std::move(other.column_names_)),
      affected_(other.affected_) {}

sql_connection& sql_connection::operator=(sql_connection&& other) noexcept {
    std::swap(connection_, other.connection_);
    std::swap(column_names_, other.column_names_);
    std::swap(affected_, other.affected_);
    return *this;
}

sql_connection::~sql_connection() {
    if (connection_ != nullptr) mysql_close(connection_);
}

rows sql_connection::take_rows() {
    rows result;
    MYSQL_RES* stored = mysql_store_result(connection_);
    if (stored == nullptr) {
        if (mysql_field_count(connection_) != 0) fail(connection_, "reading a result");
        affected_ = mysql_affected_rows(connection_);
        return result;
    }
    const unsigned columns = mysql_num_fields(stored);
    column_names_.clear();
    for (unsigned i = 0; i < columns; ++i) column_names_.emplace_back(mysql_fetch_field_direct(stored, i)->name);
    while (MYSQL_ROW cells = mysql_fetch_row(stored)) {
        const unsigned long* lengths = mysql_fetch_lengths(stored);
        row& added = result.emplace_back(columns);
        for (unsigned i = 0; i < columns; ++i) {
            if (cells[i] != nullptr) added[i] = std::string(cells[i], lengths[i]);
        }
    }
    affected_ = mysql_affected_rows(connection_);
    mysql_free_result(stored);
    return result;
}

std::vector<rows> sql_connection::query_all(std::string_view statements) {
    if (mysql_real_query(connection_, statements.data(), statements.size()) != 0) {
        fail(connection_, std::string(statements));
    }
    std::vector<rows> results;
    results.push_back(take_rows());
    for (;;) {
        const int more = mysql_next_result(connection_);
        if (more < 0) return results;
        if (more > 0) fail(connection_, std::string(statements));
        results.push_back(take_rows());
    }
}

rows sql_connection::query(std::string_view statement) { return std::move(query_all(statement).front()); }

std::uint64_t sql_connection::exec(std::string_view statement) {
    query_all(statement);
    return affected_;
}

std::string sql_connection::scalar(std::string_view statement) {
    const rows found = query(statement);
    if (found.size() != 1 || found[0].size() != 1) {
        throw sql_error(0, "00000",
                        "not one cell but " + std::to_string(found.size()) + " rows: " + std::string(statement));
    }
    return found[0][0].value_or("NULL");
}

unsigned sql_connection::error_of(std::string_view statement) {
    try {
        query_all(statement);
        return 0;
    } catch (const sql_error& failure) {
        return failure.number();
    }
}

std::vector<std::string> sql_connection::column_names() const { return column_names_; }
std::uint64_t sql_connection::connection_id() const { return mysql_thread_id(connection_); }
unsigned sql_connection::warning_count() const { return mysql_warning_count(connection_); }
std::string sql_connection::server_version() const { return mysql_get_server_info(connection_); }

std::string sql_connection::quote(std::string_view text) const {
    std::string escaped(text.size() * 2 + 1, '\0');
    escaped.resize(mysql_real_escape_string(connection_, escaped.data(), text.data(), text.size()));
    return "'" + escaped + "'";
}

std::string sql_connection::tls_cipher() const {
    const char* name = mysql_get_ssl_cipher(connection_);
    return name != nullptr ? name : "";
}

void sql_connection::ping() {
    if (mysql_ping(connection_) != 0) fail(connection_, "ping");
}

void sql_connection::change_user(const std::string& user, const std::string& password, const std::string& schema) {
    const char* database = schema.empty() ? nullptr : schema.c_str();
    if (mysql_change_user(connection_, user.c_str(), password.c_str(), database) != 0) fail(connection_, "change user");
}

}  // namespace sluice::test
