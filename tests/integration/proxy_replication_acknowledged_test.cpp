// Semi-synchronous replicas follow through the proxy, whatever carries the two sides: behind each acknowledgement both
// ends begin their sequence ids anew, those of compressed frames, too.

#include "tests/integration/proxy_fixture.hpp"

#include <atomic>
#include <optional>
#include <thread>

namespace sluice::test {
namespace {

using protocol::compression_algorithm;

/// What carries the two sides.
struct way {
    const char* name;
    compression_algorithm client = compression_algorithm::none;
    compression_algorithm server = compression_algorithm::none;
    bool client_tls = false;
    bool server_tls = false;
};

constexpr auto no = compression_algorithm::none;
constexpr auto zlib = compression_algorithm::zlib;
constexpr auto zstd = compression_algorithm::zstd;

/// A source and a replica of it, which is asked for acknowledgements.
struct pair_of_servers {
    pair_of_servers(server_kind of, std::uint32_t id)
        : kind(of), primary(server_with(id)), replica(server_with(id + 1)) {
        auto source = connect(primary);
        auto copy = connect(replica);
        if (kind == server_kind::mysql_9_7) {
            source.exec("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'");
            copy.exec("INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'");
        }
        source.exec("CREATE USER follower@'%' IDENTIFIED BY 'secret'");
        source.exec("GRANT REPLICATION SLAVE ON *.* TO follower@'%'");
        source.exec("CREATE TABLE test.followed (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)");
        source.exec("SET GLOBAL " + source_setting("timeout") + " = 60000");
        source.exec("SET GLOBAL " + source_setting("enabled") + " = ON");
        copy.exec(is_new() ? "SET GLOBAL rpl_semi_sync_replica_enabled = ON"
                           : "SET GLOBAL rpl_semi_sync_slave_enabled = ON");
        // What has been done by now is done on the replica, too.
        copy.exec("CREATE TABLE test.followed (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)");
        note_position(source);
    }

