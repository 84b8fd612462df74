#include "migration/check/preconditions.hpp"
#include "migration/model/column_mapping.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

namespace sluice::migration {

outcome<void> check_table(const check_subject& subject) {
    SLUICE_TRY(const auto table, describe_table(subject.session, subject.spec.table));
    if (!sql::equal_ignoring_case(table.engine, "InnoDB")) {
        return refuse("wrong_engine", quote_table(table.name) + " is a table of engine " + table.engine +
                                          "; only InnoDB tables can be copied exactly while they are used");
    }
    return require_usable_key(table);
}

}  // namespace sluice::migration
