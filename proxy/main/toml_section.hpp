#pragma once

// One section of a TOML file, read key by key: each read names the key, its type and its range, notes the value, and
// notes a problem with the line where there is one. finish() then reports the keys that nobody has read.

#include "proxy/main/config.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class toml_section {
public:
    /// A section that is missing is empty. Everything referred to must outlive this object.
    toml_section(const toml::table& root, std::string name, const std::string& file,
                 std::vector<config_problem>& problems, std::map<std::string, std::string>& settings);

    void text(std::string_view key, std::string& value);
    /// An array of strings, or one string for an array of one.
    void texts(std::string_view key, std::vector<std::string>& values);
    void flag(std::string_view key, bool& value);
    void one_of(std::string_view key, std::string& value, std::span<const std::string_view> allowed);
    template <class Integer>
    void number(std::string_view key, Integer& value, std::int64_t min, std::int64_t max) {
        const std::int64_t read = whole(key, static_cast<std::int64_t>(value), min, max);
        value = static_cast<Integer>(read);
    }
    template <class Rep, class Period>
    void duration(std::string_view key, std::chrono::duration<Rep, Period>& value, std::int64_t min, std::int64_t max) {
        value = std::chrono::duration<Rep, Period>(whole(key, value.count(), min, max));
    }
    std::int64_t whole(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max);
    bool boolean(std::string_view key, bool fallback);

    /// A key that must never stand in the file: reported with the reason when it does.
    void forbid(std::string_view key, const std::string& reason);

    /// Set and of the right type or not; does not count as read.
    [[nodiscard]] bool has(std::string_view key) const;
    /// Notes a problem at the key's line, or at the section's when the key is not there.
    void problem(std::string_view key, const std::string& message);
    void note(std::string_view key, std::string value);
    void finish();

private:
    const toml::node* take(std::string_view key);
    void mistyped(std::string_view key, const toml::node& node, const std::string& expected);
    [[nodiscard]] std::string path(std::string_view key) const;

    const toml::table* table_ = nullptr;
    std::string name_;
    const std::string& file_;
    std::vector<config_problem>& problems_;
    std::map<std::string, std::string>& settings_;
    std::vector<std::string> known_;
};

}  // namespace sluice
