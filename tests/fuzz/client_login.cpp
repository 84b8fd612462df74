// A login as Sluice's own client makes it, against a server that may send anything.

#include "protocol/message/client_handshake.hpp"
#include "protocol/message/handshake.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace sluice::fuzz {
namespace {

using protocol::login_state;

void run(fuzz_input in) {
    const unsigned choices = in.u8();
    protocol::client_login login;
    login.user = "fuzz";
    login.is_secure_transport = (choices & 1U) != 0;
    if ((choices & 2U) != 0) login.password = "secret";
    if ((choices & 4U) != 0) login.database = "shop";
    if ((choices & 8U) != 0) login.attributes = {{"_client_name", "fuzz"}, {"", ""}};
    if ((choices & 16U) != 0) login.capabilities |= protocol::capability::session_track;
    if ((choices & 32U) != 0) login.capabilities &= ~protocol::capability::plugin_auth_lenenc_data;
    if ((choices & 64U) != 0) login.password = std::string(300, 'p');
    protocol::client_handshake handshake(std::move(login));

    std::uint8_t sequence = 0;
    bool responded = false;
    for (int packets = 0; !in.empty() && packets < 64; ++packets) {
        const auto payload = in.bytes(in.u16() & 0x3FFU);
        const auto out = handshake.on_packet(payload, sequence);
        if (out) {
            FUZZ_CHECK(handshake.state() == login_state::waiting);
            FUZZ_CHECK(out->sequence == static_cast<std::uint8_t>(sequence + 1));
            if (!responded) {
                const auto response = protocol::parse_handshake_response(out->payload);
                FUZZ_CHECK(response.has_value() && response->user == "fuzz" && response->trailing.empty());
                FUZZ_CHECK(response->capabilities == handshake.capabilities());
            }
            responded = true;
        }
        if (handshake.state() == login_state::failed) {
            FUZZ_CHECK(handshake.failure().from_server || handshake.failure().error.code != 0);
        }
        if (handshake.state() != login_state::waiting) return;
        sequence = static_cast<std::uint8_t>(sequence + 2);
    }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
