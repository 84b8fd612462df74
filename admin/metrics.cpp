#include "admin/metrics.hpp"

#include "admin/text_form.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <map>

namespace sluice::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using labels = std::vector<ClientMetric::Label>;

void add(MetricFamily& family, double value, labels with = {}) {
    ClientMetric metric;
    metric.label = std::move(with);
    if (family.type == MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
}

MetricFamily family_of(const char* name, const char* help, MetricType type) {
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    return family;
}

MetricFamily single(const char* name, const char* help, MetricType type, std::uint64_t value) {
    MetricFamily family = family_of(name, help, type);
    add(family, static_cast<double>(value));
    return family;
}

MetricFamily by_state(const std::vector<migration::snapshot_ptr>& migrations) {
    std::map<migration::migration_state, std::uint64_t> counts;
    // Every state is present, so that a graph shows a zero and not a gap.
    for (auto state = migration::migration_state::queued; state <= migration::migration_state::failed;
         state = static_cast<migration::migration_state>(static_cast<int>(state) + 1)) {
        counts[state] = 0;
    }
    for (const auto& snapshot : migrations) ++counts[snapshot->state];
    MetricFamily family = family_of("sluice_migrations", "Known migrations by state", MetricType::Gauge);
    for (const auto& [state, count] : counts) {
        add(family, static_cast<double>(count), {{"state", std::string(migration::to_string(state))}});
    }
    return family;
}

struct migration_number {
    const char* name;
    const char* help;
    MetricType type;
    double (*value)(const migration::migration_snapshot& snapshot);
};

constexpr migration_number migration_numbers[] = {
    {"sluice_migration_rows_copied", "Rows copied by a running migration", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.rows_copied); }},
    {"sluice_migration_rows_estimate", "Rows of the table as the server estimates them", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.rows_estimate); }},
    {"sluice_migration_progress_ratio", "Part of the copy that is done", MetricType::Gauge,
     [](const auto& s) { return std::isfinite(s.progress) ? s.progress : 0.0; }},
    {"sluice_migration_backlog_keys", "Changed keys that wait to be applied", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.backlog_keys); }},
    {"sluice_migration_throttled", "1 while a reason to throttle holds it back", MetricType::Gauge,
     [](const auto& s) { return s.throttled_by.empty() ? 0.0 : 1.0; }},
    {"sluice_migration_chunk_retries", "Statements of the copy that failed and were tried again", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.chunk_retries); }},
    {"sluice_migration_deltas_seen", "Row changes of the table read from the binary log", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.deltas_seen); }},
    {"sluice_migration_deltas_applied", "Keys written to the ghost table", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.deltas_applied); }},
    {"sluice_migration_rows_compared", "Rows that the last complete comparison found the same", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.verification.last_pass.rows_compared); }},
    {"sluice_migration_rows_repaired",
     "Rows of the ghost table that comparisons found wrong and that were copied again", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.verification.rows_repaired); }},
    {"sluice_migration_comparisons", "Complete comparisons of both tables", MetricType::Gauge,
     [](const auto& s) { return static_cast<double>(s.verification.passes); }},
    {"sluice_migration_cutover_attempts", "Attempts to cut over so far", MetricType::Gauge,
     [](const auto& s) {
         return s.cutover_attempts.empty() ? 0.0 : static_cast<double>(s.cutover_attempts.back().number);
     }},
};

struct proxy_number {
    const char* name;
    const char* help;
    MetricType type;
    std::uint64_t (*value)(const proxy_status& status);
};

constexpr proxy_number proxy_numbers[] = {
    {"sluice_accepting", "1 while new connections are taken", MetricType::Gauge,
     [](const proxy_status& s) { return std::uint64_t{s.accepting}; }},
    {"sluice_sessions", "Open client connections", MetricType::Gauge, [](const proxy_status& s) { return s.sessions; }},
    {"sluice_sessions_in_login", "Client connections not logged in yet", MetricType::Gauge,
     [](const proxy_status& s) { return s.sessions_in_login; }},
    {"sluice_sessions_max", "Limit of client connections", MetricType::Gauge,
     [](const proxy_status& s) { return s.sessions_max; }},
    {"sluice_sessions_total", "Client connections taken", MetricType::Counter,
     [](const proxy_status& s) { return s.sessions_total; }},
    {"sluice_sessions_refused_total", "Client connections turned away by a limit", MetricType::Counter,
     [](const proxy_status& s) { return s.sessions_refused_total; }},
    {"sluice_server_unreachable_total", "Client connections ended because the server could not be reached",
     MetricType::Counter, [](const proxy_status& s) { return s.server_unreachable_total; }},
    {"sluice_logins_failed_total", "Client logins that failed", MetricType::Counter,
     [](const proxy_status& s) { return s.logins_failed_total; }},
    {"sluice_statements_total", "Commands sent on to the server", MetricType::Counter,
     [](const proxy_status& s) { return s.statements_total; }},
    {"sluice_statements_answered_total", "Statements answered by Sluice itself", MetricType::Counter,
     [](const proxy_status& s) { return s.statements_answered_total; }},
    {"sluice_statements_held", "Statements held at gates now", MetricType::Gauge,
     [](const proxy_status& s) { return s.statements_held; }},
    {"sluice_statements_held_total", "Statements that were held at gates", MetricType::Counter,
     [](const proxy_status& s) { return s.statements_held_total; }},
    {"sluice_holds_overflowed_total", "Statements let through a closed gate because too much was held",
     MetricType::Counter, [](const proxy_status& s) { return s.holds_overflowed_total; }},
    {"sluice_holds_interrupted_total", "Statements killed while they were held", MetricType::Counter,
     [](const proxy_status& s) { return s.holds_interrupted_total; }},
    {"sluice_snapshots_refused_total", "Statements answered with error 1412, for a snapshot older than the table",
     MetricType::Counter, [](const proxy_status& s) { return s.snapshots_refused_total; }},
};

}  // namespace

std::string metrics_text(const std::vector<migration::snapshot_ptr>& migrations, const proxy_status& proxy,
                         std::string_view version) {
    std::vector<MetricFamily> families;
    families.push_back(family_of("sluice_build_info", "Always 1; the version is a label", MetricType::Gauge));
    add(families.back(), 1.0, {{"version", std::string(version)}});
    families.push_back(by_state(migrations));
    for (const migration_number& number : migration_numbers) {
        MetricFamily family = family_of(number.name, number.help, number.type);
        for (const auto& snapshot : migrations) {
            if (migration::is_final(snapshot->state)) continue;
            add(family, number.value(*snapshot),
                {{"id", snapshot->id},
                 {"schema", clean_utf8(snapshot->spec.table.schema)},
                 {"table", clean_utf8(snapshot->spec.table.table)}});
        }
        if (!family.metric.empty()) families.push_back(std::move(family));
    }
    for (const proxy_number& number : proxy_numbers) {
        families.push_back(single(number.name, number.help, number.type, number.value(proxy)));
    }
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace sluice::admin
