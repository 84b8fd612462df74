// A session of which a side is compressed: its steps end where the parts of the conversation do, and say so.

#include "proxy/session/session_core.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>
#include <vector>

namespace sluice::session {
namespace {

using protocol::command;
using protocol::compression_algorithm;

constexpr time_point start{};

struct running {
    explicit running(compression_rules rules, capability_flags client = capability::compress,
                     const char* version = "9.7.0")
        : core(shard, with(rules), {true, 1024}) {
        shard.join(core.relay());
        protocol::server_greeting greeting;
        greeting.server_version = version;
        greeting.capabilities = capability::mysql_mask;
        greeting.auth_data = std::string(20, 's') + std::string(1, '\0');
        greeting.auth_plugin = "p";
        protocol::handshake_response response;
        response.capabilities = modern | client;
        response.user = "app";
        response.auth_plugin = "p";
        byte_buffer payload;
        protocol::serialise(payload, greeting);
        CHECK(core.on_server(framed(protocol::as_text(payload), 0), start).marks.login);
        payload.clear();
        protocol::serialise(payload, response);
        CHECK(core.on_client(framed(protocol::as_text(payload), 1), start).marks.login);
        CHECK(core.on_server(script(modern, 2).ok(), start).marks.login);
        REQUIRE(core.phase() == core_phase::commands);
        core.to_client().clear();
        core.to_server().clear();
    }

    static login_rules with(const compression_rules& compression) {
        static const auto key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate());
        login_rules rules;
        rules.rsa_key = key;
        rules.compression = compression;
        return rules;
    }

    // All steps for these bytes in a line each: "c" client, "s" server, what begins "(", what ends ")", and the size; a
    // source's new beginning and its frame "@0".
    std::string client(byte_view bytes) { return steps('c', bytes); }
    std::string server(byte_view bytes) { return steps('s', bytes); }

    std::string steps(char who, byte_view bytes) {
        std::string said;
        for (;;) {
            const auto step = who == 'c' ? core.on_client(bytes, start) : core.on_server(bytes, start);
            const auto& marks = step.marks;
            if (!said.empty()) said += ' ';
            said += who;
            if (marks.command_begins || marks.file_begins || marks.reply_begins) said += '(';
            if (marks.file_begins || marks.file_ends) said += 'f';
            if (marks.source_begins_anew) said += "@" + std::to_string(*marks.source_begins_anew) + ":";
            said += std::to_string(step.forward);
            if (marks.command_ends || marks.file_ends) said += ')';
            if (marks.command_begins && !marks.has_reply) said += '-';
            if (marks.own_reply) said += '!';
            if (marks.unknown) said += '?';
            bytes = bytes.subspan(step.forward + step.drop);
            if (step.next != core_next::again) return said;
            REQUIRE_FALSE(bytes.empty());
        }
    }

