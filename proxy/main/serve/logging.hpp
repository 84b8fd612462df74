#pragma once

#include "admin/refusal.hpp"
#include "protocol/result.hpp"
#include "proxy/main/config.hpp"

namespace sluice {

/// Makes the process's log: to the file, or to standard error. The error names the file.
[[nodiscard]] result<void, admin::refusal> start_logging(const log_options& options);

/// trace, debug, info, warn or error.
void set_log_level(const std::string& level);

}  // namespace sluice
