#pragma once

// What the tests of `sluice gh-ost` have in common: an account with gh-ost's rights, tables, interactive commands.

#include "tests/integration/process_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test::ghost {

inline bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// An account with what gh-ost asks for, and no more: one schema, and replication.
inline void make_account(const mysql_server& server, const std::string& schema) {
    sql_connection root = connect(server);
    root.exec("CREATE USER ghoster@'%' IDENTIFIED BY 'W-secret'");
    root.exec("CREATE DATABASE " + schema);
    root.exec("GRANT ALL ON " + schema + ".* TO ghoster@'%'");
    root.exec("GRANT SUPER, PROCESS, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO ghoster@'%'");
}

inline void fill(sql_connection& sql, const std::string& table, int rows) {
    sql.exec("INSERT INTO " + table + " (v) VALUES ('first')");
    for (int have = 1; have < rows; have *= 2) sql.exec("INSERT INTO " + table + " (v) SELECT v FROM " + table);
}

inline std::string exists(sql_connection& sql, const std::string& schema, const std::string& like) {
    return sql.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + schema +
                      "' AND TABLE_NAME LIKE '" + like + "'");
}

/// One interactive command; empty when nobody listens.
inline std::string tell(const std::string& socket_file, const std::string& line) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(socket_file.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, socket_file.c_str(), socket_file.size());
    std::string answer;
    if (::connect(fd, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0) {
        const std::string message = line + "\n";
        REQUIRE(::write(fd, message.data(), message.size()) == static_cast<::ssize_t>(message.size()));
        char buffer[4096];
        for (::ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
            answer.append(buffer, static_cast<std::size_t>(got));
        }
    }
    ::close(fd);
    return answer;
}

/// Asks until the answer holds the part; the answer.
inline std::string wait_for_answer(const std::string& socket_file, const std::string& line, const std::string& part) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (std::string answer;; std::this_thread::sleep_for(std::chrono::milliseconds(50))) {
        answer = tell(socket_file, line);
        if (holds(answer, part)) return answer;
        INFO(answer);
        REQUIRE(std::chrono::steady_clock::now() < until);
    }
}

struct scratch_folder {
    scratch_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "sluice_ghost_XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
    std::filesystem::path path;
};

inline void touch(const std::string& file) { std::ofstream(file).put('\n'); }

/// A table on a server, and the words that every run on it has.
struct scene {
    explicit scene(server_kind kind) : server(start_server(kind)) {
        make_account(server, "my_db");
        sql.emplace(connect(server, "my_db"));
    }
    [[nodiscard]] std::vector<std::string> words(const std::string& table, const std::vector<std::string>& more) const {
        std::vector<std::string> all{"gh-ost",
                                     "--host=" + server.host(),
                                     "--port=" + std::to_string(server.port()),
                                     "--user=ghoster",
                                     "--password=W-secret",
                                     "--database=my_db",
                                     "--table=" + table,
                                     "--allow-on-master",
                                     "--serve-socket-file=" + folder.file("sock"),
                                     "--throttle-additional-flag-file=" + folder.file("all")};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    std::string one(const std::string& query) { return sql->scalar(query); }

    scratch_folder folder;
    mysql_server server;
    std::optional<sql_connection> sql;
};

inline constexpr const char* plain_table = "(id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) NOT NULL)";

}  // namespace sluice::test::ghost
