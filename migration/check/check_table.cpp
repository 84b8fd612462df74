#include "migration/check/preconditions.hpp"
#include "migration/model/column_mapping.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

namespace sluice::migration {

namespace {

outcome<table_description> describe_innodb_table(const check_subject& subject) {
    SLUICE_TRY(auto table, describe_table(subject.session, subject.spec.table));
    if (!sql::equal_ignoring_case(table.engine, "InnoDB")) {
        return refuse("wrong_engine", quote_table(table.name) + " is a table of engine " + table.engine +
                                          "; only InnoDB tables can be copied exactly while they are used");
    }
    return table;
}

}  // namespace

outcome<void> check_engine(const check_subject& subject) {
    SLUICE_TRY_VOID(describe_innodb_table(subject));
    return {};
}

outcome<void> check_table(const check_subject& subject) {
    SLUICE_TRY(const auto table, describe_innodb_table(subject));
    return require_usable_key(table, {subject.spec.options.allow_nullable_unique_key});
}

}  // namespace sluice::migration
