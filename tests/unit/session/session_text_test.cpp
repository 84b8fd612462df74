#include "proxy/session/session_text.hpp"
#include "protocol/sql/classifier.hpp"
#include "proxy/session/prepared_statements.hpp"
#include "tests/unit/session/packets.hpp"

namespace sluice::session {
namespace {

login_facts mysql_login() {
    login_facts facts;
    facts.server_version = "9.7.0";
    facts.schema = "shop";
    facts.status = server_status::autocommit;
    facts.collation_id = 255;
    return facts;
}

ended_reply reply_to(const char* text, bool failed = false) {
    ended_reply ended;
    ended.expected.command = protocol::command::query;
    ended.expected.memory = std::make_unique<command_memory>();
    ended.expected.memory->statements = sql::classify(text).statements;
    ended.failed = failed;
    return ended;
}

TEST_CASE("server versions are understood") {
    struct {
        const char* text;
        std::uint32_t expected;
    } const cases[] = {{"9.7.0", 90700},
                       {"8.0.36-28.1", 80036},
                       {"5.6.24-log", 50624},
                       {"5.5.5-10.11.6-MariaDB-1", 101106},
                       {"11.4.2-MariaDB", 110402},
                       {"", 0},
                       {"banana", 0},
                       {"9.7", 0},
                       {"9.7.", 0},
                       {"9.700.1", 0}};
    for (const auto& c : cases) {
        INFO(c.text);
        CHECK(parse_server_version(c.text) == c.expected);
    }
}

TEST_CASE("the default schema is followed") {
    session_text text;
    text.adopt_login(mysql_login());
    CHECK(text.schema() == "shop");
    text.adopt_reply(reply_to("USE other"));
    CHECK(text.schema() == "other");
    text.adopt_reply(reply_to("USE nowhere", true));
    CHECK(text.schema() == "other");
    text.adopt_reply(reply_to("SELECT 1; USE third; SELECT 2"));
    CHECK(text.schema() == "third");
    text.adopt_reply(reply_to("USE fourth; SELECT nonsense", true));
    CHECK(text.schema().empty());  // perhaps
    ended_reply init;
    init.expected.command = protocol::command::init_db;
    init.expected.memory = std::make_unique<command_memory>();
    init.expected.memory->text = "fifth";
    text.adopt_reply(init);
    CHECK(text.schema() == "fifth");
    ended_reply told;
    told.changes.schema = "sixth";
    text.adopt_reply(told);
    CHECK(text.schema() == "sixth");
    ended_reply unclear;
    unclear.changes.incomplete = true;
    text.adopt_reply(unclear);
    CHECK(text.schema().empty());
}

TEST_CASE("what changes the meaning of a text is followed, and doubt is remembered") {
    session_text text;
    text.adopt_login(mysql_login());
    CHECK_FALSE(text.options().ansi_quotes);
    CHECK_FALSE(text.rules().quotes_certain);  // the server's sql_mode is not known
    CHECK(text.options().server_version == 90700);
    text.adopt_reply(reply_to("SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'"));
    CHECK(text.options().ansi_quotes);
    text.adopt_reply(reply_to("SET SESSION sql_mode = ''"));
    CHECK_FALSE(text.options().ansi_quotes);
    text.adopt_reply(reply_to("SET GLOBAL sql_mode = 'ANSI'"));
    CHECK_FALSE(text.options().ansi_quotes);
    CHECK(text.rules().quotes_certain);
    text.adopt_reply(reply_to("SET sql_mode = CONCAT(@@sql_mode, ',x')"));
    CHECK_FALSE(text.rules().quotes_certain);
    text.adopt_reply(reply_to("SET sql_mode = 'ANSI'"));
    CHECK(text.rules().quotes_certain);
    CHECK(text.options().ansi_quotes);
    text.reset();
    CHECK_FALSE(text.rules().quotes_certain);

    // What is not known may have been a SET.
    ended_reply unknown;
    unknown.expected.command = protocol::command::stmt_execute;
    unknown.expected.runs_several = true;
    ended_reply execute;
    execute.expected.command = protocol::command::query;
    execute.expected.may_lock = true;
    for (auto* one : {&unknown, &execute}) {
        text.adopt_reply(reply_to("SET sql_mode = ''"));
        CHECK(text.rules().quotes_certain);
        text.adopt_reply(*one);
        CHECK_FALSE(text.rules().quotes_certain);
    }

    text.adopt_status(server_status::no_backslash_escapes);
    CHECK(text.options().no_backslash_escapes);
    text.adopt_reply(reply_to("SET sql_mode = ''"));  // the status told otherwise, and counts
    CHECK(text.options().no_backslash_escapes);

    text.adopt_reply(reply_to("SET NAMES gbk"));
    CHECK(text.options().charset == sql::multibyte_charset::gbk);
    text.adopt_reply(reply_to("SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'"));
    CHECK(text.options().charset == sql::multibyte_charset::none);
    ended_reply told;
    told.changes.character_set_client = "sjis";
    told.changes.sql_mode = "ANSI_QUOTES";
    text.adopt_reply(told);
    CHECK(text.options().charset == sql::multibyte_charset::sjis);
    CHECK(text.options().ansi_quotes);
}

TEST_CASE("MariaDB tells ANSI_QUOTES with its status") {
    auto facts = mysql_login();
    facts.server_version = "5.5.5-10.11.6-MariaDB";
    session_text text;
    text.adopt_login(facts);
    CHECK(text.options().mariadb);
    text.adopt_status(server_status::ansi_quotes);
    text.adopt_reply(reply_to("SET sql_mode = CONCAT(@@sql_mode, '')"));
    CHECK(text.options().ansi_quotes);
    CHECK(text.rules().quotes_certain);
    text.reset();
    CHECK(text.rules().quotes_certain);
}

command_memory whole(std::string text) {
    command_memory prepare;
    prepare.text = std::move(text);
    return prepare;
}

command_memory cut() {
    command_memory prepare;
    prepare.text_is_whole = false;
    return prepare;
}

TEST_CASE("prepared statements are known by id, however early they were prepared") {
    session_text settings;
    settings.adopt_login(mysql_login());
    gate_shard shard({});
    prepared_statements prepared;
    prepared.add(1, whole("SELECT * FROM orders"), settings);
    prepared.add(2, whole("SELECT * FROM other.orders"), settings);
    prepared.add(3, whole("SELECT 1"), settings);
    prepared.add(4, cut(), settings);  // cut
    shard.watch(0, {"shop", "orders"});
    CHECK(prepared.use(1, shard).may_touch == slot_bit(0));
    CHECK(prepared.use(2, shard).may_touch == 0);
    CHECK(prepared.use(2, shard).touches_a_table);
    CHECK_FALSE(prepared.use(3, shard).touches_a_table);
    CHECK(prepared.use(4, shard).may_touch == slot_bit(0));
    CHECK(prepared.use(99, shard).may_touch == slot_bit(0));
    CHECK(prepared.use(99, shard).touches_a_table);
    // What was found for one set of watched tables is not believed for another.
    shard.watch(1, {"other", "orders"});
    CHECK(prepared.use(2, shard).may_touch == slot_bit(1));
    shard.unwatch(1);
    CHECK(prepared.use(2, shard).may_touch == 0);
    prepared.add(1, whole("SELECT 1"), settings);  // the id is used again
    CHECK(prepared.use(1, shard).may_touch == 0);
    prepared.remove(3);
    prepared.remove(3);
    CHECK(prepared.use(3, shard).may_touch == slot_bit(0));
    prepared.clear();
    CHECK(prepared.size() == 0);
}

TEST_CASE("prepared statements take bounded memory") {
    session_text settings;
    settings.adopt_login(mysql_login());
    gate_shard shard({});
    shard.watch(0, {"shop", "orders"});
    prepared_statements prepared;
    prepared.add(1, whole(std::string(prepared_statements::text_size_max + 1, ' ')), settings);
    CHECK(prepared.size() == 0);
    const std::string long_text = "SELECT 1 -- " + std::string(prepared_statements::text_size_max - 12, 'x');
    constexpr auto fits =
        static_cast<std::uint32_t>(prepared_statements::bytes_max / prepared_statements::text_size_max);
    for (std::uint32_t id = 0; id < 2 * fits; ++id) prepared.add(id, whole(long_text), settings);
    CHECK(prepared.size() == fits);
    CHECK(prepared.use(fits, shard).may_touch == slot_bit(0));
    prepared.remove(0);
    prepared.add(7000, whole(long_text), settings);
    CHECK(prepared.use(7000, shard).may_touch == 0);
    prepared.clear();
    for (std::uint32_t id = 0; id < prepared_statements::count_max + 5; ++id) prepared.add(id, whole("DO 1"), settings);
    CHECK(prepared.size() == prepared_statements::count_max);
}

}  // namespace
}  // namespace sluice::session
