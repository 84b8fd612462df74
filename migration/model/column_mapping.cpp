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

std::optional<objection> object_to_part(const table_description& original, const key_part& part,
                                        const mapping_options& options) {
    if (part.column.empty()) return objection{"no_shared_unique_key", "has an expression part"};
    const std::string name = "column " + quote_identifier(part.column);
    if (part.prefix_length) return objection{"no_shared_unique_key", name + " is in it by a prefix only"};
    const auto* column = original.find_column(part.column);
    if (column == nullptr) return objection{"no_shared_unique_key", name + " is not known"};
    if (column->nullable && !options.allow_nullable_unique_key) {
        return objection{"nullable_unique_key",
                         name + " may be NULL (if no row has a NULL there, set allow_nullable_unique_key)"};
    }
    if (!is_key_type(*column)) {
        return objection{"unsupported_key_type", name + " is of type " + column->column_type};
    }
    if (!column->logged) {
        return objection{"no_shared_unique_key",
                         name +
                             " is generated and VIRTUAL, and whether this server's binary log holds its value is not "
                             "known"};
    }
    return std::nullopt;
}

std::optional<objection> object_to_key(const table_description& original, const key_description& key,
                                       const mapping_options& options) {
    if (!key.visible) return objection{"no_shared_unique_key", "is invisible"};
    if (key.index_type == "HASH") {
        return objection{"no_shared_unique_key",
                         "is a hash (UNIQUE ... USING HASH, or on a long column), along which "
                         "the server finds no rows"};
    }
    for (const auto& part : key.parts) {
        if (auto found = object_to_part(original, part, options)) return found;
    }
    return std::nullopt;
}

/// A generated column computes the same value in both tables: by the same expression, from columns that are the same.
bool generates_alike(const table_description& original, const table_description& ghost,
                     const column_description& before, const column_description& after) {
    if (before.generation_expression != after.generation_expression || before.column_type != after.column_type ||
        before.collation != after.collation) {
        return false;
    }
    return std::ranges::all_of(original.columns, [&](const column_description& source) {
        if (before.generation_expression.find(quote_identifier(source.name)) == std::string::npos) return true;
        const auto* now = ghost.find_column(source.name);
        return now != nullptr && !now->generated && now->column_type == source.column_type &&
               now->collation == source.collation;
    });
}

std::optional<objection> object_to_change(const table_description& original, const table_description& ghost,
                                          const key_description& key, const std::vector<mapped_column>& mapped) {
    for (const auto& part : key.parts) {
        const std::string name = "column " + quote_identifier(part.column);
        const auto* travels = find_mapped(mapped, part.column);
        if (travels == nullptr) return objection{"no_shared_unique_key", name + " is dropped by the ALTER"};
        const auto& before = original.columns[travels->original_ordinal];
        const auto* after = ghost.find_column(travels->ghost);
        if (after == nullptr) return objection{"no_shared_unique_key", name + " is gone"};
        if (after->generated && !(before.generated && generates_alike(original, ghost, before, *after))) {
            return objection{"no_shared_unique_key",
                             name + " is generated after the ALTER, by another rule than before"};
        }
        const auto change = value_change(before, *after);
        if (change.empty()) continue;
        const bool by_time_zone = before.data_type == "datetime" && after->data_type == "timestamp";
        return objection{by_time_zone ? "key_becomes_timestamp" : "key_values_change",
                         std::string(name).append(" ").append(change)};
    }
    return std::nullopt;
}

/// The ghost's unique key that is at least as strict: on the counterparts of the key's columns or of some of them. The
/// one with most columns, PRIMARY first, then by name.
const key_description* counterpart(const table_description& ghost, const key_description& key,
                                   const std::vector<mapped_column>& mapped) {
    const auto is_of_key = [&](const key_part& part) {
        return std::ranges::any_of(key.parts, [&](const key_part& original) {
            const auto* travels = find_mapped(mapped, original.column);
            return travels != nullptr && sql::equal_ignoring_case(part.column, travels->ghost);
        });
    };
    const auto rank = [](const key_description& one) {
        const auto prefixes =
            std::ranges::count_if(one.parts, [](const auto& part) { return part.prefix_length.has_value(); });
        return std::tuple(prefixes, -static_cast<std::ptrdiff_t>(one.parts.size()), one.name != "PRIMARY", one.name);
    };
    const key_description* best = nullptr;
    for (const auto& candidate : ghost.keys) {
        const bool fits = candidate.unique && candidate.visible && candidate.index_type != "HASH" &&
                          std::ranges::all_of(candidate.parts, is_of_key);
        if (fits && (best == nullptr || rank(candidate) < rank(*best))) best = &candidate;
    }
    return best;
}

