// A session's first steps: who the client is, by its own address or by its load balancer's PROXY header, and the way to
// the server.

#include <spdlog/spdlog.h>

#include "protocol/wire/proxy_header.hpp"
#include "proxy/net/session_driver.hpp"

namespace sluice::proxy {

using session::core_next;

void session_driver::enter() {
    client_.stream.set_options();
    name_client();
    header_due_ = home_.surroundings().header_networks.contains(origin_);
    if (header_due_) {
        set_limit(limit::login, home_.surroundings().options.login_limit);
    } else {
        connect_server();
    }
}

void session_driver::name_client() {
    client_address_ = to_text(origin_);
    core_.set_client(client_address_);
    auto introduction = home_.surroundings().options.server_client_attributes
                            ? session::client_introduction(session::client_attributes(origin_))
                            : session::client_introduction();
    // A load balancer's own client may be local to it: what comes from there by TCP can be listened to all the same.
    const bool is_local = on_unix_socket_ && origin_.kind == protocol::stream_kind::local_socket;
    core_.introduce_client(is_local, std::move(introduction));
}

// Nothing is asked of the server before the header is there: it says whose connection that will be.
bool session_driver::look_at_header() {
    const protocol::byte_view unread(client_.buffer->data() + client_.begin, client_.end - client_.begin);
    const auto read = protocol::parse_proxy_header(unread);
    if (!read) {
        fail_login(1043, "08S01", "Bad handshake: " + std::string(read.error().what));
        return true;
    }
    if (!*read) {
        client_.next = core_next::partial;
        return false;
    }
    const auto& [header, size] = **read;
    header_due_ = false;
    client_.begin += size;
    client_.fresh = client_.has_unread();
    client_.next = core_next::more;
    if (header.source.kind != protocol::stream_kind::unknown) {
        spdlog::debug("client {}: is {}, by its PROXY header", client_address_, to_text(header.source));
        origin_ = header.source;
        reached_ = header.destination;
        origin_.ip = protocol::unmapped(origin_.ip);
        reached_.ip = protocol::unmapped(reached_.ip);
        name_client();
    }
    connect_server();
    return true;
}

// The attempt keeps limits of its own until the server has accepted.
void session_driver::connect_server() {
    set_limit(limit::none, {});
    upstream_ = std::make_shared<upstream_attempt>(home_.context(), home_.surroundings().options);
    upstream_->start([self = shared_from_this()](upstream_result outcome) {
        self->guarded([&] { self->on_connected(std::move(outcome)); });
    });
}

void session_driver::introduce_client() {
    if (!home_.surroundings().options.server_proxy_protocol) return;
    protocol::serialise(server_.own, protocol::proxy_header{origin_, reached_});
    flush(side::server);
}

}  // namespace sluice::proxy
