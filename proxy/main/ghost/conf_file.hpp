#pragma once

// --conf: what gh-ost reads from an ini file. [client] has user and password, also as ${VARIABLE} of the environment;
// [osc] has chunk_size, max_load and max_lag_millis, which a SIGHUP reads again.

#include "migration/model/option_fields.hpp"
#include "protocol/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::ghost {

struct conf_values {
    std::string user;
    std::string password;
    std::optional<std::int64_t> chunk_rows;
    std::optional<std::string> max_load;
    std::optional<std::int64_t> max_lag_ms;
};

/// Quotes around a value are taken off; !include is not known. The error names the file, and the key where it is wrong.
[[nodiscard]] result<conf_values, std::string> read_conf(const std::string& file);

/// What a flag was given for: there --conf has nothing to say, at a SIGHUP either.
struct said_by_flags {
    bool chunk_rows = false;
    bool max_load = false;
    bool max_lag = false;
};

/// What [osc] asks for and no flag does, within gh-ost's bounds; what is brought into them is noted. The error is that
/// of max_load.
[[nodiscard]] result<migration::option_changes, std::string> changes_of(const conf_values& conf,
                                                                        const said_by_flags& flags,
                                                                        std::vector<std::string>& notes);

}  // namespace sluice::ghost
