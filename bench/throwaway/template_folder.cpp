#include "bench/throwaway/template_folder.hpp"

#include "bench/throwaway/child_process.hpp"
#include "bench/throwaway/readiness.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace sluice::throwaway {
namespace {

namespace fs = std::filesystem;

// Changes whenever this file makes a different directory, so that an old one is not taken for it.
constexpr const char* recipe = "2";

std::string accounts(server_kind kind) {
    std::ostringstream sql;
    if (kind == server_kind::mysql_9_7) {
        sql << "CREATE USER 'root'@'127.0.0.1';\n"
               "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n";
    }
    if (kind == server_kind::mysql_5_6) {
        // 5.6 starts with anonymous accounts, which would win over 'app'@'%'.
        sql << "DELETE FROM mysql.user WHERE user = '';\nDELETE FROM mysql.db;\nFLUSH PRIVILEGES;\n";
    }
    sql << "CREATE USER '" << app_user << "'@'%' IDENTIFIED BY '" << app_password << "';\n"
        << "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE TEMPORARY TABLES, "
           "LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, TRIGGER, EVENT ON *.* TO '"
        << app_user << "'@'%';\n"
        << "CREATE USER '" << sluice_user << "'@'%' IDENTIFIED BY '" << sluice_password << "';\n"
        << "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE TEMPORARY TABLES, DROP, ALTER, INDEX, REFERENCES, "
           "LOCK TABLES, TRIGGER, PROCESS, RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO '"
        << sluice_user << "'@'%';\n"
        << "CREATE DATABASE IF NOT EXISTS test;\n";
    return sql.str();
}

std::string tail(const fs::path& file) {
    std::ifstream stream(file);
    std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    return text.size() > 4000 ? text.substr(text.size() - 4000) : text;
}

void write_file(const fs::path& file, const std::string& text) {
    std::ofstream stream(file);
    stream << text;
    if (!stream.flush()) throw server_error("cannot write " + file.string());
}

std::string read_file(const fs::path& file) {
    std::ifstream stream(file);
    if (!stream) throw server_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

struct setting_up {
    const program& server_program;
    fs::path folder;  // data/ and tmp/ are inside, as for a server
    fs::path log;

    launch with(const std::vector<std::string>& more) const {
        launch result;
        result.command = server_program.command;
        const auto base = base_arguments(server_program.kind, folder, free_port());
        result.command.insert(result.command.end(), base.begin(), base.end());
        result.command.insert(result.command.end(), more.begin(), more.end());
        result.environment = server_program.environment;
        result.output = log;
        return result;
    }
};

void initialise(const setting_up& place) {
    launch first;
    if (place.server_program.system_tables.empty()) {
        first = place.with({"--initialize-insecure", "--innodb-redo-log-capacity=8M"});
    } else {
        fs::create_directories(place.folder / "data/mysql");
        fs::create_directories(place.folder / "data/test");
        std::string sql = "USE mysql;\n";
        for (const char* part :
             {"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"}) {
            const auto file = place.server_program.system_tables / part;
            if (fs::exists(file)) sql += read_file(file) + "\n";  // 5.6 has no separate performance tables
        }
        write_file(place.folder / "system.sql", sql);
        first = place.with({"--bootstrap"});
        first.input = place.folder / "system.sql";
    }
    if (run(first) != 0) throw server_error("initialising a data directory failed:\n" + tail(place.log));
}

void create_accounts(const setting_up& place) {
    write_file(place.folder / "accounts.sql", accounts(place.server_program.kind));
    // Without a binary log: every copy's log begins empty. Redo files are made ahead: as few as possible.
    std::vector<std::string> arguments = {"--init-file=" + (place.folder / "accounts.sql").string(), "--skip-log-bin"};
    if (place.server_program.kind == server_kind::mysql_9_7) arguments.emplace_back("--innodb-redo-log-capacity=8M");
    launch start = place.with(arguments);
    std::uint16_t port = 0;
    for (const auto& argument : start.command) {
        if (argument.starts_with("--port=")) port = static_cast<std::uint16_t>(std::stoi(argument.substr(7)));
    }
    const pid_t process = spawn(start);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!greets(port)) {
        if (reap_if_ended(process)) throw server_error("a new data directory does not start:\n" + tail(place.log));
        if (std::chrono::steady_clock::now() > limit) {
            kill(process, SIGKILL);
            (void)wait_until_ended(process);
            throw server_error("a new data directory takes more than two minutes to start:\n" + tail(place.log));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    kill(process, SIGTERM);
    (void)wait_until_ended(process);
}

void make(const program& server_program, const fs::path& target) {
    std::string name = (target.parent_path() / ".making-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw server_error("cannot make a folder in " + target.parent_path().string() + ": " + std::strerror(errno));
    }
    const guard cleaner{fs::path(name)};
    const setting_up place{server_program, name, fs::path(name) / "log"};
    fs::create_directories(place.folder / "tmp");
    if (server_program.system_tables.empty()) fs::create_directories(place.folder / "data");
    initialise(place);
    create_accounts(place);
    fs::remove(place.folder / "data/auto.cnf");  // every copy makes a server_uuid of its own
    fs::rename(place.folder / "data", target);
}

struct lock_file {
    explicit lock_file(const fs::path& file) : descriptor(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
        if (descriptor < 0) throw server_error("cannot open " + file.string() + ": " + std::strerror(errno));
        while (flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    lock_file(const lock_file&) = delete;
    lock_file& operator=(const lock_file&) = delete;
    ~lock_file() { close(descriptor); }
    int descriptor;
};

std::string identity(const program& server_program) {
    std::ostringstream text;
    text << recipe << '|' << server_program.binary.string() << '|' << fs::file_size(server_program.binary) << '|'
         << fs::last_write_time(server_program.binary).time_since_epoch().count();
    std::ostringstream result;
    result << to_string(server_program.kind) << '-' << std::hex << std::hash<std::string>{}(text.str());
    return result.str();
}

}  // namespace

fs::path template_folder(const program& server_program) {
    const auto folder = cache_folder() / "templates";
    const auto name = identity(server_program);
    auto target = folder / name;
    if (fs::exists(target)) return target;
    fs::create_directories(folder);
    const lock_file lock(folder / ("." + name + ".lock"));
    if (!fs::exists(target)) make(server_program, target);
    return target;
}

}  // namespace sluice::throwaway
