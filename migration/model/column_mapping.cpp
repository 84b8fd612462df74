#include "migration/model/column_mapping.hpp"

#include "migration/model/key_column_rules.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace sluice::migration {
namespace {

/// Why a key cannot be used; code and the message's part about this key.
struct objection {
    std::string_view code;
    std::string reason;
};

const mapped_column* find_mapped(const std::vector<mapped_column>& mapped, std::string_view original) {
    const auto found = std::ranges::find_if(
        mapped, [&](const mapped_column& one) { return sql::equal_ignoring_case(one.original, original); });
    return found == mapped.end() ? nullptr : &*found;
}

std::optional<objection> object_to_part(const table_description& original, const key_part& part) {
    if (part.column.empty()) return objection{"no_shared_unique_key", "has an expression part"};
    const std::string name = "column " + quote_identifier(part.column);
    if (part.prefix_length) return objection{"no_shared_unique_key", name + " is in it by a prefix only"};
    const auto* column = original.find_column(part.column);
    if (column == nullptr) return objection{"no_shared_unique_key", name + " is not known"};
    if (column->nullable) return objection{"nullable_unique_key", name + " may be NULL"};
    if (!is_key_type(*column)) {
        return objection{"unsupported_key_type", name + " is of type " + column->column_type};
    }
    if (column->generated) return objection{"no_shared_unique_key", name + " is generated"};
    return std::nullopt;
}

std::optional<objection> object_to_key(const table_description& original, const key_description& key) {
    if (!key.visible) return objection{"no_shared_unique_key", "is invisible"};
    for (const auto& part : key.parts) {
        if (auto found = object_to_part(original, part)) return found;
    }
    return std::nullopt;
}

std::optional<objection> object_to_change(const table_description& original, const table_description& ghost,
                                          const key_description& key, const std::vector<mapped_column>& mapped) {
    for (const auto& part : key.parts) {
        const std::string name = "column " + quote_identifier(part.column);
        const auto* travels = find_mapped(mapped, part.column);
        if (travels == nullptr) {
            return objection{"no_shared_unique_key", name + " is not copied: the ALTER drops it or makes it generated"};
        }
        const auto& before = original.columns[travels->original_ordinal];
        const auto* after = ghost.find_column(travels->ghost);
        const auto change = after == nullptr ? std::string("is gone") : value_change(before, *after);
        if (!change.empty()) return objection{"key_values_change", std::string(name).append(" ").append(change)};
    }
    return std::nullopt;
}

/// The ghost's unique key on exactly the counterparts of the key's columns; PRIMARY first, then by name.
const key_description* counterpart(const table_description& ghost, const key_description& key,
                                   const std::vector<mapped_column>& mapped) {
    const key_description* best = nullptr;
    for (const auto& candidate : ghost.keys) {
        if (!candidate.unique || !candidate.visible || candidate.parts.size() != key.parts.size()) continue;
        const bool has_same_columns = std::ranges::all_of(key.parts, [&](const key_part& part) {
            const auto* travels = find_mapped(mapped, part.column);
            return travels != nullptr && std::ranges::any_of(candidate.parts, [&](const key_part& other) {
                       return !other.prefix_length && sql::equal_ignoring_case(other.column, travels->ghost);
                   });
        });
        if (!has_same_columns) continue;
        const auto rank = [](const key_description& one) { return std::tuple(one.name != "PRIMARY", one.name); };
        if (best == nullptr || rank(candidate) < rank(*best)) best = &candidate;
    }
    return best;
}

std::uint64_t key_bytes(const table_description& table, const key_description& key) {
    std::uint64_t bytes = 0;
    for (const auto& part : key.parts) {
        const auto* column = table.find_column(part.column);
        if (column != nullptr) bytes += value_bytes_max(*column);
    }
    return bytes;
}

/// The unique keys of the original in the order in which they are tried.
std::vector<const key_description*> candidates_of(const table_description& original) {
    std::vector<const key_description*> candidates;
    for (const auto& key : original.keys) {
        if (key.unique) candidates.push_back(&key);
    }
    const auto rank = [&](const key_description* key) {
        return std::tuple(key->name != "PRIMARY", key->parts.size(), key_bytes(original, *key), key->name);
    };
    std::ranges::sort(candidates, {}, rank);
    return candidates;
}

/// Collects what speaks against each candidate, for the one message that tells all of it.
class objections {
public:
    explicit objections(const table_description& original) : original_(original) {}

    void add(const key_description& key, const objection& why) {
        if (code_.empty()) code_ = why.code;
        reasons_ += "; key " + quote_identifier(key.name) + ": " + why.reason;
    }

