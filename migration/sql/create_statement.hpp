#pragma once

// What SHOW CREATE TABLE says, made fit for comparing. Values in, text out. Pure functions; safe from any thread.

#include <string>
#include <string_view>

namespace sluice::migration {

/// Without the AUTO_INCREMENT counter among the table options, which every insert moves.
[[nodiscard]] std::string without_counter(std::string create_statement);

/// Without the table's name and its constraints as well: what a table made by CREATE TABLE … LIKE has in common with
/// its original (it gets no foreign keys, and on MySQL its CHECK constraints have other names).
[[nodiscard]] std::string shape_of(const std::string& create_statement);

}  // namespace sluice::migration
