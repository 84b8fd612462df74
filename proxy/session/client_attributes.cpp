#include "proxy/session/client_attributes.hpp"

#include "protocol/wire/reader.hpp"

namespace sluice::session {
namespace {

constexpr std::string_view ip_name = "_client_ip";
constexpr std::string_view port_name = "_client_port";

}  // namespace

protocol::connect_attributes client_attributes(const protocol::stream_address& client) {
    if (client.kind != protocol::stream_kind::ip) return {};
    return {{std::string(ip_name), to_text(client.ip)}, {std::string(port_name), std::to_string(client.port)}};
}

std::string with_client_attributes(std::string_view block, const protocol::connect_attributes& own) {
    if (block.size() > attribute_bytes_max) return std::string(block);
    auto made = protocol::serialise_attributes(own);
    protocol::reader in(block);
    while (!in.empty()) {
        const auto begin = in.position();
        const auto name = in.lenenc_text();
        if (!name) break;
        const auto value = in.lenenc_text();
        if (!value) break;
        if (*name == ip_name || *name == port_name) continue;
        const auto pair = block.substr(begin, in.position() - begin);
        if (made.size() + pair.size() > attribute_bytes_max) break;
        made += pair;
    }
    return made;
}

protocol::capability_flags client_introduction::capability_to_server(
    protocol::capability_flags offered, protocol::capability_flags session) const noexcept {
    using namespace protocol::capability;
    if (!own_ || !protocol::has(offered, connect_attrs) || !protocol::has(session, plugin_auth)) return 0;
    return connect_attrs;
}

void client_introduction::introduce(protocol::handshake_response& response) const {
    if (!own_) return;
    response.attributes = with_client_attributes(response.attributes, *own_);
    response.has_attributes = true;
}

void client_introduction::introduce(protocol::change_user& change) const {
    if (!own_ || !change.auth_plugin) return;
    change.attributes = with_client_attributes(change.attributes.value_or(std::string()), *own_);
}

}  // namespace sluice::session
