#include "proxy/main/client/plan_text.hpp"

#include "proxy/main/client/json_fields.hpp"

#include "proxy/main/client/progress_view.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

namespace json = boost::json;

constexpr std::size_t label_width = 12;

/// Text from elsewhere must not move the cursor.
// Without control characters: what stands in names must not steer the terminal.
std::string shown_text(const json::object& object, std::string_view name) {
    std::string text = text_of(object, name);
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    return text;
}

template <class Use>
void for_each_in(const json::object& object, std::string_view name, Use use) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_array()) return;
    for (const json::value& entry : value->get_array()) use(entry);
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB"};
    double size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= 1024.0 && unit + 1 < units.size()) {
        size /= 1024.0;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f" : "%.1f", size);
    return std::string(text) + " " + units[unit];
}

std::string line(std::string label, const std::string& value) {
    label.resize(std::max(label.size() + 1, label_width), ' ');
    return label + value + "\n";
}

std::string way_text(const json::object& way) {
    std::string text = shown_text(way, "way") + ": ";
    if (!flag_of(way, "possible")) return text + "not possible; " + shown_text(way, "reason");
    if (flag_of(way, "allowed")) return text + "possible";
    return text + "possible, but not agreed to (set attempt_" + shown_text(way, "way") + ")";
}

std::string column_text(const json::object& column) {
    const std::string before = shown_text(column, "before");
    const std::string after = shown_text(column, "after");
    const std::string was = shown_text(column, "type_before");
    const std::string is = shown_text(column, "type_after");
    if (before.empty()) return "+ " + after + " " + is;
    if (after.empty()) return "- " + before + " " + was;
    std::string text = "  " + before;
    if (after != before) text += " -> " + after;
    return text + " " + was + (is == was ? "" : " -> " + is);
}

}  // namespace

std::string plan_text(const json::object& plan) {
    std::string text = line(
        "table", shown_text(plan, "schema") + "." + shown_text(plan, "table") + " on " + shown_text(plan, "server"));
    text += line("alter", shown_text(plan, "alter"));
    text += line("way", shown_text(plan, "way"));
    for_each_in(plan, "ways", [&](const json::value& way) {
        if (way.is_object()) text += line("", way_text(way.get_object()));
    });
    if (const std::string key = shown_text(plan, "unique_key"); !key.empty()) text += line("key", key);
    text += line("size", "about " + std::to_string(number_of(plan, "rows_estimate")) + " rows, " +
                             size_text(number_of(plan, "data_bytes")) + " of data and " +
                             size_text(number_of(plan, "index_bytes")) + " of indexes");
    if (shown_text(plan, "way") == "copy") {
        text += line("", "the new table takes about as much again, and the binary log the data once more");
        const json::value* estimate = plan.if_contains("copy_estimate_s");
        const bool known = estimate != nullptr && estimate->is_number();
        text += line("estimate", !known ? "unknown"
                                        : "copy about " + duration_text(number_of(plan, "copy_estimate_s")) + " (" +
                                              shown_text(plan, "estimate_basis") + ")");
    }
    const char* label = "columns";
    for_each_in(plan, "columns", [&](const json::value& column) {
        if (column.is_object()) text += line(std::exchange(label, ""), column_text(column.get_object()));
    });
    label = "warning";
    for_each_in(plan, "warnings", [&](const json::value& warning) {
        if (!warning.is_object()) return;
        const json::object& w = warning.get_object();
        text += line(std::exchange(label, ""), shown_text(w, "code") + ": " + shown_text(w, "message"));
    });
    return text + "Nothing was changed.\n";
}

}  // namespace sluice
