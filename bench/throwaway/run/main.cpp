// throwaway_run KIND [server argument...]: a server for programs that are not written in C++.
//
// Prints one line of JSON as soon as the server answers, and lives until its standard input is closed, so that the
// server ends with the program that asked for it, in whatever way that one ends.

#include "bench/throwaway/server.hpp"

#include <array>
#include <iostream>
#include <optional>
#include <string_view>

#include <unistd.h>

namespace {

using namespace sluice::throwaway;

std::optional<server_kind> kind_named(std::string_view name) {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        if (name == to_string(kind)) return kind;
    }
    return std::nullopt;
}

void wait_for_end_of_input() {
    std::array<char, 256> ignored{};
    while (read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
    }
}

}  // namespace

int main(int count, char** arguments) {
    const auto kind = count > 1 ? kind_named(arguments[1]) : std::nullopt;
    if (!kind) {
        std::cerr << "usage: throwaway_run mysql-9.7|mysql-5.6|mariadb-10.11 [server argument...]\n";
        return 2;
    }
    try {
        server_options options;
        options.kind = *kind;
        options.extra_arguments.assign(arguments + 2, arguments + count);
        const auto running = server::start(options);
        // Neither the folder nor the accounts have a character that JSON would want escaped.
        std::cout << R"({"host": ")" << running.host() << R"(", "port": )" << running.port() << R"(, "socket": ")"
                  << running.socket_file().string() << R"(", "user": ")" << app_user << R"(", "password": ")"
                  << app_password << R"(", "engine_user": ")" << sluice_user << R"(", "engine_password": ")"
                  << sluice_password << R"("})" << std::endl;
        wait_for_end_of_input();
    } catch (const std::exception& failure) {
        std::cerr << "throwaway_run: " << failure.what() << '\n';
        return 1;
    }
    return 0;
}
