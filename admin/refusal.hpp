#pragma once

// Why something could not be started, for the operator who is to put it right.

#include <string>

namespace sluice::admin {

struct refusal {
    std::string message;  ///< one sentence without a full stop; names the file, the address, the key
};

}  // namespace sluice::admin
