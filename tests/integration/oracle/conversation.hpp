#pragma once

// One run of a script: a connection, the login, every step, and what came back.

#include "tests/integration/oracle/mode.hpp"
#include "tests/integration/oracle/reply_reader.hpp"
#include "tests/integration/oracle/script.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test::oracle {

/// "connection_id@0": the cell in column 0 of a row is of this kind (see masks.hpp).
struct cell_mask {
    std::string kind;
    std::size_t column = 0;
};

struct reply {
    int line = 0;
    std::string text;  ///< of the step
    outcome expected = outcome::succeeds;
    std::vector<seen_packet> packets;
    std::vector<cell_mask> masks;
    bool closed = false;  ///< the connection ended here

    [[nodiscard]] bool failed() const { return !packets.empty() && packets.back().what == role::err; }
};

struct transcript {
    std::vector<seen_packet> login;
    wire::greeting greeted;
    std::uint64_t capabilities = 0;
    bool logged_in = false;
    bool over_tls = false;
    bool is_compressed = false;
    std::vector<reply> replies;
    std::string broken;  ///< why the run ended before the script did; empty: it did not
    std::vector<wire::passage> record;
    std::vector<std::uint8_t> commands;  ///< that were sent
    wire::piece_count pieces;
    std::uint64_t frames_compressed = 0;
};

struct run_options {
    std::uint16_t port = 0;
    throwaway::server_kind kind = throwaway::server_kind::mysql_9_7;
    mode as;
    transport_kind over;
    std::size_t piece_size = 0;  ///< of what is sent; 0: as it comes
    bool recorded = false;
};

/// Never throws wire::error: what goes wrong stands in transcript::broken.
[[nodiscard]] transcript run(const script& what, const run_options& how);

}  // namespace sluice::test::oracle
