#pragma once

// From which place of the stream a later process can go on: everything up to it has been applied. A plain value of the
// coordinator.

#include "migration/ledger/work_ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::migration {

class applied_place {
public:
    /// Looks at the ledger; the place, if there is a new one. Call now and then: a place is taken at one look, and is
    /// known to be applied at a later one. No place is taken while prepared XA transactions have changed the table:
    /// what they changed stands before it in the stream, and is still to come.
    [[nodiscard]] std::optional<stream_position> look(work_ledger& ledger);

private:
    struct candidate {
        stream_position position;
        std::uint64_t transaction = 0;  ///< the last one begun by then
    };
    std::optional<candidate> candidate_;
};

/// The GTID set, or file:position.
[[nodiscard]] std::string place_to_text(const stream_position& position);
/// nullopt where it is none; by_gtid: which of the two it is to be.
[[nodiscard]] std::optional<stream_position> place_from_text(std::string_view text, bool by_gtid);

}  // namespace sluice::migration
