#pragma once

// A script of the corpus (tests/integration/oracle/corpus/*.txt): what a client does in one session, a step a line.
// corpus/README.md says how they are written.

#include "bench/throwaway/server.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sluice::test::oracle {

enum class outcome : std::uint8_t { succeeds, fails, either };

struct step {
    int line = 0;
    std::string text;  ///< the line as it stands in the file
    std::string verb;
    std::string argument;  ///< with {{text*N}} and \xHH expanded
    std::vector<throwaway::server_kind> servers;
    outcome expected = outcome::succeeds;
};

struct script {
    std::string name;  ///< the file's, without its suffix
    std::vector<throwaway::server_kind> servers;
    std::uint64_t must_have = 0;  ///< capabilities; it runs only in modes that have them all
    std::uint64_t must_lack = 0;
    std::uint64_t added = 0;  ///< to the mode's
    std::uint64_t removed = 0;
    bool fresh_schema = false;   ///< begins in an empty schema of its own, `oracle_<name>`; else in `oracle`
    bool is_large = false;       ///< megabytes: not delivered in the smallest pieces
    bool is_refused = false;     ///< the login fails
    bool is_blind = false;       ///< ends in a stream that cannot be followed (a replica's)
    bool is_plain_only = false;  ///< not over compression, whose frames have sequence ids of their own
    bool is_replayed = true;     ///< false: Sluice does not pass on at once, or at all, what was recorded
    bool is_cold = false;        ///< the server has forgotten all passwords (caching_sha2_password's cache)
    bool is_alone = false;       ///< no other session of the account may be there
    std::string user = throwaway::app_user;
    std::string password = throwaway::app_password;
    std::string database;
    std::vector<step> steps;

    [[nodiscard]] bool runs_on(throwaway::server_kind kind) const;
};

/// Reads one file. Throws wire::error with file and line.
[[nodiscard]] script read_script(const std::filesystem::path& file);
/// All of the corpus by name; $SLUICE_ORACLE_SCRIPT leaves only that one.
[[nodiscard]] const std::vector<script>& corpus();

/// The first word, and what is behind it.
[[nodiscard]] std::pair<std::string, std::string> split_word(const std::string& text);

}  // namespace sluice::test::oracle
