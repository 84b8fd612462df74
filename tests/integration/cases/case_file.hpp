#pragma once

// The folders beside this file as values; README.md tells their format. Whatever is not understood throws: a case that
// is quietly skipped would prove nothing.

#include "migration/model/migration_spec.hpp"
#include "tests/support/mysql_server.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace sluice::test {

struct test_case {
    std::string name;  ///< of the folder
    std::string create;
    std::string alter;
    std::vector<std::string> load;  ///< blocks, each one transaction; empty: made from the table's rows
    std::string table = "t";
    std::set<server_kind> servers;
    std::string failure_code;                ///< empty: the migration completes
    std::vector<std::string> failure_words;  ///< which its message holds
    bool server_accepts = false;             ///< of a failure: the server itself would do it
    bool free_constraint_names = false;      ///< names of constraints are not compared
    std::string alter_mode;                  ///< sql_mode, besides the usual, in which the server alters the mirror
    migration::migration_options options;
    std::vector<std::string> setup;  ///< run first by each session of writers
    bool writes_as_root = false;     ///< else as an application
    std::set<unsigned> errors;       ///< of statements of the load: the transaction is rolled back and forgotten
    unsigned writers = 2;
    unsigned numbers = 300;  ///< bound of the numbers in the load
};

/// Throws std::runtime_error naming the folder and what is wrong in it.
[[nodiscard]] test_case read_case(const std::filesystem::path& folder);
/// All folders in this one, by name.
[[nodiscard]] std::vector<test_case> read_cases(const std::filesystem::path& folder);

}  // namespace sluice::test
