#pragma once

// How many transactions wait for a row or table lock of InnoDB at this moment.

#include "tests/support/eventually.hpp"
#include "tests/support/sql_connection.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace sluice::test {

/// Takes a bit more than a tenth of a second: InnoDB refreshes what it shows here only when nobody has looked for that
/// long, and a loop that asks faster sees the same picture for ever.
inline std::string lock_waits(sql_connection& root) {
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    return root.scalar("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
}

/// Waits until a transaction waits for a lock; false when none does within the limit.
inline bool lock_wait_comes(sql_connection& root) {
    return eventually([&] { return lock_waits(root) != "0"; });
}

}  // namespace sluice::test
