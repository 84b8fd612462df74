#pragma once

// What a dry run finds out: how a migration would go.

#include "migration/model/alter_way.hpp"
#include "migration/model/migration_spec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

struct forecast_way {
    alter_way way = alter_way::copy;
    bool possible = false;
    bool allowed = false;  ///< the options agree to it
    std::string reason;    ///< why it is not possible; empty when it is
};

struct forecast_column {
    std::string before;  ///< empty: the ALTER adds it
    std::string after;   ///< empty: the ALTER drops it
    std::string type_before;
    std::string type_after;
};

struct forecast_warning {
    std::string code;  ///< stable, snake_case
    std::string message;
};

struct alter_forecast {
    migration_spec spec;
    std::string server;                         ///< "MySQL 9.7.0"
    alter_way way = alter_way::copy;            ///< the one that would be taken
    std::vector<forecast_way> ways;             ///< all of them, in the order in which they are tried
    std::string unique_key;                     ///< that would identify rows; empty where the table cannot be copied
    std::vector<forecast_column> columns;       ///< in the new table's order, then those that are dropped
    std::vector<std::string> deferred_indexes;  ///< built after the copy
    std::uint64_t rows_estimate = 0;            ///< the server's guess
    std::uint64_t data_bytes = 0;
    std::uint64_t index_bytes = 0;
    std::optional<std::chrono::seconds> copy_estimate;  ///< for the copy alone; nothing where nothing is copied
    std::string estimate_basis;                         ///< what it rests on
    std::vector<forecast_warning> warnings;
};

}  // namespace sluice::migration