    [[nodiscard]] mysql_server server_with(std::uint32_t id) const {
        server_options options;
        options.kind = kind;
        options.server_id = id;
        options.gtid = false;
        return mysql_server::start(options);
    }
    [[nodiscard]] bool is_new() const { return kind == server_kind::mysql_9_7; }
    [[nodiscard]] std::string source_setting(const std::string& name) const {
        return (is_new() ? "rpl_semi_sync_source_" : "rpl_semi_sync_master_") + name;
    }
    [[nodiscard]] std::uint64_t status(sql_connection& source, const std::string& name) const {
        const auto rows = source.query("SHOW STATUS LIKE '" + source_setting(name) + "'");
        return std::stoull(rows.at(0).at(1).value());
    }
    void follow(sql_connection& copy, std::uint16_t port, const way& over) {
        if (!is_new()) {
            copy.exec(std::string("SET GLOBAL slave_compressed_protocol = ") + (over.client == no ? "OFF" : "ON"));
        }
        const std::string prefix = is_new() ? ", SOURCE_" : ", MASTER_";
        std::string change = is_new() ? "CHANGE REPLICATION SOURCE TO SOURCE_" : "CHANGE MASTER TO MASTER_";
        change += "HOST='127.0.0.1'" + prefix + "PORT=" + std::to_string(port) + prefix + "USER='follower'" + prefix +
                  "PASSWORD='secret'" + prefix + "CONNECT_RETRY=1" + prefix + "LOG_FILE='" + file + "'" + prefix +
                  "LOG_POS=" + position + prefix + "SSL=" + (over.client_tls ? "1" : "0");
        if (is_new()) {
            const char* const compressed = over.client == zlib ? "zlib" : over.client == zstd ? "zstd" : "uncompressed";
            change += std::string(", GET_SOURCE_PUBLIC_KEY=1, SOURCE_COMPRESSION_ALGORITHMS='") + compressed + "'";
        }
        copy.exec(change);
        copy.exec(is_new() ? "START REPLICA" : "START SLAVE");
    }
    /// By this connection and no other: a source may notice late that a replica has gone.
    [[nodiscard]] bool is_followed(sql_connection& source, std::uint64_t connection_id) const {
        const auto dumps = source.scalar(
            "SELECT GROUP_CONCAT(id) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'");
        return dumps == std::to_string(connection_id) && status(source, "clients") == 1;
    }
    void stop(sql_connection& source, sql_connection& copy) {
        copy.exec(is_new() ? "STOP REPLICA" : "STOP SLAVE");
        note_position(source);
    }
    void note_position(sql_connection& source) {
        const auto now = source.query(is_new() ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS").at(0);
        file = now.at(0).value();
        position = now.at(1).value();
    }

    server_kind kind;
    mysql_server primary;
    mysql_server replica;
    std::string file;
    std::string position;
};

// Several at once, so that acknowledgements meet: each waits for its own.
void write_acknowledged(std::uint16_t port) {
    constexpr int writers = 4;
    std::atomic<int> failed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < writers; ++i) {
        threads.emplace_back([&] {
            try {
                sql_connection writer(port, "sluice", sluice_password);
                for (int n = 0; n < 10; ++n) {
                    writer.exec("INSERT INTO test.followed (v) VALUES (REPEAT(UUID(), " + std::to_string(n * 300) +
                                "))");
                }
            } catch (const std::exception&) {
                ++failed;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(failed == 0);
}

std::optional<proxy::session_view> follower_of(const proxy_under_test& proxied) {
    for (const auto& session : proxied.proxy->sessions()) {
        if (session.user == "follower") return session;
    }
    return std::nullopt;
}

void acknowledges(server_kind kind, std::uint32_t id, const std::vector<way>& ways) {
    pair_of_servers servers(kind, id);
    auto source = connect(servers.primary);
    auto copy = connect(servers.replica);
    for (const auto& over : ways) {
        INFO(throwaway::to_string(kind) << ": " << over.name);
        proxy::proxy_options options;
        options.server_port = servers.primary.port();
        options.tls.client.mode = proxy::client_tls_mode::preferred;
        if (over.server_tls) options.tls.server.mode = proxy::server_tls_mode::required;
        options.compression.to_server = over.server;
        const proxy_under_test proxied(kind, options);
        servers.follow(copy, proxied.port(), over);
        REQUIRE(eventually([&] {
            const auto session = follower_of(proxied);
            return session && servers.is_followed(source, session->connection_id);
        }));
        const auto before = proxied.proxy->statistics().sessions_total;
        const auto acknowledged = servers.status(source, "yes_tx");
        write_acknowledged(servers.primary.port());
        CHECK(servers.status(source, "yes_tx") > acknowledged);
        CHECK(servers.status(source, "no_tx") == 0);
        const std::string sum = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(v))) FROM test.followed";
        const auto written = source.scalar(sum);
        CHECK(eventually([&] { return copy.scalar(sum) == written; }));
        const auto follower = follower_of(proxied);
        REQUIRE(follower.has_value());
        CHECK(follower->client_tls.empty() == !over.client_tls);
        CHECK(follower->server_tls.empty() == !over.server_tls);
        // A replica that loses the thread connects anew, and has then all of it.
        CHECK(proxied.proxy->statistics().sessions_total == before);
        servers.stop(source, copy);
    }
}

TEST_CASE("a replica of 9.7 acknowledges over TLS and compression, on either side and on both") {
    acknowledges(server_kind::mysql_9_7, 61,
                 {{"plain", no, no},
                  {"zlib from the replica", zlib, no},
                  {"zstd from the replica", zstd, no},
                  {"zlib to the source", no, zlib},
                  {"zstd and zlib", zstd, zlib},
                  {"TLS from the replica", no, no, true, false},
                  {"TLS to the source", no, no, false, true},
                  {"TLS and zlib from the replica, TLS and zstd to the source", zlib, zstd, true, true}});
}

TEST_CASE("a replica of MariaDB acknowledges over compression on either side, and from TLS") {
    acknowledges(server_kind::mariadb_10_11, 71,
                 {{"zlib from the replica", zlib, no},
                  {"zlib to the source", no, zlib},
                  {"zlib and TLS from the replica, zlib to the source", zlib, zlib, true, false}});
}

}  // namespace
}  // namespace sluice::test
