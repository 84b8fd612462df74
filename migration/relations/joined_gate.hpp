#pragma once

// One gate in front of several tables: the table that changes places, and those that are locked with it for the sake of
// its foreign keys. Held together, none of their statements meets the lock in the server, where it could deadlock with
// a transaction that has one table and wants another.

#include "migration/ports/traffic_gate.hpp"

#include <memory>
#include <vector>

namespace sluice::migration {

/// nullptr when one of the tables cannot be watched. tables: at least one. With the scope `none` nothing is watched and
/// the gate holds nothing.
std::unique_ptr<table_gate> watch_tables(traffic_gate& traffic, const std::vector<gated_table>& tables,
                                         const watch_rules& rules);

/// Those of several migrations that change places together. The gates must outlive it; at least one.
std::unique_ptr<table_gate> join_gates(std::vector<table_gate*> gates);

}  // namespace sluice::migration
