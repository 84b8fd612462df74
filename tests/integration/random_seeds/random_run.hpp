#pragma once

// One seed: a table, an ALTER and writes; the migration beside what the server's own ALTER makes of a mirror.

#include "tests/integration/migration/engine_rig.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace sluice::test {

enum class seed_end {
    equal,         ///< migrated, and the same as the server's own
    failed_alike,  ///< the server refuses the ALTER for its rows, and so did the migration
    refused,       ///< by the engine, which does not do this one; the original is untouched
    wrong,
};

struct seed_report {
    seed_end end = seed_end::wrong;
    std::string code;     ///< of the failure or refusal
    std::string problem;  ///< of a wrong end
    std::string plan;     ///< CREATE TABLE, ALTER and options
    std::uint64_t transactions = 0;
    std::map<unsigned, unsigned> refused_writes;
    unsigned unlike_writes = 0;
    unsigned draws = 0;  ///< of tables and ALTERs, until the server took one of each
};

/// The engine must be of this server. What a seed asks for depends on nothing but the seed and the kind of server; how
/// its writes meet the migration's steps is up to the machine. Its schemas are dropped unless the end is wrong.
[[nodiscard]] seed_report run_seed(const mysql_server& server, migration::migration_service& engine,
                                   std::uint64_t seed);

}  // namespace sluice::test
