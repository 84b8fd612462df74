#include "proxy/main/toml_section.hpp"

#include "admin/closest_name.hpp"

#include <algorithm>

namespace sluice {
namespace {

std::string type_name(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::string: return "a string";
        case toml::node_type::integer: return "a whole number";
        case toml::node_type::floating_point: return "a number with a fraction";
        case toml::node_type::boolean: return "a boolean";
        case toml::node_type::array: return "an array";
        case toml::node_type::table: return "a table";
        default: return "a date or time";
    }
}

}  // namespace

toml_section::toml_section(const toml::table& root, std::string name, const std::string& file,
                           std::vector<config_problem>& problems, std::map<std::string, std::string>& settings)
    : name_(std::move(name)), file_(file), problems_(problems), settings_(settings) {
    const toml::node* node = root.get(name_);
    if (node == nullptr) return;
    table_ = node->as_table();
    if (table_ == nullptr) {
        problems_.push_back({file_, node->source().begin.line, "`" + name_ + "` must be a section: [" + name_ + "]"});
    }
}

std::string toml_section::path(std::string_view key) const { return name_ + "." + std::string(key); }

bool toml_section::has(std::string_view key) const { return table_ != nullptr && table_->get(key) != nullptr; }

const toml::node* toml_section::take(std::string_view key) {
    known_.emplace_back(key);
    return table_ == nullptr ? nullptr : table_->get(key);
}

void toml_section::note(std::string_view key, std::string value) { settings_[path(key)] = std::move(value); }

void toml_section::problem(std::string_view key, const std::string& message) {
    unsigned line = 0;
    if (has(key)) {
        line = table_->get(key)->source().begin.line;
    } else if (table_ != nullptr) {
        line = table_->source().begin.line;
    }
    problems_.push_back({file_, line, "`" + path(key) + "` " + message});
}

void toml_section::mistyped(std::string_view key, const toml::node& node, const std::string& expected) {
    problem(key, "must be " + expected + ", not " + type_name(node));
}

void toml_section::text(std::string_view key, std::string& value) {
    if (const toml::node* node = take(key)) {
        if (const auto read = node->value_exact<std::string>()) {
            value = *read;
        } else {
            mistyped(key, *node, "a string");
        }
    }
    note(key, value);
}

void toml_section::texts(std::string_view key, std::vector<std::string>& values) {
    if (const toml::node* node = take(key)) {
        const toml::array* array = node->as_array();
        if (const auto one = node->value_exact<std::string>()) {
            values = {*one};
        } else if (array != nullptr && (array->empty() || array->is_homogeneous(toml::node_type::string))) {
            values.clear();
            for (const toml::node& element : *array) values.push_back(*element.value_exact<std::string>());
        } else {
            mistyped(key, *node, "a string or an array of strings");
        }
    }
    std::string all;
    for (const std::string& value : values) all += (all.empty() ? "" : ", ") + value;
    note(key, std::move(all));
}

bool toml_section::boolean(std::string_view key, bool fallback) {
    bool value = fallback;
    if (const toml::node* node = take(key)) {
        if (const auto read = node->value_exact<bool>()) {
            value = *read;
        } else {
            mistyped(key, *node, "true or false");
        }
    }
    note(key, value ? "true" : "false");
    return value;
}

void toml_section::flag(std::string_view key, bool& value) { value = boolean(key, value); }

void toml_section::one_of(std::string_view key, std::string& value, std::span<const std::string_view> allowed) {
    text(key, value);
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    std::string names;
    for (const std::string_view name : allowed) names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    problem(key, "must be one of " + names + ", not \"" + value + "\"");
}

std::int64_t toml_section::whole(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max) {
    const std::string expected = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
    std::int64_t value = fallback;
    if (const toml::node* node = take(key)) {
        const auto read = node->value_exact<std::int64_t>();
        if (!read) {
            mistyped(key, *node, expected);
        } else if (*read < min || *read > max) {
            problem(key, "must be " + expected + ", not " + std::to_string(*read));
        } else {
            value = *read;
        }
    }
    note(key, std::to_string(value));
    return value;
}

void toml_section::forbid(std::string_view key, const std::string& reason) {
    if (!has(key)) return;
    known_.emplace_back(key);
    problem(key, reason);
}

void toml_section::finish() {
    if (table_ == nullptr) return;
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& [key, node] : *table_) {
        if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
        problems_.push_back({file_, key.source().begin.line,
                             "unknown key `" + path(key.str()) + "`" + admin::name_hint(key.str(), known)});
    }
}

}  // namespace sluice
