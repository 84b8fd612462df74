#pragma once

// What a cut-over has to do for the triggers and foreign keys of a table: values, fixed before the copy begins.

#include "migration/model/table_description.hpp"
#include "migration/relations/foreign_key.hpp"
#include "migration/relations/table_trigger.hpp"

#include <string>
#include <vector>

namespace sluice::migration {

/// A trigger of the original and the one that takes its place.
struct planned_trigger {
    std::string name;
    std::string new_name;
    std::string session;  ///< SET of the session that makes it
    struct statement {
        std::string table;
        std::string create;  ///< bytes in the trigger's own character set
    };
    std::vector<statement> statements;  ///< for each name that the ghost may bear
};

/// A foreign key of another table that is to refer to the new one.
struct pointed_key {
    foreign_key key;    ///< parent: the original; parent_columns: as they are named on the ghost
    std::string index;  ///< of the child, serving the key
};

struct relations_plan {
    std::vector<table_trigger> triggers;  ///< of the original as the migration found them, in order of their action
    std::vector<planned_trigger> made;    ///< one for each of them, in the same order
    std::string usual_session;            ///< SET that takes a planned_trigger::session back

    foreign_keys found;                      ///< of the original and to it, as the migration found them
    std::vector<foreign_key> kept;           ///< on the ghost, under the names of the original
    std::vector<pointed_key> pointed;        ///< of other tables
    std::vector<table_name> related_tables;  ///< locked and gated with the original in the cut-over, each once

    [[nodiscard]] bool empty() const { return triggers.empty() && found.empty(); }
};

}  // namespace sluice::migration
