#pragma once

// What the tests of throttles have in common: a primary with a replica, and a web server that says what it is told to.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

namespace sluice::test {

/// Answers every request with one status.
class status_server {
public:
    status_server() {
        socket_ = listen_on_loopback(port_);
        REQUIRE(socket_ >= 0);
        thread_ = std::thread([this] { serve(); });
    }
    status_server(const status_server&) = delete;
    status_server& operator=(const status_server&) = delete;
    ~status_server() {
        ends_ = true;
        thread_.join();
        ::close(socket_);
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/check"; }

    std::atomic<int> status{200};
    std::atomic<bool> answers{true};  ///< false: takes the connection and says nothing

private:
    void serve() {
        while (!ends_) {
            ::pollfd waiting{socket_, POLLIN, 0};
            if (::poll(&waiting, 1, 20) <= 0) continue;
            const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            char request[2048];
            const ::ssize_t got = ::read(client, request, sizeof request);
            const std::string text = "HTTP/1.1 " + std::to_string(status) + " As told\r\nContent-Length: 3\r\n\r\n";
            if (got > 0 && answers) (void)!::write(client, text.data(), text.size());
            ::close(client);
        }
    }

    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> ends_{false};
    std::thread thread_;
};

/// Two servers of MySQL 9.7, the second following the first. Both know the account of gh-ost, and those of every test.
struct primary_and_replica {
    primary_and_replica() : primary(start_with_id(1)), replica(start_with_id(2)) {
        sql_connection on_primary = connect(primary);
        sql_connection on_replica = connect(replica);
        // Both were made from the same prepared folder, with the same accounts in their logs.
        for (sql_connection* each : {&on_primary, &on_replica}) each->exec("RESET BINARY LOGS AND GTIDS");
        on_primary.exec("CREATE USER ghoster@'%' IDENTIFIED BY 'W-secret'");
        on_primary.exec("GRANT ALL ON *.* TO ghoster@'%'");
        on_replica.exec(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = " + std::to_string(primary.port()) +
            ", SOURCE_USER = 'ghoster', SOURCE_PASSWORD = 'W-secret', SOURCE_AUTO_POSITION = 1, "
            "GET_SOURCE_PUBLIC_KEY = 1");
        on_replica.exec("START REPLICA");
    }
    /// Until what the primary has now is there.
    void wait_for_replica() {
        const std::string executed = connect(primary).scalar("SELECT @@gtid_executed");
        REQUIRE(connect(replica).scalar("SELECT WAIT_FOR_EXECUTED_GTID_SET('" + executed + "', 60)") == "0");
    }
    [[nodiscard]] std::string replica_text() const { return "127.0.0.1:" + std::to_string(replica.port()); }

    mysql_server primary;
    mysql_server replica;

private:
    static mysql_server start_with_id(std::uint32_t id) {
        server_options options;
        options.server_id = id;
        return mysql_server::start(options);
    }
};

/// Owns the ghost table of `t`, so that the first chunk of a copy with one worker takes at least as long as is wanted.
class ghost_owner {
public:
    explicit ghost_owner(const mysql_server& server, const std::string& schema)
        : owner_(connect(server, schema)), watcher_(connect(server)) {
        owner_.exec("LOCK TABLES _t_gho WRITE");
    }
    /// Waits until a chunk has waited for a while, then lets go; how long it waited at least, in seconds.
    double keep_waiting() {
        const auto worker_waits = [this] {
            return watcher_.scalar(
                       "SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE OBJECT_NAME = "
                       "'_t_gho' AND LOCK_STATUS = 'PENDING'") == "1";
        };
        wait_until("the worker waits for the ghost table", worker_waits);
        const auto since = std::chrono::steady_clock::now();
        wait_until("it has waited for a while", [&] {
            REQUIRE(worker_waits());
            return std::chrono::steady_clock::now() - since > std::chrono::milliseconds(300);
        });
        const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - since;
        owner_.exec("UNLOCK TABLES");
        return waited.count();
    }

private:
    sql_connection owner_;
    sql_connection watcher_;
};

}  // namespace sluice::test
