#include "tests/integration/oracle/replay.hpp"

#include "proxy/session/session_core.hpp"

#include <algorithm>
#include <memory>

namespace sluice::test::oracle {
namespace {

using session::core_next;
using session::core_phase;

std::shared_ptr<const protocol::rsa_key_pair> a_key() {
    static const auto key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate());
    return key;
}

session::login_rules login_rules() {
    session::login_rules rules;
    rules.rsa_key = a_key();
    return rules;
}

class player {
public:
    player() : shard_({}), core_(shard_, login_rules(), {}) {
        core_.set_client("replay");
        shard_.join(core_.relay());
    }

    void feed(bool from_client, std::string_view bytes) {
        auto& unread = from_client ? from_client_ : from_server_;
        const auto view = protocol::as_bytes(bytes);
        unread.insert(unread.end(), view.begin(), view.end());
        look(from_client);
        // Each side's bytes may be what the other's waited for.
        look(!from_client);
    }

    [[nodiscard]] std::string facts() const {
        const auto& relay = core_.relay();
        std::string text = "phase " + std::to_string(static_cast<int>(core_.phase()));
        text += " statements " + std::to_string(relay.statements()) + " schema " + relay.text().schema();
        if (relay.in_transaction()) text += " in transaction";
        if (relay.holds_locks()) text += " holds locks";
        if (relay.idle()) text += " idle";
        if (relay.blind()) text += " blind";
        return text;
    }

    void finish(replayed& into) {
        into.to_client = std::move(to_client_);
        into.to_server = std::move(to_server_);
        into.blind = core_.relay().blind();
        into.idle = core_.relay().idle() && from_client_.empty() && from_server_.empty();
        into.ended = core_.phase() == core_phase::ended;
    }

private:
    void look(bool at_client) {
        auto& unread = at_client ? from_client_ : from_server_;
        for (;;) {
            if (unread.empty()) return;
            const auto step = at_client ? core_.on_client(unread, {}) : core_.on_server(unread, {});
            auto& out = at_client ? to_server_ : to_client_;
            out += protocol::as_text(protocol::byte_view(unread).first(step.forward));
            unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(step.forward + step.drop));
            take(core_.to_client(), to_client_);
            take(core_.to_server(), to_server_);
            if (step.next != core_next::again) return;
        }
    }

    static void take(protocol::byte_buffer& from, std::string& to) {
        to += protocol::as_text(from);
        from.clear();
    }

    session::gate_shard shard_;
    session::session_core core_;
    protocol::byte_buffer from_client_;
    protocol::byte_buffer from_server_;
    std::string to_client_;
    std::string to_server_;
};

}  // namespace

replayed replay(const std::vector<wire::passage>& record, const cutting& cut) {
    replayed made;
    player session;
    for (std::size_t i = 0; i < record.size(); ++i) {
        std::string_view rest = record[i].bytes;
        for (const auto size : cut(i, rest.size())) {
            const auto piece = rest.substr(0, size);
            rest.remove_prefix(piece.size());
            if (!piece.empty()) session.feed(record[i].from_client, piece);
        }
        if (!rest.empty()) session.feed(record[i].from_client, rest);
        made.facts.push_back(session.facts());
    }
    session.finish(made);
    return made;
}

}  // namespace sluice::test::oracle