/// An index of the ghost by which all rows of a key are found: it begins with the key's columns, whole and in whatever
/// order. A unique one first, PRIMARY before others, then the one with the fewest columns, then by name.
const key_description* leading_index(const table_description& original, const table_description& ghost,
                                     const key_description& key, const std::vector<mapped_column>& mapped) {
    std::set<std::string> wanted;
    for (const auto& part : key.parts) {
        const auto* travels = find_mapped(mapped, part.column);
        const auto* after = travels == nullptr ? nullptr : ghost.find_column(travels->ghost);
        if (after == nullptr || !keeps_form(original.columns[travels->original_ordinal], *after)) return nullptr;
        wanted.insert(after->name);
    }
    const auto begins_with_key = [&](const key_description& index) {
        if (index.parts.size() < key.parts.size()) return false;
        std::set<std::string> leading;
        for (std::size_t i = 0; i < key.parts.size(); ++i) {
            const auto* column = ghost.find_column(index.parts[i].column);
            if (column == nullptr || index.parts[i].prefix_length) return false;
            leading.insert(column->name);
        }
        return leading == wanted;
    };
    const auto rank = [](const key_description& one) {
        return std::tuple(!one.unique, one.name != "PRIMARY", one.parts.size(), one.name);
    };
    const key_description* best = nullptr;
    for (const auto& candidate : ghost.keys) {
        const bool fits = candidate.visible && candidate.index_type == "BTREE" && begins_with_key(candidate);
        if (fits && (best == nullptr || rank(candidate) < rank(*best))) best = &candidate;
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
    const auto* identity = original.row_identity();
    const auto rank = [&](const key_description* key) {
        return std::tuple(key != identity, key->parts.size(), key_bytes(original, *key), key->name);
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
                   ". Needed is a PRIMARY KEY, or a UNIQUE index on NOT NULL columns, that both the table and its new "
                   "definition have and whose values stay distinct; change the key in a second migration";
        return refuse(code_, std::move(message));
    }

private:
    const table_description& original_;
    std::string code_;
    std::string reasons_;
};

shared_key make_key(const table_description& original, const table_description& ghost, const key_description& key,
                    const key_description& ghost_key, bool enforced, const std::vector<mapped_column>& mapped) {
    shared_key made;
    made.enforced = enforced;
    made.original_index = key.name;
    made.ghost_index = ghost_key.name;
    made.exactly_ordered = true;
    made.bytes_are_identity = true;
    made.may_collide = enforced && ghost_key.parts.size() != key.parts.size();
    for (const auto& part : key.parts) {
        const auto* travels = find_mapped(mapped, part.column);
        const auto& column = original.columns[travels->original_ordinal];
        const auto* after = ghost.find_column(travels->ghost);
        made.columns.push_back(*travels);
        made.original_columns.push_back(column);
        made.exactly_ordered = made.exactly_ordered && !part.descending && is_exactly_ordered(column);
        made.bytes_are_identity = made.bytes_are_identity && bytes_are_identity(column);
        made.nullable = made.nullable || column.nullable;
        made.may_collide = made.may_collide || column.collation != after->collation;
    }
    const bool has_prefix =
        std::ranges::any_of(ghost_key.parts, [](const key_part& part) { return part.prefix_length.has_value(); });
    made.may_collide = made.may_collide || (enforced && has_prefix);
    // Two batches side by side would wait for each other's values.
    made.bytes_are_identity = made.bytes_are_identity && !made.may_collide;
    return made;
}

/// What the rule asks of a candidate beyond its own order: NOT NULL first, then values that stay in their form, then a
/// key that stays unique.
std::tuple<bool, bool, bool> handicap(const table_description& original, const table_description& ghost,
                                      const shared_key& key) {
    bool converted = key.may_collide;
    for (const auto& column : key.columns) {
        const auto* after = ghost.find_column(column.ghost);
        converted = converted || !keeps_form(original.columns[column.original_ordinal], *after);
    }
    return {key.nullable, converted, !key.enforced};
}

outcome<shared_key> choose_key(const table_description& original, const table_description& ghost,
                               const std::vector<mapped_column>& mapped, const mapping_options& options) {
    objections against(original);
    std::optional<shared_key> best;
    for (const auto* key : candidates_of(original)) {
        auto why = object_to_key(original, *key, options);
        if (!why) why = object_to_change(original, ghost, *key, mapped);
        const auto* unique = why ? nullptr : counterpart(ghost, *key, mapped);
        const auto* ghost_key = why || unique != nullptr ? unique : leading_index(original, ghost, *key, mapped);
        if (!why && ghost_key == nullptr) {
            why = objection{"no_shared_unique_key",
                            "after the ALTER no visible unique key is on its columns, and no index begins with them"};
        }
        if (why) {
            against.add(*key, *why);
            continue;
        }
        auto made = make_key(original, ghost, *key, *ghost_key, unique != nullptr, mapped);
        const bool better = !best || handicap(original, ghost, made) < handicap(original, ghost, *best);
        if (better) best = std::move(made);
    }
    if (best) return *std::move(best);
    return against.to_failure();
}

/// Columns of the original that the ghost has as well, in the original's order.
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
        mapped.push_back({i, column.name, after->name});
    }
    return mapped;
}

