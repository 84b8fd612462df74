#include "proxy/main/ghost/ghost_settings.hpp"

#include "migration/throttle/throttle_settings.hpp"
#include "protocol/sql/alter_statement.hpp"
#include "proxy/main/ghost/checkpoint_flags.hpp"
#include "proxy/main/ghost/flag_ranges.hpp"
#include "proxy/main/ghost/trimmed.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

namespace sluice::ghost {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using refusal = result<void, std::string>;

/// host[:port], IPv6 addresses in brackets.
result<migration::server_address, std::string> read_host(const std::string& text) {
    SLUICE_TRY(const auto hosts, migration::parse_replicas(text));
    if (hosts.size() != 1) return "Invalid host: " + text;
    migration::server_address address;
    address.host = hosts[0].host;
    address.port = hosts[0].port;
    return address;
}

/// "_t_20260102030405_del", as gh-ost names it; a long table name is cut so that it fits.
std::string timestamped_old_name(const std::string& table, std::chrono::system_clock::time_point now) {
    const std::time_t seconds_now = std::chrono::system_clock::to_time_t(now);
    std::tm broken{};
    ::localtime_r(&seconds_now, &broken);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "_%Y%m%d%H%M%S_del", &broken);
    constexpr std::size_t name_max = 64;
    std::string stem = "_" + table;
    const std::size_t room = name_max - std::char_traits<char>::length(stamp);
    // Bytes, which is never too long in characters; cut at a character's border.
    if (stem.size() > room) {
        std::size_t end = room;
        while (end > 0 && (static_cast<unsigned char>(stem[end]) & 0xC0U) == 0x80U) --end;
        stem.resize(end);
    }
    return stem + stamp;
}

refusal check_modes(const flag_values& flags) {
    const auto both = [&flags](const char* a, const char* b) { return flags.on(a) && flags.on(b); };
    const auto without = [&flags](const char* a, const char* b) {
        return !flags.text(a).empty() && flags.text(b).empty();
    };
    for (const auto& [a, b] :
         {std::pair{"allow-on-master", "test-on-replica"}, std::pair{"allow-on-master", "migrate-on-replica"},
          std::pair{"migrate-on-replica", "test-on-replica"}, std::pair{"switch-to-rbr", "assume-rbr"}}) {
        if (both(a, b)) return "--" + std::string(a) + " and --" + b + " are mutually exclusive";
    }
    if (flags.on("test-on-replica-skip-replica-stop") && !flags.on("test-on-replica")) {
        return std::string("--test-on-replica-skip-replica-stop requires --test-on-replica to be enabled");
    }
    for (const char* name : {"master-user", "master-password"}) {
        if (without(name, "assume-master-host")) return "--" + std::string(name) + " requires --assume-master-host";
    }
    for (const char* name : {"ssl-ca", "ssl-cert", "ssl-key"}) {
        if (!flags.text(name).empty() && !flags.on("ssl")) return "--" + std::string(name) + " requires --ssl";
    }
    if (flags.on("ssl-allow-insecure") && !flags.on("ssl")) return std::string("--ssl-allow-insecure requires --ssl");
    return {};
}

refusal check_triggers(const flag_values& flags) {
    const std::string suffix = flags.text("trigger-suffix");
    if (flags.on("include-triggers") && suffix.empty()) {
        return std::string("--trigger-suffix must be used with --include-triggers");
    }
    if (!flags.on("include-triggers") && !suffix.empty()) {
        return std::string("--trigger-suffix cannot be be used without --include-triggers");
    }
    const bool plain = std::all_of(suffix.begin(), suffix.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!plain) {
        return std::string(
            "--trigger-suffix must contain only alpha numeric characters and underscore (0-9,a-z,A-Z,_)");
    }
    return {};
}

/// The flags that were given and change nothing, and those that cannot be done.
refusal look_at_meanings(const flag_values& flags, std::vector<std::string>& notes) {
    for (const flag& each : all_flags()) {
        if (!flags.given(each.name)) continue;
        const bool off = each.kind == flag_kind::boolean && !flags.on(each.name);
        if (off && each.meaning != flag_meaning::honoured) continue;
        const std::string name = "--" + std::string(each.name) + ": ";
        if (each.meaning == flag_meaning::refused) return name + std::string(each.text);
        if (each.meaning == flag_meaning::noted) notes.push_back(name + std::string(each.text));
        const bool idle = !each.idle_with_via.empty() && !flags.text("via").empty();
        if (idle && !off) notes.push_back(name + "with --via " + std::string(each.idle_with_via));
    }
    for (const std::string& word : flags.rest()) notes.push_back("not a flag, and not looked at: " + word);
    return {};
}

