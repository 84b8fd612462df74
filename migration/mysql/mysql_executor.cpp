#include "migration/mysql/mysql_executor.hpp"

#include "migration/mysql/client_tls_options.hpp"
#include "migration/mysql/open_sockets.hpp"
#include "migration/mysql/server_failure.hpp"
#include "migration/mysql/session_setup.hpp"

#include <mysql.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace sluice::migration {
namespace {

/// The client library keeps memory per thread; this gives it back when a thread ends.
class client_thread {
public:
    client_thread() { mysql_thread_init(); }
    ~client_thread() { mysql_thread_end(); }
    client_thread(const client_thread&) = delete;
    client_thread& operator=(const client_thread&) = delete;
};

/// Must run in every thread before it calls the library. The library's own start is not safe for threads.
void enter_client_library() {
    static const int started = mysql_library_init(0, nullptr, nullptr);
    SLUICE_ASSERT(started == 0);
    thread_local const client_thread entered;
}

server_message last_message(MYSQL* connection) {
    return {mysql_errno(connection), mysql_sqlstate(connection), mysql_error(connection)};
}

template <class T>
void set_option(MYSQL* connection, mysql_option option, const T& value) {
    mysql_options(connection, option, &value);
}

void set_options(MYSQL* connection, const server_address& address, const mysql_executor_options& options) {
    set_option(connection, MYSQL_OPT_CONNECT_TIMEOUT, static_cast<unsigned>(options.connect_limit.count()));
    if (options.read_limit.count() > 0) {
        set_option(connection, MYSQL_OPT_READ_TIMEOUT, static_cast<unsigned>(options.read_limit.count()));
    }
    if (options.write_limit.count() > 0) {
        set_option(connection, MYSQL_OPT_WRITE_TIMEOUT, static_cast<unsigned>(options.write_limit.count()));
    }
    // "localhost" would mean a Unix socket to the library.
    set_option(connection, MYSQL_OPT_PROTOCOL,
               static_cast<unsigned>(address.unix_socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET));
    set_option(connection, MYSQL_OPT_LOCAL_INFILE, 0U);
    set_option(connection, MYSQL_OPT_MAX_ALLOWED_PACKET, 1024UL * 1024 * 1024);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
#ifndef MARIADB_PACKAGE_VERSION
    // Oracle's library asks for the server's RSA key only when told to; MariaDB's always does.
    set_option(connection, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, true);
#endif
}

/// A server whose machine is gone is noticed within about 25 s even while a statement rightly takes hours.
void watch_peer(MYSQL* connection) {
    const int socket = static_cast<int>(connection->net.fd);
    const auto set = [socket](int level, int name, int value) {
        setsockopt(socket, level, name, &value, sizeof value);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 25'000);
}

struct connection_closer {
    void operator()(MYSQL* connection) const {
        enter_client_library();
        mysql_close(connection);
    }
};
using connection_handle = std::unique_ptr<MYSQL, connection_closer>;

struct result_closer {
    void operator()(MYSQL_RES* rows) const { mysql_free_result(rows); }
};
using result_handle = std::unique_ptr<MYSQL_RES, result_closer>;

query_result take_rows(MYSQL_RES* source) {
    query_result taken;
    const unsigned width = mysql_num_fields(source);
    const MYSQL_FIELD* fields = mysql_fetch_fields(source);
    taken.columns.reserve(width);
    for (unsigned i = 0; i < width; ++i) taken.columns.emplace_back(fields[i].name, fields[i].name_length);
    taken.rows.reserve(static_cast<std::size_t>(mysql_num_rows(source)));
    while (MYSQL_ROW row = mysql_fetch_row(source)) {
        const unsigned long* lengths = mysql_fetch_lengths(source);
        auto& cells = taken.rows.emplace_back();
        cells.reserve(width);
        for (unsigned i = 0; i < width; ++i) {
            cells.push_back(row[i] == nullptr ? cell() : cell(std::in_place, row[i], lengths[i]));
        }
    }
    return taken;
}

class mysql_session final : public sql_session {
public:
    mysql_session(connection_handle connection, const std::shared_ptr<open_sockets>& sockets)
        : connection_(std::move(connection)),
          connection_id_(mysql_thread_id(connection_.get())),
          socket_(std::make_unique<breakable_socket>(sockets, static_cast<int>(connection_->net.fd))) {}

    outcome<query_result> run(std::string_view sql) override {
        enter_client_library();
        if (!connection_) {
            return statement_failure({2006, "HY000", "the connection to the server was lost earlier"}, sql);
        }
        auto answer = run_connected(sql);
        // A session that may have lost its locks or its transaction must never be used again.
        if (answer.has_error() && ends_connection(answer.error().server_errno)) {
            socket_.reset();
            connection_.reset();
        }
        return answer;
    }

    [[nodiscard]] std::uint64_t connection_id() const override { return connection_id_; }

    /// The id as the server counts it; the handshake has room for 32 bits only.
    outcome<void> learn_connection_id() {
        SLUICE_TRY(const auto answer, run("SELECT CONNECTION_ID()"));
        if (answer.rows.size() == 1 && answer.rows[0].size() == 1 && answer.rows[0][0]) {
            connection_id_ = std::stoull(*answer.rows[0][0]);
        }
        return {};
    }

private:
    outcome<query_result> run_connected(std::string_view sql) {
        MYSQL* connection = connection_.get();
        if (mysql_real_query(connection, sql.data(), static_cast<unsigned long>(sql.size())) != 0) return failed(sql);
        SLUICE_TRY(auto answer, take_result(sql));
        // CALL and its like send more; they are read so that the next statement finds the connection ready.
        for (int more = mysql_next_result(connection); more != -1; more = mysql_next_result(connection)) {
            if (more > 0) return failed(sql);
            SLUICE_TRY_VOID(take_result(sql));
        }
        return answer;
    }

    outcome<query_result> take_result(std::string_view sql) {
        MYSQL* connection = connection_.get();
        const result_handle rows(mysql_store_result(connection));
        if (rows) return take_rows(rows.get());
        if (mysql_errno(connection) != 0) return failed(sql);
        query_result none;
        none.affected_rows = mysql_affected_rows(connection);
        return none;
    }

    failure failed(std::string_view sql) const { return statement_failure(last_message(connection_.get()), sql); }

    connection_handle connection_;
    std::uint64_t connection_id_;
    std::unique_ptr<breakable_socket> socket_;  // last: a socket is closed when nobody has it
};

outcome<connection_handle> log_in(const server_address& address, const mysql_executor_options& options,
                                  const std::string& fingerprint) {
    connection_handle connection(mysql_init(nullptr));
    SLUICE_ASSERT(connection != nullptr);
    set_options(connection.get(), address, options);
    const bool by_socket = !address.unix_socket.empty();
    if (!by_socket) set_tls_options(connection.get(), address.tls, fingerprint);
    if (mysql_real_connect(connection.get(), by_socket ? nullptr : address.host.c_str(), address.user.c_str(),
                           address.password.c_str(), nullptr, by_socket ? 0U : address.port,
                           by_socket ? address.unix_socket.c_str() : nullptr, CLIENT_MULTI_RESULTS) == nullptr) {
        return login_failure_of(last_message(connection.get()), address.text(), address.user);
    }
    return connection;
}

outcome<void> prepare(mysql_session& session, const mysql_executor_options& options) {
    for (const auto& statement : session_setup_statements(options)) SLUICE_TRY_VOID(session.run(statement));
    SLUICE_TRY(const auto variables, session.run(optional_variables_query()));
    const auto optional = optional_setup_statement(variables);
    if (!optional.empty()) SLUICE_TRY_VOID(session.run(optional));
    return session.learn_connection_id();
}

}  // namespace

mysql_executor::mysql_executor(server_address address, mysql_executor_options options)
    : address_(std::move(address)), options_(options), sockets_(std::make_shared<open_sockets>()) {}

void mysql_executor::break_connections() { sockets_->break_all(); }

// Asked for once. A server that changes its certificate is asked again after the connection that fails for it.
outcome<std::string> mysql_executor::fingerprint() {
    if (!address_.unix_socket.empty() || !needs_fingerprint(address_.tls)) return std::string();
    const std::lock_guard lock(mutex_);
    if (fingerprint_.empty()) {
        SLUICE_TRY(fingerprint_, learn_fingerprint(address_, options_.connect_limit));
    }
    return fingerprint_;
}

outcome<std::unique_ptr<sql_session>> mysql_executor::connect() {
    enter_client_library();
    if (sockets_->broken())
        return refuse("cannot_connect", "connections to the server are given up: Sluice is stopping");
    SLUICE_TRY(const std::string expected, fingerprint());
    const bool by_socket = !address_.unix_socket.empty();
    auto logged_in = log_in(address_, options_, expected);
    if (logged_in.has_error()) {
        if (!expected.empty()) {
            const std::lock_guard lock(mutex_);
            fingerprint_.clear();
        }
        if (by_socket || !may_have_misjudged(logged_in.error(), address_.tls)) return std::move(logged_in).error();
        const auto found = learn_fingerprint(address_, options_.connect_limit);
        if (found.has_error() || !found->empty()) return std::move(logged_in).error();
        server_address plain = address_;
        plain.tls.mode = tls_mode::disabled;
        SLUICE_TRY(logged_in, log_in(plain, options_, ""));
    }
    connection_handle connection = *std::move(logged_in);
    if (!by_socket) SLUICE_TRY_VOID(check_is_secure(connection.get(), address_.tls));
    if (!by_socket) watch_peer(connection.get());
    auto session = std::make_unique<mysql_session>(std::move(connection), sockets_);
    auto prepared = prepare(*session, options_);
    if (prepared.has_error()) {
        auto failed = std::move(prepared).error();
        if (failed.then == disposition::outcome_unknown) {
            failed.code = "cannot_connect";
            failed.then = disposition::retry;  // nothing had been done yet
        }
        return failed;
    }
    return std::unique_ptr<sql_session>(std::move(session));
}

}  // namespace sluice::migration
