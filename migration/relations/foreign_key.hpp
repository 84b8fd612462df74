#pragma once

// Foreign keys as values, their names, and the statements about them. Pure functions; safe from any thread.
// Source: MySQL 9.7 Reference Manual, "FOREIGN KEY Constraints", "The INFORMATION_SCHEMA INNODB_FOREIGN Table".

#include "migration/model/table_description.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct foreign_key {
    std::string name;
    table_name child;
    table_name parent;
    std::vector<std::string> child_columns;
    std::vector<std::string> parent_columns;
    unsigned rules = 0;  ///< TYPE of InnoDB's list, see foreign_key_rule

    bool operator==(const foreign_key&) const = default;

    [[nodiscard]] bool refers_to_itself() const { return child == parent; }
    /// A change of the parent changes rows of the child.
    [[nodiscard]] bool changes_child() const;
    /// InnoDB gave the name, from the table's: `t_ibfk_1`. It follows when the table is renamed.
    [[nodiscard]] bool has_generated_name() const;
};

enum foreign_key_rule : unsigned {
    delete_cascade = 1,
    delete_set_null = 2,
    update_cascade = 4,
    update_set_null = 8,
    delete_no_action = 16,
    update_no_action = 32,  ///< neither of a kind: RESTRICT
};

/// What a table has to do with foreign keys. One that refers to its own table is among `own` only.
struct foreign_keys {
    std::vector<foreign_key> own;          ///< the table is the child
    std::vector<foreign_key> referencing;  ///< the table is the parent, another one is the child

    bool operator==(const foreign_keys&) const = default;
    [[nodiscard]] bool empty() const { return own.empty() && referencing.empty(); }
};

/// "ON DELETE CASCADE ON UPDATE NO ACTION"
[[nodiscard]] std::string rules_text(const foreign_key& key);

/// For messages: "`fk` (`s`.`child` to `s`.`parent`, ON DELETE CASCADE)"; rules that change nothing are left out.
[[nodiscard]] std::string shown(const foreign_key& key);

/// The generated name with another table's name in front: `_t_gho_ibfk_1` of `t_ibfk_1`.
[[nodiscard]] std::string generated_name_on(const foreign_key& key, std::string_view table);

/// A name for the time in which the original still bears the key's own: `_` before it, or taken away if it begins so;
/// shortened with a hash where it would pass 64 characters.
[[nodiscard]] std::string passing_name(std::string_view name);

/// [ADD] CONSTRAINT name FOREIGN KEY (...) REFERENCES ...; of a key whose child and parent are already those meant.
[[nodiscard]] std::string add_clause(const foreign_key& key);
/// The same without a name: the server makes one. `index` is the child's index that serves the key, so that an index
/// which the server had made for another key on these columns is not replaced.
[[nodiscard]] std::string add_unnamed_clause(const foreign_key& key, std::string_view index);
[[nodiscard]] std::string drop_clause(std::string_view name);

/// ALTER TABLE table clause, clause, ALGORITHM=INPLACE: metadata only with foreign_key_checks = 0, or refused by the
/// server.
[[nodiscard]] std::string alter_keys_statement(const table_name& table, const std::vector<std::string>& clauses);

/// The first key, by name, whose leading columns are these, in this order; nullptr if there is none.
[[nodiscard]] const key_description* index_for(const table_description& table, const std::vector<std::string>& columns);

}  // namespace sluice::migration
