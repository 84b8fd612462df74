#include "proxy/session/session_core.hpp"
#include "tests/unit/session/running_session.hpp"

#include <string>
#include <vector>

namespace sluice::session {
namespace {

TEST_CASE("commands and replies pass unchanged, wherever they are cut") {
    const auto sent =
        query_packet("SELECT 1") + command_packet(command::ping) + command_packet(command::stmt_prepare, "SELECT ?") +
        command_packet(command::stmt_send_long_data, std::string(6, '\0')) +
        command_packet(command::stmt_close, std::string("\7\0\0\0", 4)) + query_packet(std::string(5000, 'x'));
    for (const std::size_t piece : {1UL, 2UL, 5UL, 1000UL, 100'000UL}) {
        gate_shard shard({});
        running t(shard);
        for (std::size_t at = 0; at < sent.size(); at += piece) {
            const auto said = t.client(byte_view(sent).subspan(at, std::min(piece, sent.size() - at)));
            CHECK((said == core_next::more || said == core_next::partial));
        }
        CHECK(t.to_server == sent);
        CHECK(t.unread.empty());
        CHECK(t.core.relay().statements() == 6);
        const auto replies = script().columns(1).terminator().bytes() + script().ok().bytes() +
                             script().prepare_ok(7, 0, 1).bytes() + script().err().bytes();
        for (std::size_t at = 0; at < replies.size(); at += piece) {
            CHECK_FALSE(t.core.relay().idle());
            (void)t.server(byte_view(replies).subspan(at, std::min(piece, replies.size() - at)));
        }
        CHECK(t.to_client == replies);
        CHECK(t.core.relay().idle());
    }
}

TEST_CASE("a command of several frames is one command") {
    gate_shard shard({});
    running t(shard);
    const auto sent = query_packet("SELECT '" + std::string(2 * 0xFFFFFF, 'x') + "'");
    CHECK(t.client(sent) == core_next::more);
    CHECK(t.to_server.size() == sent.size());
    CHECK(t.core.relay().statements() == 1);
    const auto exact = query_packet(std::string(0xFFFFFF - 1, ' '));  // an empty frame behind it
    CHECK(t.client(exact) == core_next::more);
    CHECK(t.core.relay().statements() == 2);
    CHECK(t.client(command_packet(command::ping)) == core_next::more);
    CHECK(t.core.relay().statements() == 3);
}

TEST_CASE("a client with too many commands under way is read no further") {
    gate_shard shard({});
    running t(shard);
    byte_buffer burst;
    constexpr std::size_t count = reply_queue::size_max + 10;
    for (std::size_t i = 0; i < count; ++i) burst = std::move(burst) + command_packet(command::ping);
    CHECK(t.client(burst) == core_next::stalled);
    CHECK(t.core.relay().statements() == reply_queue::size_max);
    for (std::size_t i = 0; i < count; ++i) (void)t.server(script().ok());
    CHECK(t.core.relay().statements() == count);
    CHECK(t.core.relay().idle());
    CHECK(t.to_server == burst);
}

TEST_CASE("a file's packets are no commands, and commands wait behind its statement") {
    gate_shard shard({});
    running t(shard);
    const auto load = query_packet("LOAD DATA LOCAL INFILE 'f' INTO TABLE t");
    CHECK(t.client(load + command_packet(command::ping)) == core_next::stalled);
    CHECK(t.to_server == load);
    t.unread.clear();
    t.next = core_next::more;
    const auto request = framed(
        "\xfb"
        "f");
    (void)t.server(request);
    CHECK(t.to_client == request);
    const auto file = framed("\x01", 2) + framed("\x11 change user?", 3) + framed("", 4);
    for (const auto byte : file) (void)t.client(byte_view(&byte, 1));
    CHECK(t.to_server == load + file);
    CHECK(t.core.relay().statements() == 1);
    (void)t.server(script(modern, 5).ok());
    CHECK(t.core.relay().idle());
}

TEST_CASE("a server that asks for a file nobody offered gets nothing, and the client hears of an error") {
    const auto request = framed(
        "\xfb"
        "f");
    const auto columns = script().columns(1).terminator(autocommit | server_status::more_results_exist).bytes();
    struct {
        byte_buffer before;   // of the reply
        std::size_t sent;     // of the request, in a piece of its own
        std::uint8_t number;  // of the request
        bool told;
    } const cases[] = {{{}, 0, 1, true}, {columns, 0, 4, true}, {{}, 4, 1, false}, {{}, 1, 1, false}};
    for (const auto& c : cases) {
        gate_shard shard({});
        running t(shard);
        CHECK(t.client(query_packet("SELECT 1")) == core_next::more);
        const auto numbered = framed(protocol::as_text(byte_view(request).subspan(4)), c.number);
        (void)t.server(c.before + byte_buffer(numbered.begin(), numbered.begin() + static_cast<long>(c.sent)));
        t.to_client.clear();
        CHECK_FALSE(t.core.refused_file());
        CHECK(t.server(byte_view(numbered).subspan(c.sent)) == core_next::ended);
        CHECK(t.core.phase() == core_phase::ended);
        CHECK(t.core.refused_file());
        CHECK(t.to_client.empty() == !c.told);
        if (!c.told) continue;
        CHECK(std::to_integer<int>(t.to_client[3]) == c.number);
        CHECK(std::to_integer<int>(t.to_client[4]) == 0xFF);
    }
}

TEST_CASE("a file is allowed where one of several statements loads one, and only there") {
    struct {
        const char* text;
        bool allowed;
    } const cases[] = {
        {"load /* x */ data local infile 'f' into table t", true},
        {"SELECT 1; LOAD DATA LOCAL INFILE 'f' INTO TABLE t; SELECT 2", true},
        {"LOAD XML LOCAL INFILE 'f' INTO TABLE t", true},
        {"LOAD DATA INFILE 'f' INTO TABLE t", false},
        {"SELECT 'LOAD DATA LOCAL INFILE'", false},
        {"SELECT 1; LOAD DATA INFILE 'f' INTO TABLE t", false},
        {"EXECUTE prepared_as_text", true},
    };
    for (const auto& c : cases) {
        INFO(c.text);
        gate_shard shard({});
        running t(shard);
        REQUIRE(t.client(query_packet(c.text)) == core_next::more);
        CHECK((t.server(framed("\xfb"
                               "f")) == core_next::ended) == !c.allowed);
    }
}

TEST_CASE("a file is allowed to a prepared statement that loads one (MariaDB prepares it, 9.7 does not)") {
    const std::string flags_and_count("\0\1\0\0\0", 5);
    struct {
        const char* text;
        bool allowed;
    } const cases[] = {
        {"LOAD DATA LOCAL INFILE 'f' INTO TABLE t", true},
        {"LOAD DATA INFILE 'f' INTO TABLE t", false},
        {"SELECT 'LOAD DATA LOCAL'", false},
    };
    for (const auto& c : cases) {
        INFO(c.text);
        gate_shard shard({});
        running t(shard);
        (void)t.client(command_packet(command::stmt_prepare, c.text));
        REQUIRE(t.server(script().prepare_ok(3, 0, 0)) == core_next::more);
        (void)t.client(command_packet(command::stmt_execute, std::string("\3\0\0\0", 4) + flags_and_count));
        CHECK((t.server(framed("\xfb"
                               "f")) == core_next::ended) == !c.allowed);
        if (!c.allowed) continue;
        const auto file = framed("a\tb\n", 2) + framed("", 3);
        t.to_server.clear();
        CHECK(t.client(file) == core_next::more);
        CHECK(t.to_server == file);
        (void)t.server(script(modern, 4).ok());
        CHECK(t.core.relay().idle());
    }
}

TEST_CASE("the gate holds, releases, and counts") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    const auto statement = query_packet("SELECT * FROM orders");
    CHECK(t.client(statement) == core_next::more);  // open
    CHECK(shard.in_use_count(0) == 1);
    CHECK(t.core.relay().view().statement == "SELECT * FROM orders");
    CHECK(t.core.relay().view().client == "app@10.0.0.1:1234");
    (void)t.server(script().columns(1).terminator());
    CHECK(shard.in_use_count(0) == 0);
    CHECK(shard.take_drained() == slot_bit(0));

    t.to_server.clear();
    shard.close(0, start + 1s);
    CHECK(t.client(query_packet("SELECT * FROM other") + statement + command_packet(command::ping)) ==
          core_next::stalled);
    CHECK(t.to_server == query_packet("SELECT * FROM other"));
    (void)t.server(script().ok());
    CHECK(t.next == core_next::held);
    CHECK(t.to_server == query_packet("SELECT * FROM other"));
    CHECK(shard.in_use_count(0) == 0);
    CHECK(t.core.relay().held());
    shard.open(0);
    t.released();
    CHECK(t.to_server == query_packet("SELECT * FROM other") + statement + command_packet(command::ping));
    CHECK(shard.in_use_count(0) == 1);
    (void)t.server(script().ok());
    CHECK(shard.in_use_count(0) == 0);
    CHECK_FALSE(t.core.relay().idle());  // the ping
}

TEST_CASE("who may hold locks passes the gate, who has only begun does not") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    shard.close(0, start + 1s);
    const auto statement = query_packet("UPDATE orders SET a = 1");
    t.done("BEGIN", in_trans);
    CHECK(t.client(statement) == core_next::held);
    shard.abandon(t.core.relay());
    t.unread.clear();
    t.done("SELECT * FROM other", in_trans);
    CHECK(t.client(statement) == core_next::more);
    CHECK(shard.in_use_count(0) == 1);
    (void)t.server(script().ok(in_trans));
    CHECK(shard.in_use_count(0) == 1);
    t.done("COMMIT");
    CHECK(shard.in_use_count(0) == 0);
}

TEST_CASE("statements of every form are held at the gate") {
    gate_shard shard({});
    running t(shard, modern | capability::query_attributes);
    (void)t.client(command_packet(command::stmt_prepare, "DELETE FROM orders"));
    (void)t.server(script().prepare_ok(3, 0, 0));
    (void)t.client(command_packet(command::stmt_prepare, "DELETE FROM other"));
    (void)t.server(script().prepare_ok(4, 0, 0));
    shard.watch(0, {"shop", "orders"});
    shard.close(0, start + 1s);
    const std::string attributes("\0\1", 2);
    const auto execute = [](char id) {
        return command_packet(command::stmt_execute, std::string(1, id) + std::string("\0\0\0\0\1\0\0\0", 8));
    };
    struct {
        byte_buffer sent;
        bool held;
    } const cases[] = {
        {command_packet(command::query, attributes + "SELECT * FROM orders"), true},
        {command_packet(command::query, attributes + "SELECT * FROM other"), false},
        {command_packet(command::query, attributes + "CALL p()"), true},
        {execute(3), true},
        {execute(4), false},
        {execute(9), true},  // unknown: may be anything
        {command_packet(command::stmt_prepare, "SELECT * FROM orders"), true},
        {command_packet(command::field_list, std::string("orders\0", 7)), true},
        {command_packet(command::field_list, std::string("other\0", 6)), false},
        {command_packet(command::query, attributes + "COMMIT"), false},
        {command_packet(command::query, attributes + "INSERT INTO orders VALUES ('" + std::string(9000, 'x')), true},
        {command_packet(command::query, attributes + "INSERT INTO other VALUES ('" + std::string(9000, 'x')), false},
        {command_packet(command::query, attributes + "SELECT '" + std::string(9000, 'x')),
         true},  // cut: may be anything
    };
    for (const auto& c : cases) {
        INFO(protocol::as_text(byte_view(c.sent).subspan(4, std::min<std::size_t>(c.sent.size() - 4, 60))));
        const auto said = t.client(c.sent);
        CHECK((said == core_next::held) == c.held);
        if (t.core.relay().held()) {
            CHECK(shard.held_now() == 1);
            shard.abandon(t.core.relay());
            t.unread.clear();
        } else if (!c.held) {
            (void)t.server(script().err());
        }
        REQUIRE(t.core.relay().idle());
    }
}

TEST_CASE("a watch that begins in the middle counts what is under way") {
    gate_shard shard({});
    running t(shard);
    (void)t.client(query_packet("SELECT 1"));
    shard.watch(0, {"shop", "orders"});
    CHECK(shard.in_use_count(0) == 1);
    (void)t.server(script().ok());
    CHECK(shard.in_use_count(0) == 0);
    shard.unwatch(0);
    t.done("BEGIN", in_trans);
    shard.watch(0, {"shop", "orders"});
    CHECK(shard.in_use_count(0) == 1);
    shard.close(0, start + 1s);
    CHECK(t.client(query_packet("SELECT * FROM orders")) == core_next::more);
    (void)t.server(script().ok(in_trans));
    t.done("ROLLBACK");
    CHECK(shard.in_use_count(0) == 0);
}

TEST_CASE("several statements in one text are all looked at") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    shard.watch(1, {"elsewhere", "orders"});
    shard.close(0, start + 1s);
    CHECK(t.client(query_packet("SELECT 1; DELETE FROM orders")) == core_next::held);
    shard.abandon(t.core.relay());
    t.unread.clear();
    t.done("SELECT 1; USE elsewhere");
    CHECK(t.client(query_packet("DELETE FROM orders")) == core_next::more);
    CHECK(shard.in_use_count(1) == 1);
    CHECK(shard.in_use_count(0) == 0);
}

