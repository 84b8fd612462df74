#pragma once

// What the tests of `sluice gh-ost` have in common: an account with gh-ost's rights, tables, interactive commands.

#include "tests/integration/process_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mysql_server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
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
    std::string answer;
    const bool came = eventually([&] { return holds(answer = tell(socket_file, line), part); });
    INFO(line << " does not say \"" << part << "\" but: " << answer);
    REQUIRE(came);
    return answer;
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

/// The text of a file; empty while it is not there.
inline std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A shell script for --hooks-path=<folder>.
inline void make_hook(const scratch_folder& folder, const std::string& name, const std::string& body) {
    const std::string file = folder.file(name);
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

inline std::vector<std::string> joined(std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

/// The words of a run on this table of the server: its account, and its socket and flag file in the folder.
inline std::vector<std::string> words_for(const mysql_server& at, const scratch_folder& folder,
                                          const std::string& schema, const std::string& table,
                                          const std::vector<std::string>& more) {
    return joined(
        {"gh-ost", "--host=" + at.host(), "--port=" + std::to_string(at.port()), "--user=ghoster",
         "--password=W-secret", "--database=" + schema, "--table=" + table,
         "--serve-socket-file=" + folder.file("sock"), "--throttle-additional-flag-file=" + folder.file("all")},
        more);
}

/// A table on a server, and the words that every run on it has.
struct scene {
    explicit scene(server_kind kind) : server(start_server(kind)) {
        make_account(server, "my_db");
        sql.emplace(connect(server, "my_db"));
    }
    [[nodiscard]] std::vector<std::string> words(const std::string& table, const std::vector<std::string>& more) const {
        return words_for(server, folder, "my_db", table, joined({"--allow-on-master"}, more));
    }
    std::string one(const std::string& query) { return sql->scalar(query); }

    scratch_folder folder;
    mysql_server server;
    std::optional<sql_connection> sql;
};

inline constexpr const char* plain_table = "(id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) NOT NULL)";

}  // namespace sluice::test::ghost