    [[nodiscard]] failure to_failure() const {
        std::string message =
            "no unique key identifies the rows of " + quote_table(original_.name) + " before and after the ALTER";
        if (code_.empty()) {
            return refuse("no_shared_unique_key", message + ": it has neither a PRIMARY KEY nor a UNIQUE index");
        }
        message += reasons_ +
                   ". Needed is a PRIMARY KEY, or a UNIQUE index on NOT NULL columns, whose values stay as "
                   "they are; change the key in a second migration";
        return refuse(code_, std::move(message));
    }

private:
    const table_description& original_;
    std::string code_;
    std::string reasons_;
};

shared_key make_key(const table_description& original, const key_description& key, const key_description& ghost_key,
                    const std::vector<mapped_column>& mapped) {
    shared_key made;
    made.original_index = key.name;
    made.ghost_index = ghost_key.name;
    made.exactly_ordered = true;
    made.bytes_are_identity = true;
    for (const auto& part : key.parts) {
        const auto* travels = find_mapped(mapped, part.column);
        const auto& column = original.columns[travels->original_ordinal];
        made.columns.push_back(*travels);
        made.original_columns.push_back(column);
        made.exactly_ordered = made.exactly_ordered && !part.descending && is_exactly_ordered(column);
        made.bytes_are_identity = made.bytes_are_identity && bytes_are_identity(column);
    }
    return made;
}

outcome<shared_key> choose_key(const table_description& original, const table_description& ghost,
                               const std::vector<mapped_column>& mapped) {
    objections against(original);
    for (const auto* key : candidates_of(original)) {
        auto why = object_to_key(original, *key);
        if (!why) why = object_to_change(original, ghost, *key, mapped);
        if (why) {
            against.add(*key, *why);
            continue;
        }
        const auto* ghost_key = counterpart(ghost, *key, mapped);
        if (ghost_key != nullptr) return make_key(original, *key, *ghost_key, mapped);
        against.add(*key, {"no_shared_unique_key", "after the ALTER no visible unique key has exactly its columns"});
    }
    return against.to_failure();
}

bool has_date(std::string_view type) { return type == "date" || type == "datetime" || type == "timestamp"; }

outcome<void> check_conversion(const column_description& before, const column_description& after) {
    const std::string change =
        "column " + quote_identifier(before.name) + " changes from " + before.column_type + " to " + after.column_type;
    if ((before.data_type == "timestamp") != (after.data_type == "timestamp")) {
        return refuse("unsupported_conversion",
                      change +
                          ": a TIMESTAMP is a moment, the other type is not, so the values depend on a time zone, and "
                          "the migration has no way yet to be told which. Add a new column and fill it instead");
    }
    if (before.data_type == "time" && has_date(after.data_type)) {
        return refuse("unsupported_conversion",
                      change + ": the server would add the day of the conversion to each value");
    }
    return {};
}

/// Columns of the original that the ghost has as well, in the original's order; generated ones of the ghost are left
/// out.
outcome<std::vector<mapped_column>> map_by_name(const table_description& original, const table_description& ghost,
                                                const sql::alter_statement& alter) {
    std::vector<mapped_column> mapped;
    for (std::size_t i = 0; i < original.columns.size(); ++i) {
        const auto& column = original.columns[i];
        const auto new_name = alter.new_name_of(column.name);
        if (!new_name) continue;
        const auto* after = ghost.find_column(*new_name);
        if (after == nullptr) {
            return refuse("column_lost", "the ALTER does not seem to drop column " + quote_identifier(column.name) +
                                             ", but the altered table has no column " + quote_identifier(*new_name));
        }
        if (after->generated) continue;
        SLUICE_TRY_VOID(check_conversion(column, *after));
        mapped.push_back({i, column.name, after->name});
    }
    return mapped;
}

/// In strict mode an INSERT must name every such column, and there is no value to name.
outcome<void> check_new_columns(const table_description& ghost, const std::vector<mapped_column>& mapped) {
    std::set<std::string> filled;
    for (const auto& one : mapped) filled.insert(one.ghost);
    for (const auto& column : ghost.columns) {
        const bool has_value = column.nullable || column.generated || column.auto_increment || column.default_value;
        if (has_value || filled.contains(column.name)) continue;
        return refuse("no_default_value", "new column " + quote_identifier(column.name) + " " + column.column_type +
                                              " is NOT NULL and has no DEFAULT: say which value the rows that exist "
                                              "are to have, as in NOT NULL DEFAULT ...");
    }
    return {};
}

}  // namespace

outcome<column_mapping> map_columns(const table_description& original, const table_description& ghost,
                                    const sql::alter_statement& alter) {
    column_mapping mapping;
    SLUICE_TRY(mapping.copied, map_by_name(original, ghost, alter));
    SLUICE_TRY_VOID(check_new_columns(ghost, mapping.copied));
    SLUICE_TRY(mapping.key, choose_key(original, ghost, mapping.copied));
    return mapping;
}

outcome<void> require_usable_key(const table_description& original) {
    objections against(original);
    for (const auto* key : candidates_of(original)) {
        const auto why = object_to_key(original, *key);
        if (!why) return {};
        against.add(*key, *why);
    }
    return against.to_failure();
}

}  // namespace sluice::migration
