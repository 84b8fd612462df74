#include "migration/sql/delta_statements.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_expression.hpp"

namespace sluice::migration {

namespace {

// The cut-over runs these under LOCK TABLES, which knows a table only by the name that was locked.
constexpr std::string_view no_alias;
constexpr unsigned row_constructor_version_min = 50703;

}  // namespace

key_set_form key_set_form_for(unsigned version_number, bool is_mariadb) noexcept {
    return is_mariadb || version_number < row_constructor_version_min ? key_set_form::or_of_ands
                                                                      : key_set_form::row_constructor;
}

std::string delta_delete_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form) {
    // The form with USING is the only one that takes FORCE INDEX. A server may still read the whole of a clustered
    // index that has hardly more rows than the batch has keys.
    return "DELETE FROM " + quote_table(what.ghost) + " USING " + keyed_table(what, no_alias, table_side::ghost) +
           " WHERE " + key_set_condition(what, keys, form, no_alias, table_side::ghost);
}

std::string delta_insert_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                                   read_lock lock) {
    std::string into;
    std::string from;
    for (const auto& column : what.columns) {
        if (!into.empty()) {
            into += ", ";
            from += ", ";
        }
        into += quote_identifier(column.ghost);
        from += column_reference(no_alias, column.original);
    }
    return "INSERT INTO " + quote_table(what.ghost) + " (" + into + ") SELECT " + from + " FROM " +
           keyed_table(what, no_alias, table_side::original) + " WHERE " +
           key_set_condition(what, keys, form, no_alias, table_side::original) +
           (lock == read_lock::share ? " LOCK IN SHARE MODE" : "");
}

std::string key_lookup_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                                 bool of_ghost) {
    const auto side = of_ghost ? table_side::ghost : table_side::original;
    return "SELECT " + key_select_list_on(what, no_alias, side) + " FROM " + keyed_table(what, no_alias, side) +
           " WHERE " + key_set_condition(what, keys, form, no_alias, side);
}

}  // namespace sluice::migration
