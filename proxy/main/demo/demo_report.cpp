#include "proxy/main/demo/demo_report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>

#include <spdlog/fmt/fmt.h>

namespace sluice {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return std::string(value->get_string().data(), value->get_string().size());
}

std::int64_t number_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_number()) return 0;
    return value->to_number<std::int64_t>();
}

const json::object* last_attempt(const json::object& migration) {
    const json::value* attempts = migration.if_contains("cutover_attempts");
    if (attempts == nullptr || !attempts->is_array() || attempts->get_array().empty()) return nullptr;
    return attempts->get_array().back().if_object();
}

double milliseconds(std::int64_t microseconds) { return static_cast<double>(microseconds) / 1000.0; }

std::string cutover_text(const json::object& migration) {
    const json::object* attempt = last_attempt(migration);
    if (attempt == nullptr) return "  cut-over            none\n";
    std::string text = fmt::format("  cut-over            attempt {} {}\n", number_at(*attempt, "number"),
                                   attempt->at("succeeded").as_bool() ? "succeeded" : "was given up");
    if (const json::value* steps = attempt->if_contains("steps")) {
        text += "    steps            ";
        for (const json::value& step : steps->as_array()) {
            text += fmt::format(" {} {:.1f} ms", text_at(step.as_object(), "name"),
                                milliseconds(number_at(step.as_object(), "took_us")));
        }
        text += "\n";
    }
    const json::object& hold = attempt->at("hold").as_object();
    text += fmt::format("    statements held   {}\n", number_at(hold, "statements_held"));
    text += fmt::format("    hold              p99 {:.1f} ms, longest {:.1f} ms\n",
                        milliseconds(number_at(hold, "hold_p99_us")), milliseconds(number_at(hold, "hold_max_us")));
    return text;
}

}  // namespace

bool demo_findings::good() const {
    return text_at(migration, "state") == "completed" && load.errors == 0 && load.wrong_answers == 0 && books.equal();
}

std::string report_text(const demo_findings& findings) {
    const json::object& m = findings.migration;
    std::string text = "\nReport\n";
    text += fmt::format("  migration           {} in {:.1f} s\n", text_at(m, "state"), findings.seconds);
    text += fmt::format("  rows copied         {}\n", number_at(m, "rows_copied"));
    text += fmt::format("  deltas              {} row changes seen, {} keys applied, {} left to the copy\n",
                        number_at(m, "deltas_seen"), number_at(m, "deltas_applied"), number_at(m, "deltas_dropped"));
    text += cutover_text(m);
    text += fmt::format("  client statements   {} ({} transactions committed, {} rolled back)\n",
                        findings.load.statements, findings.load.committed, findings.load.rolled_back);
    text += fmt::format("  client errors       {}\n", findings.load.errors + findings.load.wrong_answers);
    for (const std::string& error : findings.load.first_errors) text += "    " + error + "\n";
    text += fmt::format("  books against table {} ({} rows expected, {} found)\n",
                        findings.books.equal() ? "equal" : "DIFFERENT", findings.books.rows_expected,
                        findings.books.rows_found);
    for (const std::string& difference : findings.books.first_differences) text += "    " + difference + "\n";
    text += "\n  client latency          statements   p50 ms   p99 ms   max ms\n";
    for (const load::latency_stats& phase : findings.load.phases) {
        text += fmt::format("    {:<20} {:>12} {:>8.2f} {:>8.2f} {:>8.2f}\n", phase.phase, phase.statements,
                            phase.p50_ms, phase.p99_ms, phase.max_ms);
    }
    return text;
}

}  // namespace sluice
