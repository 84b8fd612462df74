// Compression of a session's sides: begun behind the OK that ends its first login, and the sequence ids from then on.

#include <spdlog/spdlog.h>

#include "proxy/net/session_driver.hpp"

namespace sluice::proxy {

using protocol::byte_view;
using protocol::compression_algorithm;

// Called when the OK is on its way and nothing behind it has been looked at.
void session_driver::begin_compression() {
    const auto& facts = core_.login().facts();
    const auto& rules = home_.surroundings().login.compression;
    if (facts.server_compression != rules.to_server && !home_.surroundings().server_lacks_compression.exchange(true)) {
        spdlog::warn("proxy: the server does not offer compression by {}; connections to it are not compressed",
                     protocol::compression_name(rules.to_server));
    }
    if (!facts.is_compressed()) return;
    sequence_ = std::make_unique<session::frame_sequence>();
    begin_compression(side::client, facts.client_compression, facts.client_zstd_level);
    begin_compression(side::server, facts.server_compression, rules.server_zstd_level);
}

void session_driver::begin_compression(side with, compression_algorithm algorithm, int zstd_level) {
    if (algorithm == compression_algorithm::none) return;
    auto& one = at(with);
    byte_view read_ahead;
    if (one.buffer) {
        const auto login_end = one.begin + one.approved + one.drop;
        read_ahead = byte_view(one.buffer->data() + login_end, one.end - login_end);
        one.end = login_end;
    }
    one.stream.begin_compression(
        std::make_unique<compression>(algorithm, zstd_level, read_ahead, byte_view(one.own).subspan(one.own_sent)));
    one.own = {};
    one.own_sent = 0;
    one.next = session::core_next::more;
}

// What a step has approved of, before it goes to the other side.
void session_driver::number_frames(side from, const session::turn_marks& marks) {
    using received = session::frame_sequence::received;
    const auto received_from = [](peer& one) {
        const auto* layer = one.stream.compressed();
        return layer != nullptr ? received{layer->last_sequence(), layer->frames_received()} : received{};
    };
    auto& in = at(from);
    const std::span<std::byte> forwarded(in.buffer->data() + in.begin, in.approved);
    const auto ids = from == side::client
                         ? sequence_->on_client(marks, forwarded, received_from(client_), received_from(server_))
                         : sequence_->on_server(marks, forwarded, received_from(server_));
    if (auto* layer = client_.stream.compressed(); layer != nullptr && ids.to_client) {
        layer->set_next_sequence(*ids.to_client);
    }
    if (auto* layer = server_.stream.compressed(); layer != nullptr && ids.to_server) {
        layer->set_next_sequence(*ids.to_server);
    }
}

}  // namespace sluice::proxy
