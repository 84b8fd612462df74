#include "migration/ledger/chunk_ledger.hpp"

#include "protocol/result.hpp"

namespace sluice::migration {

chunk_ledger::ticket chunk_ledger::begin() {
    open_.insert(open_.end(), next_);
    return next_++;
}

void chunk_ledger::end(ticket which) { SLUICE_ASSERT(open_.erase(which) == 1); }

}  // namespace sluice::migration
