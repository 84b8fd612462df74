// The PROXY header at the front of a connection: what is read does not depend on how the bytes were cut, and what is
// written is read back as it was.

#include "protocol/wire/proxy_header.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <optional>

namespace sluice::fuzz {
namespace {

using protocol::parse_proxy_header;
using protocol::stream_kind;

void check_written(const protocol::proxy_header& header) {
    byte_buffer out;
    serialise(out, header);
    const auto again = parse_proxy_header(out);
    FUZZ_CHECK(again.has_value() && again->has_value());
    FUZZ_CHECK((*again)->size == out.size());
    const auto& read = (*again)->header;
    if (header.source.kind != stream_kind::ip || header.destination.kind != stream_kind::ip) {
        FUZZ_CHECK(read == protocol::proxy_header{});
    } else {
        FUZZ_CHECK(read == header);
    }
}

void run(fuzz_input in) {
    const auto bytes = in.rest();
    const auto whole = parse_proxy_header(bytes);
    // The first size at which it is decided is where a reader of single bytes stops.
    const std::size_t end = whole.has_value() && *whole ? (*whole)->size : bytes.size();
    FUZZ_CHECK(end <= bytes.size());
    for (std::size_t size = 0; size < end; ++size) {
        const byte_buffer seen(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const auto part = parse_proxy_header(seen);
        if (part.has_error()) {
            FUZZ_CHECK(whole.has_error());
            FUZZ_CHECK(part.error().code == whole.error().code);
            return;
        }
        FUZZ_CHECK(!part->has_value());
    }
    if (whole.has_error() || !*whole) return;
    FUZZ_CHECK((*whole)->size <= protocol::proxy_header_size_max);
    const auto& header = (*whole)->header;
    for (const auto* one : {&header.source, &header.destination}) {
        if (one->kind != stream_kind::ip) continue;
        FUZZ_CHECK(protocol::parse_ip_address(to_text(one->ip)) == one->ip);
    }
    check_written(header);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