/// Columns of the ghost that are no column's counterpart.
std::vector<std::string> added_columns(const table_description& ghost, const std::vector<mapped_column>& mapped) {
    std::set<std::string> filled;
    for (const auto& one : mapped) filled.insert(one.ghost);
    std::vector<std::string> added;
    for (const auto& column : ghost.columns) {
        if (!column.generated && !filled.contains(column.name)) added.push_back(column.name);
    }
    return added;
}

}  // namespace

outcome<column_mapping> map_columns(const table_description& original, const table_description& ghost,
                                    const sql::alter_statement& alter, const mapping_options& options) {
    SLUICE_TRY(const auto mapped, map_by_name(original, ghost, alter));
    column_mapping mapping;
    mapping.added = added_columns(ghost, mapped);
    SLUICE_TRY(mapping.key, choose_key(original, ghost, mapped, options));
    for (const auto& one : mapped) {
        // What the ghost generates cannot be written.
        if (!ghost.find_column(one.ghost)->generated) mapping.copied.push_back(one);
    }
    return mapping;
}

outcome<column_mapping> map_columns_back(const table_description& now, const table_description& old,
                                         const sql::alter_statement& alter, const mapping_options& options) {
    SLUICE_TRY(const auto forward, map_by_name(old, now, alter));
    std::vector<mapped_column> mapped;
    for (std::size_t i = 0; i < now.columns.size(); ++i) {
        const auto pair = std::ranges::find(forward, now.columns[i].name, &mapped_column::ghost);
        if (pair != forward.end()) mapped.push_back({i, now.columns[i].name, pair->original});
    }
    column_mapping mapping;
    mapping.added = added_columns(old, mapped);
    SLUICE_TRY(mapping.key, choose_key(now, old, mapped, options));
    for (const auto& one : mapped) {
        if (!old.find_column(one.ghost)->generated) mapping.copied.push_back(one);
    }
    return mapping;
}

outcome<void> require_usable_key(const table_description& original, const mapping_options& options) {
    objections against(original);
    for (const auto* key : candidates_of(original)) {
        const auto why = object_to_key(original, *key, options);
        if (!why) return {};
        against.add(*key, *why);
    }
    return against.to_failure();
}

std::string describe(const shared_key& key) {
    std::string text = key.original_index + " (";
    for (std::size_t i = 0; i < key.columns.size(); ++i) text += (i == 0 ? "" : ", ") + key.columns[i].original;
    text += ')';
    if (!key.enforced) return text + ", not unique in the new table, index " + key.ghost_index;
    if (key.ghost_index != key.original_index) text += ", in the new table " + key.ghost_index;
    return text;
}

}  // namespace sluice::migration
