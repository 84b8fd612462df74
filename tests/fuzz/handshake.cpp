// The connection phase's packets: greeting, response, TLS request, COM_CHANGE_USER, attributes. What was parsed is
// written back byte by byte; where a length stood in a longer form than it needs, in a shorter form that means the
// same.

#include "protocol/message/handshake.hpp"
#include "protocol/message/auth.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/session_capabilities.hpp"

namespace sluice::fuzz {
namespace {

/// `write` serialises a value, `read` parses bytes.
template <class Read, class Write>
void check_round_trip(byte_view payload, const Read& read, const Write& write) {
    const auto parsed = read(payload);
    if (!parsed) return;
    byte_buffer written;
    write(written, *parsed);
    FUZZ_CHECK(written.size() <= payload.size());
    if (written.size() == payload.size()) {
        FUZZ_CHECK(std::equal(written.begin(), written.end(), payload.begin()));
        return;
    }
    const auto again = read(written);
    FUZZ_CHECK(again.has_value());
    byte_buffer rewritten;
    write(rewritten, *again);
    FUZZ_CHECK(rewritten == written);
}

template <class Read>
void check_round_trip(byte_view payload, const Read& read) {
    check_round_trip(payload, read, [](byte_buffer& out, const auto& value) { serialise(out, value); });
}

void run(fuzz_input in) {
    const auto kind = in.u8() % 5;
    const auto capabilities = session_capabilities(in);
    const auto payload = in.rest();
    switch (kind) {
        case 0: check_round_trip(payload, protocol::parse_server_greeting); break;
        case 1: check_round_trip(payload, protocol::parse_handshake_response); break;
        case 2:
            if (const auto request = protocol::parse_ssl_request(payload)) {
                FUZZ_CHECK(protocol::is_ssl_request(payload));
                check_round_trip(payload, protocol::parse_ssl_request);
            }
            break;
        case 3:
            check_round_trip(
                payload, [&](byte_view bytes) { return protocol::parse_change_user(bytes, capabilities); },
                [&](byte_buffer& out, const protocol::change_user& change) { serialise(out, change, capabilities); });
            break;
        default:
            check_round_trip(
                payload, [](byte_view bytes) { return protocol::parse_attributes(protocol::as_text(bytes)); },
                [](byte_buffer& out, const protocol::connect_attributes& attributes) {
                    out = protocol::to_buffer(protocol::serialise_attributes(attributes));
                });
            break;
    }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
