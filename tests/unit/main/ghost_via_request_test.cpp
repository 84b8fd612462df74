// What `sluice gh-ost --via` asks for, and which of its flags say something there.

#include "admin/migration_request.hpp"
#include "proxy/main/ghost/flag_table.hpp"
#include "proxy/main/ghost/flag_values.hpp"
#include "proxy/main/ghost/via_request.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace sluice;
using namespace sluice::ghost;
using migration::option_field;
using migration::option_kind;

namespace {

result<ghost_settings, std::string> settings_of(std::vector<std::string> words) {
    words.insert(words.begin(), {"--database=d", "--table=t", "--alter=CHANGE a b INT", "--via=http://h:1"});
    auto values = flag_values::parse(words);
    if (!values) FAIL(values.error().message);
    return read_settings(*values, {}, std::nullopt, std::chrono::system_clock::time_point());
}

ghost_settings read(std::vector<std::string> words = {}) {
    words.emplace_back("--approve-renamed-columns");
    auto settings = settings_of(words);
    if (!settings) FAIL(settings.error());
    return std::move(settings).value();
}

bool is_decided(std::string_view name) {
    const auto names = options_of_flags();
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// What gh-ost has no flag for, or a flag of Sluice's own measure, or a file of another machine.
const std::set<std::string_view> left{"chunk_time_target_ms",
                                      "chunk_rows_initial",
                                      "apply_workers",
                                      "apply_batch_keys",
                                      "delta_keys_max",
                                      "delta_bytes_max",
                                      "keep_old_table_in_sync",
                                      "keep_in_sync_max_s",
                                      "hold_scope",
                                      "cutover_window",
                                      "postpone_flag_file",
                                      "max_blocker_age_ms",
                                      "page_flush_wait_ms",
                                      "kill_blockers_after_ms",
                                      "cutover_group",
                                      "cutover_group_size",
                                      "attempt_inplace",
                                      "keep_foreign_keys",
                                      "rebuild_referencing_keys",
                                      "time_zone",
                                      "checkpoint_interval_s",
                                      "throttle_flag_file",
                                      "throttle_additional_flag_file",
                                      "max_client_latency_rise_percent",
                                      "min_client_latency_ms",
                                      "client_latency_window_ms"};

/// A text that the option takes.
std::string some_text(const option_field& field) {
    for (const char* text : {"other", "all", "/f", "h:1", "a=1", "http://h/", "Mon 02:00-05:00"}) {
        if (migration::text_fits(field, text)) return text;
    }
    FAIL("no text for " << field.name);
    return {};
}

/// Every option is another one than the line's.
migration::migration_options configured_otherwise(const migration::migration_options& line) {
    migration::migration_options other;
    for (const option_field& field : migration::option_fields()) {
        if (field.kind == option_kind::text) {
            field.set_text(other, field.get_text(line).empty() ? some_text(field) : "");
        } else {
            field.set(other, field.get(line) == field.max ? field.min : field.max);
        }
    }
    return other;
}

migration::migration_options as_asked(const ghost_settings& line, const migration::migration_options& configured) {
    const auto asked = admin::parse_migration_request(boost::json::serialize(via_request(line)), configured);
    if (!asked) FAIL(asked.error().detail);
    return asked->spec.options;
}

std::string shown(const ghost_settings& line) { return boost::json::serialize(via_request(line)); }

bool has_note(const ghost_settings& settings, const std::string& name) {
    return std::any_of(settings.notes.begin(), settings.notes.end(),
                       [&](const std::string& note) { return note.starts_with("--" + name + ": with --via "); });
}

std::string given(const flag& each, const std::string& value) { return "--" + std::string(each.name) + "=" + value; }

}  // namespace

TEST_CASE("every option is decided by the line of gh-ost, or left to the Sluice behind --via", "[ghost]") {
    const ghost_settings line = read();
    const migration::migration_options configured = configured_otherwise(line.spec.options);
    const migration::migration_options asked = as_asked(line, configured);
    for (const option_field& field : migration::option_fields()) {
        CAPTURE(field.name);
        CHECK(is_decided(field.name) != left.contains(field.name));
        CHECK(migration::same_value(field, asked, is_decided(field.name) ? line.spec.options : configured));
    }
}

TEST_CASE("a given --dml-batch-size counts with --via though it is the built-in measure", "[ghost]") {
    migration::migration_options configured;
    const std::string own = std::to_string(configured.apply_batch_keys);
    configured.apply_batch_keys = 100;
    CHECK(as_asked(read(), configured).apply_batch_keys == 100);
    CHECK(as_asked(read({"--dml-batch-size=" + own}), configured).apply_batch_keys == std::stoul(own));
}

TEST_CASE("--discard-foreign-keys stands against keep_foreign_keys of the Sluice behind --via", "[ghost]") {
    migration::migration_options configured;
    configured.keep_foreign_keys = true;
    CHECK(as_asked(read(), configured).keep_foreign_keys);
    CHECK_FALSE(as_asked(read({"--discard-foreign-keys"}), configured).keep_foreign_keys);
}

TEST_CASE("no flag is without effect with --via and without a word about it", "[ghost]") {
    // Of this side: what is shown, what is listened to, and where that Sluice is.
    const std::set<std::string_view> here{"check-flag",
                                          "debug",
                                          "execute",
                                          "force-named-cut-over",
                                          "force-named-panic",
                                          "help",
                                          "hooks-hint",
                                          "hooks-hint-owner",
                                          "hooks-hint-token",
                                          "hooks-path",
                                          "hooks-status-interval",
                                          "initially-drop-socket-file",
                                          "panic-flag-file",
                                          "quiet",
                                          "serve-socket-file",
                                          "serve-tcp-port",
                                          "statsd-addr",
                                          "statsd-tags",
                                          "throttle-additional-flag-file",
                                          "throttle-flag-file",
                                          "token-file",
                                          "verbose",
                                          "version",
                                          "via"};
    // What says something only beside another flag, and values that not every text is.
    const std::map<std::string_view, std::vector<std::string>> beside{
        {"exponential-backoff-max-interval", {"--cut-over-exponential-backoff"}},
        {"parallel-copy-workers", {"--parallel-copy"}},
        {"trigger-suffix", {"--include-triggers"}},
        {"include-triggers", {"--trigger-suffix=_a"}},
        {"master-user", {"--assume-master-host=m"}},
        {"master-password", {"--assume-master-host=m"}},
        {"ssl-allow-insecure", {"--ssl"}},
        {"ssl-ca", {"--ssl"}},
        {"ssl-cert", {"--ssl"}},
        {"ssl-key", {"--ssl"}}};
    const std::map<std::string_view, std::string> values{{"critical-load", "Threads_running=9"},
                                                         {"max-load", "Threads_running=9"},
                                                         {"throttle-control-replicas", "r:1"},
                                                         {"throttle-http", "http://h/"},
                                                         {"verify", "false"},
                                                         {"alter", "CHANGE a c INT"},
                                                         {"cut-over", "sideways"},
                                                         {"storage-engine", "rocksdb"},
                                                         {"cut-over-lock-timeout-seconds", "7"}};
    for (const flag& each : all_flags()) {
        if (each.meaning != flag_meaning::honoured || here.contains(each.name)) continue;
        CAPTURE(each.name);
        std::vector<std::string> words;
        // It is the word about the renamed columns itself.
        if (each.name == "skip-renamed-columns" || each.name == "approve-renamed-columns") {
            CHECK(settings_of({}).has_error());
            CHECK(settings_of({given(each, "true")}).has_value());
            continue;
        }
        if (const auto more = beside.find(each.name); more != beside.end()) words = more->second;
        words.emplace_back("--approve-renamed-columns");
        const bool valid_without = each.name != "trigger-suffix" && each.name != "include-triggers";
        const std::string before = valid_without ? shown(read(words)) : shown(read());
        std::string value = each.kind == flag_kind::boolean ? "true" : each.kind == flag_kind::text ? "x" : "200";
        if (const auto other = values.find(each.name); other != values.end()) value = other->second;
        words.push_back(given(each, value));
        const auto settings = settings_of(words);
        if (!settings) continue;  // refused, with words
        CHECK(has_note(*settings, std::string(each.name)) == !each.idle_with_via.empty());
        // Of --conf a part counts.
        if (each.idle_with_via.empty() || each.name == "conf") {
            if (each.name != "conf") CHECK(shown(*settings) != before);
        } else {
            CHECK(shown(*settings) == before);
        }
    }
}

TEST_CASE("the note about a flag that --via leaves idle comes with --via only", "[ghost]") {
    auto values = flag_values::parse(
        std::vector<std::string>{"--database=d", "--table=t", "--alter=force", "--exact-rowcount", "--host=h"});
    REQUIRE(values);
    const auto settings = read_settings(*values, {}, std::nullopt, {});
    REQUIRE(settings);
    CHECK(settings->notes.empty());
    CHECK_FALSE(has_note(read({"--exact-rowcount=false"}), "exact-rowcount"));
}

TEST_CASE("the page about gh-ost's flags names those that --via leaves idle", "[ghost]") {
    std::ifstream in(SLUICE_FIXTURES "/../../docs/gh-ost.md");
    std::stringstream page;
    page << in.rdbuf();
    const std::string text = page.str();
    const auto begin = text.find("\n## With --via\n");
    REQUIRE(begin != std::string::npos);
    const std::string section = text.substr(begin, text.find("\n## ", begin + 1) - begin);
    const auto list = section.find("\nIdle with `--via`");
    REQUIRE(list != std::string::npos);
    const std::string idle = section.substr(list, section.find("\n\n", list) - list);
    for (const flag& each : all_flags()) {
        CAPTURE(each.name);
        const bool is_named = idle.find("`--" + std::string(each.name) + "`") != std::string::npos;
        CHECK(is_named == (!each.idle_with_via.empty() || each.name == "via"));
    }
}
