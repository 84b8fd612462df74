// Each flag of gh-ost that is honoured becomes a setting of its own, and no other.

#include "migration/model/option_fields.hpp"
#include "proxy/main/ghost/flag_values.hpp"
#include "proxy/main/ghost/ghost_settings.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <map>
#include <set>

using namespace sluice;
using namespace sluice::ghost;

namespace {

using words = std::vector<std::string>;
using values = std::map<std::string, std::string>;

std::string shown(bool value) { return value ? "yes" : "no"; }

void add(values& all, const std::string& name, const migration::server_address& address) {
    all[name + "host"] = address.host;
    all[name + "port"] = std::to_string(address.port);
    all[name + "user"] = address.user;
    all[name + "password"] = address.password;
    all[name + "tls"] = std::to_string(static_cast<int>(address.tls.mode));
    all[name + "ca"] = address.tls.ca_file;
    all[name + "cert"] = address.tls.cert_file;
    all[name + "key"] = address.tls.key_file;
}

/// All that a command line can decide.
values everything(const ghost_settings& settings) {
    values all;
    for (const migration::option_field& field : migration::option_fields()) {
        all["option " + std::string(field.name)] = shown_value(field, settings.spec.options);
    }
    add(all, "", settings.server);
    if (settings.master) add(all, "master ", *settings.master);
    all["connect limit"] = std::to_string(settings.connect_limit.count());
    all["server id"] = settings.replica_server_id ? std::to_string(*settings.replica_server_id) : "";
    all["schema"] = settings.spec.table.schema;
    all["table"] = settings.spec.table.table;
    all["alter"] = settings.spec.alter;
    all["checkpoints"] = shown(settings.spec.checkpoint_table);
    all["kind"] = std::to_string(static_cast<int>(settings.spec.kind));
    all["execute"] = shown(settings.execute);
    all["on master"] = shown(settings.allow_on_master);
    all["master-master"] = shown(settings.allow_master_master);
    all["test"] = shown(settings.test_on_replica);
    all["by hooks"] = shown(settings.replication_by_hooks);
    all["on replica"] = shown(settings.migrate_on_replica);
    all["drop old first"] = shown(settings.spec.drop_former_old_table);
    all["count"] = shown(settings.count.exact);
    all["count beside"] = shown(settings.count.beside_the_copy);
    all["socket"] = settings.socket_file;
    all["drop socket"] = shown(settings.drop_socket_file);
    all["tcp"] = std::to_string(settings.tcp_port);
    all["named cut-over"] = shown(settings.name_for_cutover);
    all["named panic"] = shown(settings.name_for_panic);
    all["panic file"] = settings.panic_flag_file;
    all["hooks"] = settings.hooks.path;
    all["hint"] = settings.hooks.hint;
    all["owner"] = settings.hooks.hint_owner;
    all["token"] = settings.hooks.hint_token;
    all["hooks interval"] = std::to_string(settings.hooks.status_interval.count());
    all["conf"] = settings.conf_file;
    all["statsd"] = settings.statsd_address;
    for (const std::string& tag : settings.statsd_tags) all["tags"] += tag + " ";
    all["via"] = settings.via;
    all["token file"] = settings.token_file;
    all["log"] = settings.log_level;
    return all;
}

values read(const words& given) {
    auto flags = flag_values::parse(given);
    if (!flags) FAIL(flags.error().message);
    auto settings = read_settings(*flags, {}, std::nullopt, std::chrono::system_clock::time_point());
    if (!settings) FAIL(settings.error());
    return everything(*settings);
}

/// A flag, with others that it needs, and what is different by it.
struct target {
    std::string flag;
    words with;
    values becomes;
};

const std::string hold_max = "option hold_interval_max_ms";

const std::vector<target> targets{
    {"--allow-master-master", {}, {{"master-master", "yes"}}},
    {"--allow-nullable-unique-key", {}, {{"option allow_nullable_unique_key", "yes"}}},
    {"--allow-on-master", {}, {{"on master", "yes"}}},
    {"--alter=FORCE", {}, {{"alter", "FORCE"}}},
    {"--assume-master-host=m:3307",
     {"--user=u", "--password=w"},
     {{"master host", "m"},
      {"master port", "3307"},
      {"master user", "u"},
      {"master password", "w"},
      {"master tls", "0"},
      {"master ca", ""},
      {"master cert", ""},
      {"master key", ""}}},
    {"--attempt-instant-ddl", {}, {{"option attempt_instant", "yes"}}},
    {"--checkpoint", {}, {{"checkpoints", "yes"}, {"option checkpoint_interval_s", "300"}}},
    {"--checkpoint-seconds=7", {"--checkpoint"}, {{"option checkpoint_interval_s", "7"}}},
    {"--chunk-size=77", {}, {{"option chunk_rows_fixed", "77"}}},
    {"--concurrent-rowcount=false", {}, {{"count beside", "no"}}},
    {"--conf=file", {}, {{"conf", "file"}}},
    {"--critical-load=a=7", {}, {{"option critical_load", "a=7"}}},
    {"--critical-load-hibernate-seconds=7", {}, {{"option critical_load_rest_ms", "7000"}}},
    {"--critical-load-interval-millis=7", {}, {{"option critical_load_interval_ms", "7"}}},
    {"--cut-over=default", {}, {}},
    {"--cut-over-exponential-backoff", {}, {{hold_max, "64000"}}},
    {"--cut-over-lock-timeout-seconds=7", {}, {{"option hold_budget_ms", "7000"}, {"option ddl_lock_wait_ms", "7000"}}},
    {"--database=e", {}, {{"schema", "e"}, {"socket", "/tmp/gh-ost.e.t.sock"}}},
    {"--debug", {}, {{"log", "debug"}}},
    {"--default-retries=7", {}, {{"option cutover_attempts_max", "7"}}},
    {"--defer-secondary-indexes", {}, {{"option defer_secondary_indexes", "yes"}}},
    {"--discard-foreign-keys", {}, {{"option discard_foreign_keys", "yes"}}},
    {"--dml-batch-size=77", {}, {{"option apply_batch_keys", "77"}}},
    {"--exact-rowcount", {}, {{"count", "yes"}}},
    {"--execute", {}, {{"execute", "yes"}}},
    {"--exponential-backoff-max-interval=7", {"--cut-over-exponential-backoff"}, {{hold_max, "7000"}}},
    {"--exponential-backoff-max-interval=7", {}, {}},
    {"--force-named-cut-over", {}, {{"named cut-over", "yes"}}},
    {"--force-named-panic", {}, {{"named panic", "yes"}}},
    {"--force-table-names=x", {}, {{"option tables_named_after", "x"}}},
    {"--heartbeat-interval-millis=777", {}, {{"option heartbeat_interval_ms", "777"}}},
    {"--hooks-hint=x", {}, {{"hint", "x"}}},
    {"--hooks-hint-owner=x", {}, {{"owner", "x"}}},
    {"--hooks-hint-token=x", {}, {{"token", "x"}}},
    {"--hooks-path=x", {}, {{"hooks", "x"}}},
    {"--hooks-status-interval=7", {}, {{"hooks interval", "7"}}},
    {"--host=x", {}, {{"host", "x"}}},
    {"--ignore-http-errors", {}, {{"option throttle_http_ignore_errors", "yes"}}},
    {"--include-triggers", {}, {}},
    {"--initially-drop-ghost-table", {}, {{"option drop_leftovers", "yes"}}},
    {"--initially-drop-old-table", {}, {{"drop old first", "yes"}}},
    {"--initially-drop-socket-file", {}, {{"drop socket", "yes"}}},
    {"--master-password=x", {"--assume-master-host=m"}, {{"master password", "x"}}},
    {"--master-user=x", {"--assume-master-host=m"}, {{"master user", "x"}}},
    {"--max-lag-millis=777", {}, {{"option max_lag_ms", "777"}}},
    {"--max-load=a=7", {}, {{"option max_load", "a=7"}}},
    {"--migrate-on-replica", {}, {{"on replica", "yes"}}},
    {"--mysql-timeout=6.5", {}, {{"connect limit", "7"}}},
    {"--nice-ratio=0.7", {}, {{"option nice_percent", "70"}}},
    {"--ok-to-drop-table", {}, {{"option drop_old_table", "yes"}}},
    {"--old-table=x", {"--revert", "--old-table=y"}, {{"option old_table_name", "x"}}},
    {"--panic-flag-file=x", {}, {{"panic file", "x"}}},
    {"--parallel-copy", {}, {{"option copy_workers", "4"}}},
    {"--parallel-copy-workers=7", {"--parallel-copy"}, {{"option copy_workers", "7"}}},
    {"--parallel-copy-workers=7", {}, {}},
    {"--password=x", {}, {{"password", "x"}}},
    {"--port=7", {}, {{"port", "7"}}},
    {"--postpone-cut-over-flag-file=/x", {}, {{"option postpone_flag_file", "/x"}}},
    {"--quiet", {"--verbose"}, {{"log", "error"}}},
    {"--remove-trigger-suffix-if-exists", {}, {{"option remove_trigger_suffix", "yes"}}},
    {"--replica-server-id=7", {}, {{"server id", "7"}}},
    {"--resume", {"--checkpoint"}, {{"kind", "1"}}},
    {"--revert",
     {"--checkpoint"},
     {{"kind", "2"}, {"option old_table_name", "_t_del"}, {"option keep_old_table_in_sync", "yes"}}},
    {"--serve-socket-file=x", {}, {{"socket", "x"}}},
    {"--serve-tcp-port=7", {}, {{"tcp", "7"}}},
    {"--skip-renamed-columns",
     {"--alter=CHANGE a b INT", "--approve-renamed-columns"},
     {{"option skip_renamed_columns", "yes"}}},
    {"--ssl", {}, {{"tls", "4"}}},
    {"--ssl-allow-insecure", {"--ssl"}, {{"tls", "2"}}},
    {"--ssl-ca=x", {"--ssl"}, {{"ca", "x"}}},
    {"--ssl-cert=x", {"--ssl"}, {{"cert", "x"}}},
    {"--ssl-key=x", {"--ssl"}, {{"key", "x"}}},
    {"--statsd-addr=x", {}, {{"statsd", "x"}}},
    {"--statsd-tags=a:b", {"--statsd-tags=c:d"}, {{"tags", "c:d a:b "}}},
    {"--table=u", {}, {{"table", "u"}, {"socket", "/tmp/gh-ost.d.u.sock"}}},
    {"--test-on-replica", {}, {{"test", "yes"}}},
    {"--test-on-replica-skip-replica-stop", {"--test-on-replica"}, {{"by hooks", "yes"}}},
    {"--throttle-additional-flag-file=x", {}, {{"option throttle_additional_flag_file", "x"}}},
    {"--throttle-control-replicas=x:7", {}, {{"option control_replicas", "x:7"}}},
    {"--throttle-flag-file=x", {}, {{"option throttle_flag_file", "x"}}},
    {"--throttle-http=http://x", {}, {{"option throttle_http", "http://x"}}},
    {"--throttle-http-interval-millis=77", {}, {{"option throttle_http_interval_ms", "77"}}},
    {"--throttle-http-timeout-millis=77", {}, {{"option throttle_http_timeout_ms", "77"}}},
    {"--throttle-query=x", {}, {{"option throttle_query", "x"}}},
    {"--timestamp-old-table", {}, {}},
    {"--token-file=x", {}, {{"token file", "x"}}},
    {"--trigger-suffix=x", {"--include-triggers", "--trigger-suffix=y"}, {{"option trigger_suffix", "x"}}},
    {"--user=x", {}, {{"user", "x"}}},
    {"--verbose", {}, {{"log", "info"}}},
    {"--verify=false", {}, {{"option verify", "no"}}},
    // How often there are checkpoints is that Sluice's own.
    {"--via=http://x:1",
     {},
     {{"via", "http://x:1"},
      {"option checkpoint_interval_s", std::to_string(migration::migration_options{}.checkpoint_interval_s)}}},
};

std::string name_in(const std::string& flag) { return flag.substr(2, flag.find('=') - 2); }

}  // namespace

