#pragma once

// What a call that does not wait has done.

#include <cstddef>
#include <cstdint>

namespace sluice::proxy {

enum class io_status : std::uint8_t {
    ok,
    later,   ///< nothing more can be done before the socket is ready
    closed,  ///< the peer has gone, or the connection is broken
};

struct io_result {
    std::size_t size = 0;  ///< bytes moved; 0 unless ok
    io_status status = io_status::ok;
};

}  // namespace sluice::proxy
