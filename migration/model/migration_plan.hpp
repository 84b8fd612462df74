#pragma once

// What is fixed once the ghost stands: the tables, the columns that travel, and how this server must be read.
// Made by the coordinator before any worker starts; immutable and shared from then on.

#include "migration/model/column_mapping.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/model/table_description.hpp"
#include "migration/sql/copy_columns.hpp"
#include "migration/sql/copy_statements.hpp"
#include "migration/sql/delta_statements.hpp"

#include <string>
#include <vector>

namespace sluice::migration {

struct migration_plan {
    table_name original;
    table_name ghost;
    table_name changelog;
    table_name old_table;
    table_description original_description;
    table_description ghost_description;
    column_mapping mapping;
    copy_columns columns;
    migration_options options;

    bool follow_by_gtid = false;        ///< positions are GTID sets, and visibility is confirmed by them
    read_lock lock = read_lock::share;  ///< none where visibility is confirmed
    key_set_form key_form = key_set_form::row_constructor;
    int lower_case_table_names = 0;
    bool explicit_auto_increment = false;  ///< the ALTER sets AUTO_INCREMENT itself: it is not carried over
};

}  // namespace sluice::migration