TEST_CASE("each flag becomes its own setting and no other", "[ghost]") {
    const words enough{"--database=d", "--table=t", "--alter=engine=innodb"};
    for (const target& each : targets) {
        CAPTURE(each.flag);
        words before = enough;
        before.insert(before.end(), each.with.begin(), each.with.end());
        words after = before;
        after.push_back(each.flag);
        values becomes = each.becomes;
        // What cannot be said without another flag, or is not the same twice.
        if (each.flag == "--include-triggers") {
            after.emplace_back("--trigger-suffix=s");
            becomes = {{"option include_triggers", "yes"}, {"option trigger_suffix", "s"}};
        }
        if (each.flag == "--revert") after.emplace_back("--old-table=_t_del");
        const values was = read(before);
        values now = read(after);
        if (each.flag == "--timestamp-old-table") {
            CHECK(now["option old_table_name"].starts_with("_t_19"));
            becomes["option old_table_name"] = now["option old_table_name"];
        }
        values changed;
        for (const auto& [name, value] : now) {
            const auto old = was.find(name);
            if (old == was.end() || old->second != value) changed[name] = value;
        }
        CHECK(changed == becomes);
    }
}

TEST_CASE("no flag that is honoured is left out of these", "[ghost]") {
    std::set<std::string> known;
    for (const target& each : targets) known.insert(name_in(each.flag));
    // Obeyed before or beside the settings: see ghost_main.cpp, and the tests of refusals.
    known.insert({"approve-renamed-columns", "ask-pass", "check-flag", "help", "storage-engine", "version"});
    for (const flag& each : all_flags()) {
        if (each.meaning != flag_meaning::honoured) continue;
        CAPTURE(each.name);
        CHECK(known.contains(std::string(each.name)));
    }
}