    gate_shard shard{{}};
    session_core core;
};

constexpr compression_rules client_zlib{.offers_zlib = true};
constexpr compression_rules server_zlib{.to_server = compression_algorithm::zlib};

TEST_CASE("a step of a compressed session holds one command or one reply") {
    for (const auto& rules : {client_zlib, server_zlib}) {
        running t(rules);
        CHECK(t.client(query_packet("SELECT 1") + query_packet("SELECT 22") +
                       command_packet(command::stmt_close, std::string("\7\0\0\0", 4)) +
                       command_packet(command::ping)) == "c(13) c(14) c(9)- c(5)");
        const auto rows = script().columns(1).raw("\1x").terminator().bytes();
        const auto ok = script().ok().bytes();
        CHECK(t.server(rows + ok + ok) == "s(" + std::to_string(rows.size()) + " s(" + std::to_string(ok.size()) +
                                              " s(" + std::to_string(ok.size()));
        CHECK(t.core.relay().idle());
    }
}

TEST_CASE("commands and replies that come in parts begin and end once") {
    running t(client_zlib);
    const auto query = query_packet(std::string(2000, 'x'));
    CHECK(t.client(byte_view(query).first(1500)) == "c(1500");
    CHECK(t.client(byte_view(query).subspan(1500)) == "c505)");
    const auto rows = script().columns(1).raw("\1x").terminator().bytes();
    CHECK(t.server(byte_view(rows).first(10)) == "s(10");
    CHECK(t.server(byte_view(rows).subspan(10)) == "s" + std::to_string(rows.size() - 10));
    CHECK(t.core.relay().idle());
}

TEST_CASE("results of one statement are one reply") {
    running t(server_zlib);
    CHECK(t.client(query_packet("SELECT 1; DO 1")) == "c(19)");
    const auto more = script().ok(server_status::autocommit | server_status::more_results_exist).bytes();
    const auto last = script(modern, 2).ok().bytes();
    CHECK(t.server(more + last) == "s(" + std::to_string(more.size() + last.size()));
}

TEST_CASE("a file is a part of its own") {
    running t(client_zlib);
    CHECK(t.client(query_packet("LOAD DATA LOCAL INFILE 'x' INTO TABLE t")) == "c(44)");
    const auto request = framed("\xFBx", 1);
    CHECK(t.server(request) == "s(6");
    CHECK(t.client(framed("row\n", 2) + framed("row\n", 3)) == "c(f16");
    CHECK(t.client(framed("", 4) + query_packet("DO 1")) == "cf4) c0");
    const auto ok = script(modern, 5).ok().bytes();
    CHECK(t.server(ok) == "s" + std::to_string(ok.size()));
    CHECK(t.client(query_packet("DO 1")) == "c(9)");
}

TEST_CASE("a file that is one write begins and ends in it") {
    running t(client_zlib);
    (void)t.client(query_packet("LOAD DATA LOCAL INFILE 'x' INTO TABLE t"));
    (void)t.server(framed("\xFBx", 1));
    CHECK(t.client(framed("row\n", 2) + framed("", 3)) == "c(f12)");
}

TEST_CASE("commands that Sluice or the login answers are marked so") {
    running t(client_zlib);
    CHECK(t.client(query_packet("SHOW MIGRATIONS")) == "c0!");
    protocol::text_resultset rows;
    rows.columns.push_back({"id", protocol::text_column_type::varchar});
    t.core.answer(rows);
    const auto change = command_packet(command::change_user, std::string("app\0\0\0", 6));
    CHECK(t.client(change) == "c(0)-!");
    CHECK(t.core.phase() == core_phase::login);
}

TEST_CASE("a stream that never ends is one reply, and what the client says meanwhile is not followed") {
    running t(server_zlib);
    const auto dump = command_packet(command::binlog_dump, std::string(10, '\0'));
    CHECK(t.client(dump) == "c(15)");
    CHECK(t.server(framed(std::string("\0event", 6), 1)) == "s(10");
    CHECK(t.server(framed(std::string("\0event", 6), 2)) == "s10");
    CHECK(t.client(byte_buffer(5, std::byte{1})) == "c(5-?");
}

TEST_CASE("a semi-synchronous stream begins anew behind each event to acknowledge, and acknowledgements go singly") {
    const std::string version_and_frame[][2] = {
        {"9.7.0", "@0:"}, {"5.7.44", "@0:"}, {"5.6.51-log", "@1:"}, {"5.5.5-10.11.6-MariaDB", "@1:"}, {"odd", "@0:"}};
    const auto first = framed(std::string("\0\xEF\0event", 8), 1);
    const auto last = framed(std::string("\0\xEF\1event", 8), 2);
    const auto acknowledgement = framed("\xEF position", 0);
    for (const auto& [version, frame] : version_and_frame) {
        for (const auto& rules : {client_zlib, server_zlib}) {
            running t(rules, capability::compress, version.c_str());
            CHECK(t.client(command_packet(command::binlog_dump_gtid, std::string(10, '\0'))) == "c(15)");
            CHECK(t.server(first + last + first + last) == "s(24 s" + frame + "24");
            CHECK(t.server(first) == "s" + frame + "12");
            CHECK(t.server(last) == "s12");
            CHECK(t.client(acknowledgement + acknowledgement) == "c(14-? c(14-?");
            CHECK(t.client(byte_view(acknowledgement).first(3)) == "c(0-?");
            CHECK(t.client(byte_view(acknowledgement).first(13)) == "c(0-?");
        }
    }
    running plain(client_zlib, 0);
    (void)plain.client(command_packet(command::binlog_dump, std::string(10, '\0')));
    CHECK(plain.server(first + last + first) == "s36");
    CHECK(plain.client(acknowledgement + acknowledgement) == "c(28-?");
}

TEST_CASE("a compressed server's ids do not tell an ERR that nobody asked for") {
    for (const auto& rules : {client_zlib, server_zlib}) {
        running t(rules);
        (void)t.client(query_packet("SELEC"));
        (void)t.server(script(modern, 0).err());
        CHECK(t.core.relay().idle() == (rules.to_server == compression_algorithm::zlib));
    }
}

TEST_CASE("without compression a step holds all that may pass, and no marks are needed") {
    running t(client_zlib, 0);
    CHECK_FALSE(t.core.login().facts().is_compressed());
    const auto step = t.core.on_client(query_packet("SELECT 1") + query_packet("SELECT 2"), start);
    CHECK(step.forward == 26);
    const auto replies = script().ok().bytes() + script().ok().bytes();
    CHECK(t.core.on_server(replies, start).forward == replies.size());
}

}  // namespace
}  // namespace sluice::session