TEST_CASE("Sluice's own answers come in their turn") {
    gate_shard shard({});
    running t(shard);
    t.done("BEGIN", in_trans);
    t.to_client.clear();
    t.to_server.clear();
    CHECK(t.client(query_packet("SELECT 1") + query_packet("SHOW MIGRATIONS") + query_packet("SELECT 2")) ==
          core_next::stalled);
    CHECK(t.to_server == query_packet("SELECT 1"));
    (void)t.server(script().ok(in_trans));
    CHECK(t.next == core_next::answer);
    CHECK(t.core.relay().pending_show().subject == sql::show_subject::migrations);
    CHECK_FALSE(t.core.relay().idle());
    CHECK(t.look() == core_next::stalled);
    t.core.answer(protocol::err_packet{1105, "HY000", "none"});
    (void)t.look();
    CHECK(t.to_server == query_packet("SELECT 1") + query_packet("SELECT 2"));
    (void)t.server(script().ok(in_trans));
    byte_buffer answer;
    protocol::append_err_reply(answer, {1105, "HY000", "none"}, modern, 1);
    CHECK(t.to_client == script().ok(in_trans).bytes() + answer + script().ok(in_trans).bytes());
}

TEST_CASE("COM_CHANGE_USER goes back to the login and forgets the session") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    t.done("LOCK TABLES orders READ");
    CHECK(shard.in_use_count(0) == 1);
    t.to_server.clear();
    const auto change = command_packet(command::change_user, std::string("other\0\0elsewhere\0\x21\0p\0", 22));
    CHECK(t.client(query_packet("SELECT 1") + change) == core_next::stalled);
    (void)t.server(script().ok());
    CHECK(t.to_server == query_packet("SELECT 1") + change);
    CHECK(t.core.phase() == core_phase::login);
    t.to_client.clear();
    const auto asked = framed(std::string("\xfe"
                                          "p\0new scramble",
                                          15),
                              1);
    (void)t.server(asked);
    CHECK(t.to_client == asked);
    (void)t.client(framed("answer", 2));
    (void)t.server(script(modern, 3).ok());
    CHECK(t.core.phase() == core_phase::commands);
    CHECK(t.core.relay().text().schema() == "elsewhere");
    CHECK(shard.in_use_count(0) == 0);
    t.done("SELECT 1");
}

