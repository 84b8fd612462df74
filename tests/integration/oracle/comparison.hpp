#pragma once

// Two runs of a script: equal but for the masks, or the first difference in words that tell how to see it again.

#include "tests/integration/oracle/conversation.hpp"

#include <string>

namespace sluice::test::oracle {

/// Where a comparison stands: for the message.
struct setting {
    const script& what;
    throwaway::server_kind kind;
    std::string mode;
    std::string way;  ///< "through the proxy, TLS" ...
};

/// Empty: equal.
[[nodiscard]] std::string difference(const setting& where, const transcript& direct, const transcript& through);

/// What is wrong with a direct run alone: a step that should have succeeded and failed, or the reverse. Empty: nothing.
[[nodiscard]] std::string unexpected(const setting& where, const transcript& direct);

/// How to run this alone again.
[[nodiscard]] std::string how_to_repeat(const setting& where);

}  // namespace sluice::test::oracle
