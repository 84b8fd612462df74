#pragma once

// What is fixed once the ghost stands: the tables, the columns that travel, and how this server must be read.
// Made by the coordinator before any worker starts; immutable and shared from then on.

#include "migration/changelog/marker_numbers.hpp"
#include "migration/family/server_family.hpp"
#include "migration/model/column_mapping.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/model/table_description.hpp"
#include "migration/relations/relations_plan.hpp"
#include "migration/sql/copy_columns.hpp"
#include "migration/sql/copy_statements.hpp"
#include "migration/sql/delta_statements.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sluice::migration {

struct migration_plan {
    table_name original;
    table_name ghost;
    table_name changelog;
    table_name old_table;
    table_name checkpoints;  ///< made only where migration_spec::checkpoint_table says so
    table_name swap_ghost;   ///< the ghost's name, and then the old table's, during a cut-over by two sessions:
    table_name swap_old;     ///< see artefact_names
    table_description original_description;
    table_description ghost_description;
    column_mapping mapping;
    copy_columns columns;
    migration_options options;
    relations_plan relations;
    std::string moment;  ///< conversion_settings::now
    std::string run;     ///< names this run of copy and apply; a process that goes on with it keeps the name

    family_ptr family;  ///< never null once the plan is made
    /// Not null: the stream is of another server's log without GTIDs, so that only a marker tells a place in it.
    std::shared_ptr<marker_numbers> markers;
    std::string log_server_uuid;        ///< of the replica whose log is read; empty: there is none
    bool follow_by_gtid = false;        ///< positions are GTID sets, and visibility is confirmed by them
    read_lock lock = read_lock::share;  ///< none where visibility is confirmed
    key_set_form key_form = key_set_form::row_constructor;
    int lower_case_table_names = 0;
    std::size_t statement_bytes_max = 512 * 1024;  ///< what the server takes (max_allowed_packet), a little less
    bool writers_in_turn = false;          ///< copy and apply write to the ghost one at a time (apply/turn_rules)
    bool rename_under_lock = true;         ///< false: two sessions change the tables' places (cutover/sentry_swap)
    bool backwards = false;                ///< the way back: `original` is the new table, `ghost` the old one
    bool explicit_auto_increment = false;  ///< the ALTER sets AUTO_INCREMENT itself: it is not carried over
};

}  // namespace sluice::migration
