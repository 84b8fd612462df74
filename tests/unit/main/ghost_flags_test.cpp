// gh-ost's flags by the rules of Go's package flag, and what they become.

#include "migration/model/option_fields.hpp"
#include "proxy/main/ghost/flag_values.hpp"
#include "proxy/main/ghost/ghost_settings.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ghost_lines.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sluice;
using namespace sluice::ghost;

namespace {

flag_values parsed(const std::vector<std::string>& words) {
    auto values = flag_values::parse(words);
    if (!values) FAIL(values.error().message);
    return std::move(values).value();
}

std::string trouble(const std::vector<std::string>& words) {
    const auto values = flag_values::parse(words);
    return values ? "none" : values.error().message;
}

const std::vector<std::string> enough{"--database=d", "--table=t", "--alter=engine=innodb"};

result<ghost_settings, std::string> settings_of(std::vector<std::string> words, bool with_enough = true) {
    if (with_enough) words.insert(words.begin(), enough.begin(), enough.end());
    return read_settings(parsed(words), {}, std::nullopt, std::chrono::system_clock::time_point());
}

ghost_settings read(const std::vector<std::string>& words) {
    auto settings = settings_of(words);
    if (!settings) FAIL(settings.error());
    return std::move(settings).value();
}

std::string refused(const std::vector<std::string>& words) {
    const auto settings = settings_of(words);
    return settings ? "not refused" : settings.error();
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("one or two dashes, = or a space; the last one counts", "[ghost]") {
    const auto values =
        parsed({"-host", "a", "--host=b", "--port", "3307", "-execute", "--chunk-size=0x10", "-nice-ratio=0.5",
                "--alter", "-x", "--verify=false", "--statsd-tags", "a:b", "--statsd-tags=c:d"});
    CHECK(values.text("host") == "b");
    CHECK(values.number("port") == 3307);
    CHECK(values.on("execute"));
    CHECK(values.number("chunk-size") == 16);
    CHECK(values.decimal("nice-ratio") == 0.5);
    CHECK(values.text("alter") == "-x");
    CHECK_FALSE(values.on("verify"));
    CHECK(values.texts("statsd-tags") == std::vector<std::string>{"a:b", "c:d"});
    // What was left out is as gh-ost has it.
    CHECK(values.number("max-lag-millis") == 1500);
    CHECK(values.on("concurrent-rowcount"));
    CHECK(values.text("throttle-additional-flag-file") == "/tmp/gh-ost.throttle");
    CHECK_FALSE(values.given("user"));
}

TEST_CASE("a boolean takes no next word as its value; -- and a bare word end the flags", "[ghost]") {
    const auto values = parsed({"--execute", "false", "--host=a"});
    CHECK(values.on("execute"));
    CHECK_FALSE(values.given("host"));
    CHECK(values.rest() == std::vector<std::string>{"false", "--host=a"});
    const auto ended = parsed({"--execute=F", "--", "--host=a"});
    CHECK_FALSE(ended.on("execute"));
    CHECK(ended.rest() == std::vector<std::string>{"--host=a"});
    CHECK(parsed({"-"}).rest() == std::vector<std::string>{"-"});
}

TEST_CASE("what is wrong is said as Go says it", "[ghost]") {
    CHECK(trouble({"--no-such"}) == "flag provided but not defined: -no-such");
    CHECK(trouble({"--host"}) == "flag needs an argument: -host");
    CHECK(trouble({"---host=a"}) == "bad flag syntax: ---host=a");
    CHECK(trouble({"-=a"}) == "bad flag syntax: -=a");
    CHECK(trouble({"--port=x"}) == "invalid value \"x\" for flag -port: parse error");
    CHECK(trouble({"--port=99999999999999999999"}) ==
          "invalid value \"99999999999999999999\" for flag -port: value out of range");
    CHECK(trouble({"--execute=yes"}) == "invalid boolean value \"yes\" for -execute: parse error");
    CHECK(trouble({"--nice-ratio="}) == "invalid value \"\" for flag -nice-ratio: parse error");
    CHECK(trouble({"--chunk-size=_1"}) == "invalid value \"_1\" for flag -chunk-size: parse error");
    CHECK(trouble({"--chunk-size=1__0"}) == "invalid value \"1__0\" for flag -chunk-size: parse error");
    CHECK(parsed({"--chunk-size=1_000"}).number("chunk-size") == 1000);
    CHECK(parsed({"--chunk-size=0x1_0"}).number("chunk-size") == 16);
    CHECK(trouble({"-h"}).empty());
}

TEST_CASE("two lines of operators' scripts become what they say", "[ghost]") {
    const auto first = settings_of(test::first_ghost_line({"H", "3310", "U", "W"}), false);
    REQUIRE(first);
    CHECK(first->execute);
    CHECK(first->allow_on_master);
    CHECK(first->server.text() == "H:3310");
    CHECK(first->server.user == "U");
    CHECK(first->server.password == "W");
    CHECK(first->spec.table.schema == "my_db");
    CHECK(first->spec.options.drop_old_table);
    CHECK(first->spec.options.chunk_rows_fixed == 10);
    CHECK(first->spec.options.cutover_attempts_max == 120);
    CHECK(first->spec.options.hold_budget == std::chrono::seconds(10));
    CHECK(first->socket_file == "/tmp/gh-ost.my_db.a.sock");
    REQUIRE(first->notes.size() == 1);
    CHECK(holds(first->notes[0], "--assume-rbr: "));

    const auto second = settings_of(test::second_ghost_line({"H", "3306", "U", "W"}, "r1", "F1", "F2"), false);
    REQUIRE(second);
    const migration::migration_options& options = second->spec.options;
    CHECK(options.max_load == "Threads_running=25");
    CHECK(options.critical_load == "Threads_running=1000");
    CHECK(options.control_replicas == "r1:3306");
    CHECK(options.heartbeat_interval == std::chrono::seconds(1));  // gh-ost takes no more
    CHECK(options.drop_leftovers);
    CHECK_FALSE(options.drop_old_table);
    CHECK(options.old_table_name.starts_with("_cps_transactions_copy2_"));
    CHECK(options.old_table_name.ends_with("_del"));
    CHECK(options.postpone_flag_file == (std::filesystem::current_path() / "F2").string());
    CHECK(second->panic_flag_file == "F1");
    CHECK(second->count.exact);
    CHECK(second->count.beside_the_copy);
    CHECK(second->log_level == "info");
    CHECK(migration::find_bad_value(options) == nullptr);
}

TEST_CASE("refusals have gh-ost's words", "[ghost]") {
    CHECK(holds(refused({"--alter="}), "--alter must be provided"));
    CHECK(holds(refused({"--database="}), "--database must be provided and database name must not be empty"));
    CHECK(holds(refused({"--table="}), "--table must be provided and table name must not be empty"));
    CHECK(refused({"--allow-on-master", "--test-on-replica"}) ==
          "--allow-on-master and --test-on-replica are mutually exclusive");
    CHECK(refused({"--switch-to-rbr", "--assume-rbr"}) == "--switch-to-rbr and --assume-rbr are mutually exclusive");
    CHECK(refused({"--master-user=u"}) == "--master-user requires --assume-master-host");
    CHECK(refused({"--ssl-ca=f"}) == "--ssl-ca requires --ssl");
    CHECK(refused({"--include-triggers"}) == "--trigger-suffix must be used with --include-triggers");
    CHECK(holds(refused({"--include-triggers", "--trigger-suffix=a b"}), "--trigger-suffix must contain only"));
    CHECK(refused({"--cut-over=sideways"}) == "Unknown cut-over: sideways");
    CHECK(refused({"--max-load=Threads_running"}) == "Error parsing load condition: Threads_running");
    CHECK(holds(refused({"--alter=RENAME TO other"}), "seems to RENAME the table"));
    CHECK(holds(refused({"--alter=CHANGE a b INT"}), "as follows: map[a:b]; as precaution"));
    CHECK(refused({"--alter=CHANGE a b INT", "--approve-renamed-columns"}) == "not refused");
    CHECK(refused({"--alter=CHANGE a a INT"}) == "not refused");
    CHECK(refused({"--alter=CHANGE a b INT", "--skip-renamed-columns"}) == "not refused");
    CHECK(refused({"--revert"}) == "--revert must be called with --old-table");
    CHECK(refused({"--old-table=_t_del"}) == "--old-table requires --revert");
    CHECK(refused({"--revert", "--old-table=_t_del", "--resume"}) == "--resume and --revert are mutually exclusive");
    CHECK(holds(refused({"--resume", "--via=http://h:1"}), "goes on with its migrations by itself"));
    CHECK(holds(refused({"--revert", "--old-table=_t_del", "--via=http://h:1"}), "sluice revert ID"));
    CHECK(holds(refused({"--resume", "--migrate-on-replica"}), "--resume is for migrations on a master"));
    CHECK(holds(refused({"--storage-engine=rocksdb"}), "--storage-engine"));
}

TEST_CASE("names in the ALTER stand for --database and --table", "[ghost]") {
    const auto settings = settings_of({"--alter=ALTER TABLE `s`.`u` FORCE"}, false);
    REQUIRE(settings);
    CHECK(settings->spec.table.schema == "s");
    CHECK(settings->spec.table.table == "u");
}

TEST_CASE("values outside gh-ost's ranges are brought into them, as there", "[ghost]") {
    CHECK(read({"--chunk-size=1"}).spec.options.chunk_rows_fixed == 10);
    CHECK(read({"--chunk-size=1000000"}).spec.options.chunk_rows_fixed == 100'000);
    CHECK(read({"--max-lag-millis=1"}).spec.options.max_lag == std::chrono::milliseconds(100));
    CHECK(read({"--nice-ratio=0.7"}).spec.options.nice_percent == 70);
    CHECK(read({"--dml-batch-size=50"}).spec.options.apply_batch_keys == 50);
    CHECK(read({}).spec.options.apply_batch_keys == migration::migration_options{}.apply_batch_keys);
    const auto settings = read({"--cut-over-lock-timeout-seconds=60"});
    CHECK(settings.spec.options.hold_budget == std::chrono::seconds(3));
    CHECK(holds(settings.notes.at(0), "between [1,10]s"));
}

TEST_CASE("a value that is brought into its range is told", "[ghost]") {
    const auto note = [](const std::vector<std::string>& given) {
        const auto settings = read(given);
        return settings.notes.size() == 1 ? settings.notes[0] : std::to_string(settings.notes.size()) + " notes";
    };
    // gh-ost takes both.
    CHECK(note({"--dml-batch-size=1"}) == "--dml-batch-size=1: it is 10 to 1000 here, and so 10");
    CHECK(note({"--parallel-copy", "--parallel-copy-workers=64"}) ==
          "--parallel-copy-workers=64: it is 1 to 32 here, and so 32");
    CHECK(read({"--dml-batch-size=1"}).spec.options.apply_batch_keys == 10);
    CHECK(read({"--parallel-copy", "--parallel-copy-workers=64"}).spec.options.copy_workers == 32);
    CHECK(note({"--chunk-size=1"}) == "--chunk-size=1: it is 10 to 100000 here, and so 10");
    CHECK(note({"--nice-ratio=100.5"}) == "--nice-ratio=100.5: it is 0 to 100 here, and so 100");
    CHECK(note({"--mysql-timeout=900"}) == "--mysql-timeout=900: it is 0 to 300 here, and so 300");
    CHECK(note({"--checkpoint", "--checkpoint-seconds=0"}) ==
          "--checkpoint-seconds=0: it is 1 to 86400 here, and so 1");
    CHECK(read({"--dml-batch-size=10", "--parallel-copy", "--parallel-copy-workers=32", "--chunk-size=10",
                "--nice-ratio=100", "--mysql-timeout=0.5"})
              .notes.empty());
    CHECK(read({"--mysql-timeout=0.5"}).connect_limit == std::chrono::seconds(1));
}

TEST_CASE("a run that takes another one back needs no ALTER", "[ghost]") {
    const auto settings = settings_of({"--database=d", "--table=t", "--revert", "--old-table=_t_del"}, false);
    REQUIRE(settings);
    CHECK(settings->spec.alter.empty());
    const auto nameless = settings_of({"--database=d", "--revert", "--old-table=_t_del"}, false);
    REQUIRE(nameless.has_error());
    CHECK(holds(nameless.error(), "--table must be provided"));
    const auto resumed = settings_of({"--database=d", "--table=t", "--resume"}, false);
    REQUIRE(resumed.has_error());
    CHECK(holds(resumed.error(), "--alter must be provided"));
}

TEST_CASE("a flag that changes nothing is accepted and told, never silently", "[ghost]") {
    for (const flag& each : all_flags()) {
        if (each.meaning != flag_meaning::noted) continue;
        CAPTURE(each.name);
        const std::string name(each.name);
        const std::string value = each.kind == flag_kind::number || each.kind == flag_kind::decimal ? "1" : "true";
        const auto settings = settings_of({"--" + name + "=" + value});
        REQUIRE(settings);
        CHECK(holds(settings->notes.at(0), "--" + name + ": "));
    }
}

TEST_CASE("the page about the flags names each of them", "[ghost]") {
    std::ifstream in(SLUICE_FIXTURES "/../../docs/gh-ost.md");
    std::stringstream page;
    page << in.rdbuf();
    for (const flag& each : all_flags()) {
        CAPTURE(each.name);
        CHECK(holds(page.str(), "`--" + std::string(each.name) + "`"));
    }
}

TEST_CASE("--conf has user and password under [client]; a flag wins", "[ghost]") {
    const auto file = std::filesystem::temp_directory_path() / "sluice_ghost_conf_test.cnf";
    std::ofstream(file)
        << "# comment\n[mysqld]\nuser=other\n[client]\nuser = gromit\npassword=\"a=b \"\n[osc]\nuser=x\n";
    const auto conf = read_conf(file.string());
    std::filesystem::remove(file);
    REQUIRE(conf);
    CHECK(conf->user == "gromit");
    CHECK(conf->password == "a=b ");
    std::vector<std::string> words = enough;
    words.push_back("--user=wallace");
    const auto settings = read_settings(parsed(words), *conf, std::nullopt, {});
    REQUIRE(settings);
    CHECK(settings->server.user == "wallace");
    CHECK(settings->server.password == "a=b ");
    CHECK_FALSE(read_conf("/no/such/file"));
}