/// gh-ost says all of them at once, as Go prints a map.
std::string renames_text(const std::vector<std::pair<std::string, std::string>>& renames) {
    std::string text = "map[";
    for (const auto& [from, to] : renames) text += (text.back() == '[' ? "" : " ") + from + ":" + to;
    return text + "]";
}

refusal read_table(const flag_values& flags, ghost_settings& settings) {
    migration::migration_spec& spec = settings.spec;
    spec.alter = flags.text("alter");
    spec.table.schema = flags.text("database");
    spec.table.table = flags.text("table");
    // The way back of a migration knows what that one did.
    const bool left_out = trimmed(spec.alter).empty();
    if (left_out && !flags.on("revert")) {
        return std::string("--alter must be provided and statement must not be empty");
    }
    if (left_out) spec.alter.clear();
    const auto alter = left_out ? sql::alter_statement() : sql::parse_alter(spec.alter);
    if (!alter) {
        // Of RENAME, gh-ost has a sentence of its own; everything else is the reader's to say.
        const std::string& why = alter.error().message;
        if (why.find("RENAME") == std::string::npos) return "the ALTER cannot be used: " + why;
        return std::string(
            "ALTER statement seems to RENAME the table. This is not supported, and you should run your RENAME outside "
            "gh-ost.");
    }
    if (alter->table && spec.table.schema.empty()) spec.table.schema = alter->table->schema;
    if (alter->table && spec.table.table.empty()) spec.table.table = alter->table->name;
    if (spec.table.schema.empty()) {
        return std::string(
            "--database must be provided and database name must not be empty, or --alter must specify database name");
    }
    if (spec.table.table.empty()) {
        return std::string(
            "--table must be provided and table name must not be empty, or --alter must specify table name");
    }
    std::vector<std::pair<std::string, std::string>> renames;
    for (const sql::alter_clause& clause : alter->clauses) {
        const bool renames_column = clause.kind == sql::alter_clause_kind::change_column ||
                                    clause.kind == sql::alter_clause_kind::rename_column;
        if (renames_column && !sql::equal_ignoring_case(clause.name, clause.new_name)) {
            renames.emplace_back(clause.name, clause.new_name);
        }
    }
    spec.options.skip_renamed_columns = !renames.empty() && flags.on("skip-renamed-columns");
    if (!renames.empty() && !flags.on("approve-renamed-columns") && !flags.on("skip-renamed-columns")) {
        return "gh-ost believes the ALTER statement renames columns, as follows: " + renames_text(renames) +
               "; as precaution, you are asked to confirm gh-ost is correct, and provide with "
               "`--approve-renamed-columns`, and we're all happy. Or you can skip renamed columns via "
               "`--skip-renamed-columns`, in which case column data may be lost";
    }
    return {};
}

