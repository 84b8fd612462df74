#pragma once

// A step of a script as the command's payload, and the kind of reply that it has.

#include "tests/integration/oracle/reply_reader.hpp"
#include "tests/integration/oracle/script.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sluice::test::oracle {

struct written_command {
    std::string payload;
    reply_kind reply = reply_kind::one;
    std::size_t packets = 0;  ///< of an endless reply
    std::uint8_t sequence = 0;
    std::string prepares;  ///< the name that a COM_STMT_PREPARE is to get
};

/// Names of prepared statements and their ids.
using statement_ids = std::map<std::string, std::uint32_t>;

/// Nothing for verbs that are no commands of this kind. Throws wire::error when the argument makes no sense.
[[nodiscard]] std::optional<written_command> write_command(const step& from, std::uint64_t capabilities,
                                                           const statement_ids& ids);

}  // namespace sluice::test::oracle
