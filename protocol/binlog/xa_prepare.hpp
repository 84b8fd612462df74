#pragma once

// XA_PREPARE_LOG_EVENT (38): ends the events of an XA transaction that is now prepared. Its rows become visible with a
// later XA COMMIT, which is a query event (and a transaction with a GTID of its own), or never. With one_phase it
// commits here.

#include "protocol/binlog/error.hpp"

#include <string>

namespace sluice::binlog {

struct xa_prepare_event {
    bool one_phase = false;
    std::uint32_t format_id = 0;
    std::string global_id;  ///< gtrid, up to 64 bytes
    std::string branch_id;  ///< bqual, up to 64 bytes

    /// The identifier as XA COMMIT prints it in the log: X'6162',X'',1
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] static decode_result<xa_prepare_event> decode(byte_view body);
};

}  // namespace sluice::binlog