TEST_CASE("a replica's stream and a stream not understood are relayed blindly") {
    gate_shard shard({});
    shard.watch(0, {"shop", "orders"});
    {
        running replica(shard);
        const auto dump = command_packet(command::binlog_dump, std::string(10, '\0'));
        const auto acknowledgement = framed("\xef position", 0);
        CHECK(replica.client(dump + acknowledgement) == core_next::stalled);
        CHECK(replica.to_server == dump);
        const auto stream = framed(std::string(1, '\0') + "event") + byte_buffer(1000, std::byte{0xFF});
        (void)replica.server(stream);
        CHECK(replica.to_client == stream);
        CHECK(replica.to_server == dump + acknowledgement);
        (void)replica.client(acknowledgement);
        CHECK(replica.unread.empty());
        CHECK(shard.in_use_count(0) == 0);
    }
    running t(shard);
    const auto unasked = script().ok().bytes();
    (void)t.server(unasked + byte_buffer(5, std::byte{1}));
    CHECK(t.to_client == unasked + byte_buffer(5, std::byte{1}));
    CHECK(t.core.relay().blind());
    CHECK(shard.in_use_count(0) == 1);
    shard.close(0, start + 1s);
    CHECK(t.client(query_packet("SELECT * FROM orders")) == core_next::more);
    CHECK(t.unread.empty());
}

TEST_CASE("statements shown to operators are short and of one line") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    (void)t.client(query_packet("SELECT *\n\tFROM orders WHERE a = '" + std::string(84, 'x') +
                                "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4'"));
    const auto shown = t.core.relay().view().statement;
    CHECK(shown.size() <= 123);
    CHECK(shown.find('\n') == std::string::npos);
    CHECK(shown.ends_with("..."));
    CHECK((static_cast<unsigned char>(shown[shown.size() - 4]) & 0xC0) != 0xC0);
}

}  // namespace
}  // namespace sluice::session
