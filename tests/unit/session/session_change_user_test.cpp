#include "tests/unit/session/running_session.hpp"

namespace sluice::session {
namespace {

TEST_CASE("a command behind COM_CHANGE_USER is no answer to it, whenever it comes") {
    const auto change = command_packet(command::change_user, std::string("other\0\0elsewhere\0\x21\0p\0", 22));
    const auto later = query_packet("SELECT 2");
    for (const int with_it : {0, 3, 12}) {  // so many of its bytes come in the same read
        for (const bool asks : {false, true}) {
            INFO(with_it << " bytes at once; the server asks first: " << asks);
            gate_shard shard({});
            running t(shard);
            (void)t.client(change + byte_buffer(later.begin(), later.begin() + with_it));
            (void)t.client(byte_buffer(later.begin() + with_it, later.end()));
            CHECK(t.to_server == change);
            CHECK(t.unread == later);
            if (asks) {
                // Then the server gets what it would get without Sluice: the next packet, and may say what it thinks.
                (void)t.server(framed("\x07 of a plugin that nobody knows", 1));
                CHECK(t.to_server == change + framed(protocol::as_text(byte_view(later).subspan(4)), 2));
                continue;
            }
            (void)t.server(script().ok());
            CHECK(t.core.phase() == core_phase::commands);
            CHECK(t.to_server == change + later);
        }
    }
}

TEST_CASE("a server that refuses COM_CHANGE_USER and goes on is followed with the user of before") {
    gate_shard shard({});
    running t(shard);
    t.done("BEGIN", in_trans);
    const auto change = command_packet(command::change_user, std::string("other\0\0elsewhere\0\x21\0p\0", 22));
    (void)t.client(change);
    CHECK(t.core.login().facts().user == "other");
    (void)t.server(script().err(1045));
    CHECK(t.core.phase() == core_phase::commands);
    CHECK(t.core.login().facts().user == "app");
    CHECK(t.core.relay().text().schema() == "shop");
    CHECK_FALSE(t.core.relay().in_transaction());  // the server has reset the session before it looked at the password
    t.done("SELECT 1");
    CHECK(t.core.relay().idle());
}

}  // namespace
}  // namespace sluice::session
