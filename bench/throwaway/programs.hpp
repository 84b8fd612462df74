#pragma once

// Where the server programs are, and how each of them is spoken to on its command line.

#include "bench/throwaway/server.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::throwaway {

struct program {
    server_kind kind = server_kind::mysql_9_7;
    std::vector<std::string> command;      ///< the program, with the arguments that say where its own files are
    std::vector<std::string> environment;  ///< "NAME=value"
    std::filesystem::path binary;
    std::filesystem::path system_tables;  ///< folder of mysql_system_tables.sql; empty where the server has them inside
};

/// ${XDG_CACHE_HOME:-~/.cache}/sluice
[[nodiscard]] std::filesystem::path cache_folder();

/// Throws server_error when there is none.
[[nodiscard]] program find_program(server_kind kind);

/// How a client program of MySQL 9.7 is called ("mysql", "mysqldump", …), up to the arguments that say what it does.
/// Throws server_error when there is none.
[[nodiscard]] std::vector<std::string> client_command(const std::string& name);

/// What a running server needs in every case: folders, port, small and quick settings.
[[nodiscard]] std::vector<std::string> base_arguments(server_kind kind, const std::filesystem::path& folder,
                                                      std::uint16_t port);
/// The arguments that `options` ask for, extra_arguments last.
[[nodiscard]] std::vector<std::string> option_arguments(const server_options& options);

}  // namespace sluice::throwaway
