#include "protocol/binlog/error.hpp"

namespace sluice::binlog {

const char* decode_errc_name(decode_errc code) noexcept {
    switch (code) {
        case decode_errc::truncated: return "truncated";
        case decode_errc::malformed: return "malformed";
        case decode_errc::too_large: return "too_large";
        case decode_errc::checksum_mismatch: return "checksum_mismatch";
        case decode_errc::unsupported: return "unsupported";
        case decode_errc::unknown_table: return "unknown_table";
    }
    return "unknown";
}

}  // namespace sluice::binlog
