#include "admin/plan_view.hpp"

#include "admin/json_view.hpp"
#include "admin/text_form.hpp"

#include <boost/json/array.hpp>

namespace sluice::admin {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
    if (text.empty()) return nullptr;
    return json::value(clean_utf8(text));
}

}  // namespace

json::object to_json(const migration::alter_forecast& forecast) {
    json::array ways;
    for (const auto& way : forecast.ways) {
        ways.push_back(json::object{{"way", migration::to_string(way.way)},
                                    {"possible", way.possible},
                                    {"allowed", way.allowed},
                                    {"reason", clean_utf8(way.reason)}});
    }
    json::array columns;
    for (const auto& column : forecast.columns) {
        columns.push_back(json::object{{"before", text_or_null(column.before)},
                                       {"after", text_or_null(column.after)},
                                       {"type_before", text_or_null(column.type_before)},
                                       {"type_after", text_or_null(column.type_after)}});
    }
    json::array deferred;
    for (const auto& index : forecast.deferred_indexes) deferred.emplace_back(clean_utf8(index));
    json::array warnings;
    for (const auto& warning : forecast.warnings) {
        warnings.push_back(json::object{{"code", warning.code}, {"message", clean_utf8(warning.message)}});
    }
    return {{"dry_run", true},
            {"schema", clean_utf8(forecast.spec.table.schema)},
            {"table", clean_utf8(forecast.spec.table.table)},
            {"alter", clean_utf8(forecast.spec.alter)},
            {"options", to_json(forecast.spec.options)},
            {"server", clean_utf8(forecast.server)},
            {"way", migration::to_string(forecast.way)},
            {"ways", std::move(ways)},
            {"unique_key", text_or_null(forecast.unique_key)},
            {"columns", std::move(columns)},
            {"deferred_indexes", std::move(deferred)},
            {"rows_estimate", forecast.rows_estimate},
            {"data_bytes", forecast.data_bytes},
            {"index_bytes", forecast.index_bytes},
            {"copy_estimate_s",
             forecast.copy_estimate ? json::value(forecast.copy_estimate->count()) : json::value(nullptr)},
            {"estimate_basis", clean_utf8(forecast.estimate_basis)},
            {"warnings", std::move(warnings)}};
}

}  // namespace sluice::admin
