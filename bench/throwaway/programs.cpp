#include "bench/throwaway/programs.hpp"

#include <cstdlib>
#include <sstream>

#include <unistd.h>

namespace sluice::throwaway {
namespace {

namespace fs = std::filesystem;

std::string environment_value(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

bool executable(const fs::path& file) { return access(file.c_str(), X_OK) == 0 && !fs::is_directory(file); }

fs::path find_in_path(const std::string& name) {
    std::istringstream folders(environment_value("PATH") + ":/usr/sbin:/usr/libexec:/usr/local/sbin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (!folder.empty() && executable(fs::path(folder) / name)) return fs::path(folder) / name;
    }
    return {};
}

bool is_mariadb(const fs::path& binary) {
    // Distributions that have MariaDB only often call it mysqld, by a link.
    return fs::canonical(binary).filename().string().find("mariadb") != std::string::npos;
}

program plain(server_kind kind, const fs::path& binary) {
    return {.kind = kind,
            .command = {binary.string(), "--no-defaults"},
            .environment = {},
            .binary = binary,
            .system_tables = {}};
}

// The tree has a C library of its own, newer than the system's.
std::vector<std::string> command_in_tree(const fs::path& binary) {
    const fs::path tree = cache_folder() / "mysql-9.7";
    return {tree / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", tree / "usr/lib/x86_64-linux-gnu", binary,
            "--no-defaults"};
}

program find_mysql_9_7() {
    if (const auto chosen = environment_value("SLUICE_TEST_MYSQLD"); !chosen.empty()) {
        if (!executable(chosen)) throw server_error("SLUICE_TEST_MYSQLD is not a program: " + chosen);
        return plain(server_kind::mysql_9_7, chosen);
    }
    const fs::path tree = cache_folder() / "mysql-9.7";
    if (executable(tree / "usr/sbin/mysqld")) {
        program found = plain(server_kind::mysql_9_7, tree / "usr/sbin/mysqld");
        found.command = command_in_tree(found.binary);
        found.command.insert(
            found.command.end(),
            {"--basedir=" + (tree / "usr").string(), "--lc-messages-dir=" + (tree / "usr/share/mysql").string(),
             "--character-sets-dir=" + (tree / "usr/share/mysql/charsets").string(),
             "--plugin-dir=" + (tree / "usr/lib/mysql/plugin").string()});
        return found;
    }
    if (const auto found = find_in_path("mysqld"); !found.empty() && !is_mariadb(found)) {
        return plain(server_kind::mysql_9_7, found);
    }
    throw server_error("no MySQL 9.7 server: run scripts/setup, or name one in SLUICE_TEST_MYSQLD");
}

program find_mysql_5_6() {
    const fs::path server = cache_folder() / "mysql-5.6/server";
    if (!executable(server / "mysqld")) throw server_error("no MySQL 5.6 server: run scripts/setup");
    program found = plain(server_kind::mysql_5_6, server / "mysqld");
    found.command.insert(found.command.end(),
                         {"--basedir=" + server.string(), "--lc-messages-dir=" + (server / "share").string(),
                          "--character-sets-dir=" + (server / "share/charsets").string()});
    found.environment = {"LD_LIBRARY_PATH=" + server.string()};  // for its libaio.so.1
    found.system_tables = server / "share";
    return found;
}

program find_mariadb() {
    fs::path binary = environment_value("SLUICE_TEST_MARIADBD");
    if (binary.empty()) binary = find_in_path("mariadbd");
    if (binary.empty() || !executable(binary)) throw server_error("no mariadbd: run scripts/setup");
    program found = plain(server_kind::mariadb_10_11, binary);
    for (const char* folder : {"/usr/share/mysql", "/usr/share/mariadb"}) {
        if (fs::exists(fs::path(folder) / "mysql_system_tables.sql")) found.system_tables = folder;
    }
    if (found.system_tables.empty()) throw server_error("mariadbd's mysql_system_tables.sql is missing");
    return found;
}

}  // namespace

const char* to_string(server_kind kind) {
    switch (kind) {
        case server_kind::mysql_9_7: return "mysql-9.7";
        case server_kind::mysql_5_6: return "mysql-5.6";
        case server_kind::mariadb_10_11: return "mariadb-10.11";
    }
    return "?";
}

fs::path cache_folder() {
    if (const auto chosen = environment_value("XDG_CACHE_HOME"); !chosen.empty()) return fs::path(chosen) / "sluice";
    const auto home = environment_value("HOME");
    if (home.empty()) throw server_error("neither XDG_CACHE_HOME nor HOME is set");
    return fs::path(home) / ".cache/sluice";
}

std::vector<std::string> client_command(const std::string& name) {
    const fs::path binary = cache_folder() / "mysql-9.7/usr/bin" / name;
    if (!executable(binary)) throw server_error("no " + name + " of MySQL 9.7: run scripts/setup");
    return command_in_tree(binary);
}

program find_program(server_kind kind) {
    switch (kind) {
        case server_kind::mysql_9_7: return find_mysql_9_7();
        case server_kind::mysql_5_6: return find_mysql_5_6();
        case server_kind::mariadb_10_11: return find_mariadb();
    }
    throw server_error("unknown kind of server");
}

std::vector<std::string> base_arguments(server_kind kind, const fs::path& folder, std::uint16_t port) {
    std::vector<std::string> arguments = {
        "--datadir=" + (folder / "data").string(),
        "--tmpdir=" + (folder / "tmp").string(),
        "--socket=" + (folder / "socket").string(),
        "--pid-file=" + (folder / "pid").string(),
        "--port=" + std::to_string(port),
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--secure-file-priv=",
        "--local-infile=ON",
        "--innodb-buffer-pool-size=64M",
        "--innodb-buffer-pool-load-at-startup=OFF",
        "--innodb-buffer-pool-dump-at-shutdown=OFF",
    };
    if (geteuid() == 0) arguments.emplace_back("--user=root");
    if (kind == server_kind::mysql_9_7) {
        // Redo files are made ahead to the full capacity; the start would pay for more.
        arguments.insert(arguments.end(), {"--mysqlx=OFF", "--innodb-redo-log-capacity=64M"});
    } else {
        arguments.insert(arguments.end(), {"--innodb-log-file-size=16M", "--performance-schema=OFF"});
    }
    return arguments;
}

std::vector<std::string> option_arguments(const server_options& options) {
    std::vector<std::string> arguments = {"--server-id=" + std::to_string(options.server_id)};
    if (options.binlog) {
        arguments.insert(arguments.end(), {"--log-bin=binlog", "--binlog-row-image=" + options.row_image});
        if (options.kind != server_kind::mysql_9_7) arguments.emplace_back("--binlog-format=ROW");
    } else if (options.kind == server_kind::mysql_9_7) {
        arguments.emplace_back("--disable-log-bin");
    }
    if (options.kind != server_kind::mariadb_10_11) {
        const bool gtid = options.gtid && (options.binlog || options.kind == server_kind::mysql_9_7);
        const std::string mode = gtid ? "ON" : "OFF";
        arguments.insert(arguments.end(), {"--gtid-mode=" + mode, "--enforce-gtid-consistency=" + mode});
        // 5.6 wants it for GTIDs.
        if (gtid && options.kind == server_kind::mysql_5_6) arguments.emplace_back("--log-slave-updates");
    }
    if (options.durable) {
        arguments.insert(arguments.end(), {"--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"});
    } else {
        // 2: written to the system's cache at each commit. With 0 a kill -9 would lose up to a second of commits.
        arguments.insert(arguments.end(),
                         {"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--innodb-doublewrite=OFF"});
    }
    if (options.kind == server_kind::mysql_9_7 && !options.performance_schema) {
        arguments.emplace_back("--performance-schema=OFF");
    }
    arguments.insert(arguments.end(), options.extra_arguments.begin(), options.extra_arguments.end());
    return arguments;
}

}  // namespace sluice::throwaway
