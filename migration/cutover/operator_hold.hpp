#pragma once

// What the operator's options and commands say at this moment of when a table may change: the facts for
// operator_verdict() (moment.hpp). The flag file and the clock are looked at anew each time.

#include "migration/cutover/moment.hpp"
#include "migration/model/cutover_window.hpp"
#include "migration/model/migration_spec.hpp"

#include <optional>
#include <string>

namespace sluice::migration {

/// What an operator has said by command.
struct operator_words {
    bool postponed = false;
    bool flag_file_overruled = false;  ///< "cut over" was said after the file was made
};

/// Remembers the window that it has read last. Belongs to one thread.
class operator_hold {
public:
    [[nodiscard]] operator_facts facts(const migration_options& options, const operator_words& words);

private:
    std::string window_text_;  ///< of window_
    std::optional<cutover_window> window_;
};

}  // namespace sluice::migration