refusal read_connection(const flag_values& flags, const conf_values& from_conf,
                        const std::optional<std::string>& typed_password, ghost_settings& settings) {
    migration::server_address& server = settings.server;
    server.host = flags.text("host");
    const std::int64_t port = flags.number("port");
    if (port < 1 || port > 65'535) return "--port must be 1 to 65535, not " + std::to_string(port);
    server.port = static_cast<std::uint16_t>(port);
    // A flag wins over --conf, and what was typed wins over both.
    server.user = flags.text("user").empty() ? from_conf.user : flags.text("user");
    server.password = flags.text("password").empty() ? from_conf.password : flags.text("password");
    if (typed_password) server.password = *typed_password;
    if (flags.on("ssl")) {
        const bool checked = !flags.on("ssl-allow-insecure");
        server.tls = {checked ? migration::tls_mode::verify_identity : migration::tls_mode::required,
                      flags.text("ssl-ca"), flags.text("ssl-cert"), flags.text("ssl-key")};
    } else {
        server.tls.mode = migration::tls_mode::disabled;
    }
    if (const std::string master = flags.text("assume-master-host"); !master.empty()) {
        SLUICE_TRY(const migration::server_address where, read_host(master));
        settings.master = server;
        settings.master->host = where.host;
        settings.master->port = where.port;
        if (!flags.text("master-user").empty()) settings.master->user = flags.text("master-user");
        if (!flags.text("master-password").empty()) settings.master->password = flags.text("master-password");
    }
    const double timeout = flag_ranges(flags, settings.notes).decimal("mysql-timeout", 0, 300);
    if (timeout > 0) settings.connect_limit = seconds(static_cast<int>(std::ceil(timeout)));
    if (flags.given("replica-server-id")) {
        const std::int64_t id = flags.number("replica-server-id");
        if (id < 1 || id > 0xFFFFFFFFLL) return std::string("--replica-server-id must be 1 to 4294967295");
        settings.replica_server_id = static_cast<std::uint32_t>(id);
    }
    return {};
}

refusal read_cutover(const flag_values& flags, migration::migration_options& options, std::vector<std::string>& notes) {
    const std::string type = flags.text("cut-over");
    if (type == "two-step") {
        notes.emplace_back("--cut-over=two-step: both tables change their names at once here, too");
    } else if (!type.empty() && type != "atomic" && type != "default") {
        return "Unknown cut-over: " + type;
    }
    constexpr std::int64_t lock_timeout_default = 3;
    std::int64_t lock_timeout = flags.number("cut-over-lock-timeout-seconds");
    if (lock_timeout < 1 || lock_timeout > 10) {
        notes.push_back("The timeout is expected to be between [1,10]s. Timeout remains at: " +
                        std::to_string(lock_timeout_default));
        lock_timeout = lock_timeout_default;
    }
    options.hold_budget = seconds(lock_timeout);
    options.ddl_lock_wait = options.hold_budget;
    const flag_ranges in_range(flags, notes);
    options.cutover_attempts_max = static_cast<std::uint32_t>(in_range.number("default-retries", 1, 1'000'000));
    options.hold_interval = seconds(1);
    options.hold_interval_max = options.hold_interval;
    if (flags.on("cut-over-exponential-backoff")) {
        options.hold_interval_max = seconds(in_range.number("exponential-backoff-max-interval", 2, 86'400));
    }
    if (const std::string file = flags.text("postpone-cut-over-flag-file"); !file.empty()) {
        options.postpone_flag_file = std::filesystem::absolute(file).string();
    }
    return {};
}

refusal read_throttles(const flag_values& flags, migration::migration_options& options,
                       std::vector<std::string>& notes) {
    SLUICE_TRY(const auto max_load, migration::parse_load_thresholds(flags.text("max-load")));
    options.max_load = to_string(max_load);
    SLUICE_TRY(const auto critical_load, migration::parse_load_thresholds(flags.text("critical-load")));
    options.critical_load = to_string(critical_load);
    const flag_ranges in_range(flags, notes);
    options.critical_load_interval = milliseconds(in_range.number("critical-load-interval-millis", 0, 3'600'000));
    options.critical_load_rest = seconds(in_range.number("critical-load-hibernate-seconds", 0, 86'400));
    SLUICE_TRY(const auto replicas, migration::parse_replicas(flags.text("throttle-control-replicas")));
    options.control_replicas = to_string(replicas);
    options.max_lag = milliseconds(in_range.number("max-lag-millis", 100, 3'600'000));
    options.throttle_query = flags.text("throttle-query");
    options.throttle_http = flags.text("throttle-http");
    options.throttle_http_interval = milliseconds(in_range.number("throttle-http-interval-millis", 10, 60'000));
    options.throttle_http_timeout = milliseconds(in_range.number("throttle-http-timeout-millis", 10, 60'000));
    options.throttle_http_ignore_errors = flags.on("ignore-http-errors");
    options.throttle_flag_file = flags.text("throttle-flag-file");
    options.throttle_additional_flag_file = flags.text("throttle-additional-flag-file");
    options.nice_percent = static_cast<std::uint32_t>(std::lround(in_range.decimal("nice-ratio", 0, 100) * 100.0));
    options.heartbeat_interval = milliseconds(in_range.number("heartbeat-interval-millis", 100, 1'000));
    return {};
}

void read_work(const flag_values& flags, migration::migration_options& options, std::vector<std::string>& notes) {
    const flag_ranges in_range(flags, notes);
    options.chunk_rows_fixed = static_cast<std::size_t>(in_range.number("chunk-size", 10, 100'000));
    if (flags.given("dml-batch-size")) {
        options.apply_batch_keys = static_cast<std::size_t>(in_range.number("dml-batch-size", 10, 1'000));
    }
    options.copy_workers = 1;
    if (flags.on("parallel-copy")) {
        options.copy_workers = static_cast<std::size_t>(in_range.number("parallel-copy-workers", 1, 32));
    }
    // One long DDL is just what a replica's user chose gh-ost to be spared.
    options.defer_secondary_indexes = flags.on("defer-secondary-indexes");
    options.drop_old_table = flags.on("ok-to-drop-table");
    options.drop_leftovers = flags.on("initially-drop-ghost-table");
    options.verify = flags.on("verify");
    options.attempt_instant = flags.on("attempt-instant-ddl");
    options.instant_at_once = true;  // before any flag file or hook holds the cut-over up
    options.allow_nullable_unique_key = flags.on("allow-nullable-unique-key");
    options.discard_foreign_keys = flags.on("discard-foreign-keys");
    options.include_triggers = flags.on("include-triggers");
    options.trigger_suffix = flags.text("trigger-suffix");
    options.remove_trigger_suffix = flags.on("remove-trigger-suffix-if-exists");
}

/// What --conf says and no flag does.
refusal read_conf_values(const flag_values& flags, const conf_values& conf, ghost_settings& settings) {
    settings.over_conf = {.chunk_rows = flags.given("chunk-size"),
                          .max_load = flags.given("max-load"),
                          .max_lag = flags.given("max-lag-millis")};
    SLUICE_TRY(const migration::option_changes changes, changes_of(conf, settings.over_conf, settings.notes));
    changes.apply_to(settings.spec.options);
    return {};
}

refusal read_service(const flag_values& flags, ghost_settings& settings) {
    const migration::table_name& table = settings.spec.table;
    settings.socket_file = flags.text("serve-socket-file");
    if (settings.socket_file.empty())
        settings.socket_file = "/tmp/gh-ost." + table.schema + "." + table.table + ".sock";
    settings.drop_socket_file = flags.on("initially-drop-socket-file");
    const std::int64_t port = flags.number("serve-tcp-port");
    if (port < 0 || port > 65'535) return "--serve-tcp-port must be 0 to 65535, not " + std::to_string(port);
    settings.tcp_port = static_cast<std::uint16_t>(port);
    settings.name_for_cutover = flags.on("force-named-cut-over");
    settings.name_for_panic = flags.on("force-named-panic");
    settings.panic_flag_file = flags.text("panic-flag-file");
    settings.hooks = {flags.text("hooks-path"), flags.text("hooks-hint"), flags.text("hooks-hint-owner"),
                      flags.text("hooks-hint-token"),
                      seconds(flag_ranges(flags, settings.notes).number("hooks-status-interval", 0, 86'400))};
    settings.conf_file = flags.text("conf");
    settings.statsd_address = flags.text("statsd-addr");
    settings.statsd_tags = flags.texts("statsd-tags");
    settings.via = flags.text("via");
    settings.token_file = flags.text("token-file");
    if (flags.on("verbose")) settings.log_level = "info";
    if (flags.on("debug")) settings.log_level = "debug";
    if (flags.on("quiet")) settings.log_level = "error";
    return {};
}

/// via must be known.
refusal read_modes(const flag_values& flags, ghost_settings& settings) {
    settings.allow_on_master = flags.on("allow-on-master");
    settings.allow_master_master = flags.on("allow-master-master");
    settings.test_on_replica = flags.on("test-on-replica");
    settings.replication_by_hooks = flags.on("test-on-replica-skip-replica-stop");
    settings.migrate_on_replica = flags.on("migrate-on-replica");
    if (settings.on_replica() && !settings.via.empty()) {
        return "--" + std::string(settings.test_on_replica ? "test" : "migrate") +
               "-on-replica and --via are mutually exclusive: the Sluice behind it alters its primary";
    }
    migration::migration_options& options = settings.spec.options;
    // Nothing of it could be swapped back.
    if (settings.test_on_replica && options.attempt_instant) {
        options.attempt_instant = false;
        settings.notes.emplace_back("--attempt-instant-ddl: not with --test-on-replica, which alters nothing for good");
    }
    return {};
}

}  // namespace

result<ghost_settings, std::string> read_settings(const flag_values& flags, const conf_values& from_conf,
                                                  const std::optional<std::string>& typed_password,
                                                  std::chrono::system_clock::time_point now) {
    ghost_settings settings;
    SLUICE_TRY_VOID(read_table(flags, settings));
    SLUICE_TRY_VOID(check_modes(flags));
    SLUICE_TRY_VOID(check_triggers(flags));
    SLUICE_TRY_VOID(look_at_meanings(flags, settings.notes));
    if (const std::string engine = flags.text("storage-engine"); engine != "innodb") {
        return "--storage-engine must be innodb, not " + engine;
    }
    migration::migration_options& options = settings.spec.options;
    SLUICE_TRY_VOID(read_connection(flags, from_conf, typed_password, settings));
    SLUICE_TRY_VOID(read_cutover(flags, options, settings.notes));
    SLUICE_TRY_VOID(read_throttles(flags, options, settings.notes));
    read_work(flags, options, settings.notes);
    SLUICE_TRY_VOID(read_conf_values(flags, from_conf, settings));
    SLUICE_TRY_VOID(read_service(flags, settings));
    options.tables_named_after = flags.text("force-table-names");
    if (flags.on("timestamp-old-table")) {
        const std::string& root = options.tables_named_after;
        options.old_table_name = timestamped_old_name(root.empty() ? settings.spec.table.table : root, now);
    }
    settings.execute = flags.on("execute");
    SLUICE_TRY_VOID(read_modes(flags, settings));
    settings.spec.drop_former_old_table = flags.on("initially-drop-old-table");
    settings.apply_batch_given = flags.given("dml-batch-size");
    settings.count = {flags.on("exact-rowcount"), flags.on("concurrent-rowcount")};
    SLUICE_TRY_VOID(read_checkpoint_flags(flags, settings));
    return settings;
}

}  // namespace sluice::ghost
