#include "tests/integration/random_seeds/random_alter.hpp"

#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sluice::test {
namespace {

using migration::quote_identifier;

bool has_text(const column_type& type) {
    return type.kind == value_kind::text || type.kind == value_kind::member || type.kind == value_kind::members;
}

// Draws clause by clause; a column or index is the subject of one clause only.
class drawing {
public:
    drawing(const random_table& table, dice& dice) : table_(table), dice_(dice) {}

    random_alter draw() {
        struct weighted {
            unsigned weight;
            std::string (drawing::*clause)();
        };
        static constexpr std::array clauses{
            weighted{16, &drawing::add_column},   weighted{5, &drawing::add_generated},
            weighted{8, &drawing::drop_column},   weighted{30, &drawing::change_data},
            weighted{6, &drawing::widen_anchor},  weighted{5, &drawing::change_unique},
            weighted{8, &drawing::rename_column}, weighted{2, &drawing::swap_names},
            weighted{6, &drawing::alter_default}, weighted{10, &drawing::add_index},
            weighted{6, &drawing::add_unique},    weighted{6, &drawing::drop_index},
            weighted{3, &drawing::rename_index},  weighted{3, &drawing::index_visibility},
            weighted{3, &drawing::primary_key},   weighted{4, &drawing::convert_charset},
            weighted{8, &drawing::table_option},  weighted{3, &drawing::partitions},
            weighted{3, &drawing::add_check},     weighted{5, &drawing::change_generated},
        };
        unsigned sum = 0;
        for (const auto& one : clauses) sum += one.weight;
        const auto wanted = dice_.between(1, 4);
        for (std::size_t tries = 0, made = 0; made < wanted && tries < 40; ++tries) {
            auto point = static_cast<unsigned>(dice_.below(sum));
            const auto* chosen = clauses.data();
            while (point >= chosen->weight) point -= (chosen++)->weight;
            const std::string clause = (this->*chosen->clause)();
            if (clause.empty()) continue;
            result_.text += (result_.text.empty() ? "" : ", ") + clause;
            ++made;
        }
        // Partition clauses stand behind all others, without a comma.
        result_.text += partitions_.empty() ? "" : (result_.text.empty() ? "" : " ") + partitions_;
        if (result_.text.empty()) result_.text = "FORCE";
        return std::move(result_);
    }

private:
    [[nodiscard]] bool old() const { return table_.server == server_kind::mysql_5_6; }
    [[nodiscard]] bool new_mysql() const { return table_.server == server_kind::mysql_9_7; }
    [[nodiscard]] const table_column& column(std::size_t n) const { return table_.columns[n]; }

    // Any column that `fits` and is not yet the subject of a clause; the number of columns when there is none.
    std::size_t take(const std::function<bool(std::size_t)>& fits) {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < table_.columns.size(); ++i) {
            if (!touched_.contains(i) && fits(i)) found.push_back(i);
        }
        if (found.empty()) return table_.columns.size();
        const auto chosen = dice_.pick(found);
        touched_.insert(chosen);
        return chosen;
    }
    std::size_t take_data() {
        return take([&](std::size_t n) {
            return !table_.in_unique_key(n) && column(n).generated.empty() && !column(n).sets_itself;
        });
    }
    [[nodiscard]] bool none(std::size_t n) const { return n == table_.columns.size(); }

    std::string new_name() {
        static const std::vector<std::string> names{"added", "Added col", "select", "ädded"};
        return dice_.pick(names) + std::to_string(++names_);
    }

    std::string place() {
        if (dice_.percent(70)) return {};
        if (dice_.percent(30)) return " FIRST";
        const auto n = dice_.below(table_.columns.size());
        // A column whose name may be another one by now cannot be named.
        if (touched_.contains(n)) return {};
        touched_.insert(n);
        return " AFTER " + quote_identifier(column(n).name);
    }

    std::string add_column() {
        auto added = draw_column(table_.server, new_name(), dice_);
        const bool has_none = added.default_literal.empty();
        const bool dated = added.type.kind == value_kind::date || added.type.kind == value_kind::datetime;
        // Rows that are there get the type's own default, which of dates is the sql_mode's affair; a few have none.
        if (has_none && (added.type.is_lob || dated || dice_.percent(50))) added.nullable = true;
        if (has_none && new_mysql() && dice_.percent(30)) {
            added.default_literal = "(" + value_pool(added.type, table_.server, dice_).front() + ")";
        }
        return (dice_.percent(50) ? "ADD COLUMN " : "ADD ") + added.definition() + place();
    }

    std::string add_generated() {
        const auto added = draw_generated(table_, new_name(), dice_);
        // The expression names a column that must not become another.
        return added ? "ADD COLUMN " + added->definition() + place() : std::string();
    }

    std::string drop_column() {
        const auto n = take([&](std::size_t i) { return !table_.in_unique_key(i); });
        if (none(n)) return {};
        const std::string name = quote_identifier(column(n).name);
        if (dice_.percent(25)) {
            auto again = draw_column(table_.server, column(n).name, dice_);
            again.nullable = again.nullable || again.default_literal.empty();
            return "DROP COLUMN " + name + ", ADD COLUMN " + again.definition();
        }
        return "DROP COLUMN " + name;
    }

    std::string modify(std::size_t n, const table_column& after) {
        if (after.shape() != column(n).shape()) result_.changed.push_back({n, "MODIFY v " + after.shape()});
        const std::string where = place();
        if (after.name == column(n).name && dice_.percent(60)) return "MODIFY COLUMN " + after.definition() + where;
        return "CHANGE COLUMN " + quote_identifier(column(n).name) + " " + after.definition() + where;
    }

    std::string change_data() {
        const auto n = take_data();
        if (none(n)) return {};
        auto after = column(n);
        if (dice_.percent(75)) after.type = changed_type(after.type, table_.server, dice_);
        if (dice_.percent(25)) after.nullable = !after.nullable;
        if (after.type.kind == value_kind::timestamp) after.nullable = true;
        after.attributes = dice_.percent(20) ? "COMMENT 'changed'" : "";
        after.default_literal.clear();
        if (!after.type.is_lob && after.type.kind != value_kind::uuid && after.type.kind != value_kind::inet6 &&
            dice_.percent(40)) {
            after.default_literal = value_pool(after.type, table_.server, dice_).front();
        }
        if (dice_.percent(20)) after.name = new_name();
        return modify(n, after);
    }

    std::string widen_anchor() {
        const auto n = take([&](std::size_t i) { return table_.in_anchor(i); });
        if (none(n)) return {};
        auto after = column(n);
        after.type = wider(after.type, dice_);
        if (dice_.percent(30)) after.name = new_name();
        return modify(n, after);
    }

    std::string change_unique() {
        const auto n = take([&](std::size_t i) { return table_.in_unique_key(i) && !table_.in_anchor(i); });
        if (none(n)) return {};
        auto after = column(n);
        const bool has_fraction = after.type.scale > 0 && after.type.kind == value_kind::datetime;
        if (has_fraction && dice_.percent(50)) {
            // Rounded values may meet.
            after.type.sql = "DATETIME";
            after.type.scale = 0;
            result_.distinct.insert(n);
        } else if (after.type.kind == value_kind::text && dice_.percent(70)) {
            const auto other = changed_type(after.type, table_.server, dice_);
            if (other.kind != value_kind::text) return {};
            after.type = text_type(std::max(after.type.size, 40U), other.charset, other.collation);
            result_.distinct.insert(n);
        } else {
            after.type = wider(after.type, dice_);
        }
        return modify(n, after);
    }

    std::string rename_column() {
        const auto n = take([&](std::size_t i) { return column(i).generated.empty(); });
        if (none(n)) return {};
        // Another letter case is another spelling of the same name.
        std::string name = new_name();
        if (dice_.percent(20) && column(n).name[0] == 'c') name = "C" + column(n).name.substr(1);
        if (!old() && dice_.percent(70)) {
            return "RENAME COLUMN " + quote_identifier(column(n).name) + " TO " + quote_identifier(name);
        }
        auto after = column(n);
        after.name = name;
        return "CHANGE " + quote_identifier(column(n).name) + " " + after.definition();
    }

    std::string swap_names() {
        if (old()) return {};
        const auto plain = [&](std::size_t i) { return column(i).generated.empty() && !table_.in_unique_key(i); };
        const auto a = take(plain), b = none(a) ? a : take(plain);
        if (none(b)) return {};
        const std::string first = quote_identifier(column(a).name), second = quote_identifier(column(b).name);
        return "RENAME COLUMN " + first + " TO " + second + ", RENAME COLUMN " + second + " TO " + first;
    }

    // A stored one may become a column like others, which keeps its values; or it is computed in another way.
    std::string change_generated() {
        const auto n = take([&](std::size_t i) { return !column(i).generated.empty(); });
        if (none(n)) return {};
        auto after = column(n);
        const bool stored = after.generated.ends_with("STORED");
        if (stored && dice_.percent(50)) {
            after.generated.clear();
        } else {
            const auto other = draw_generated(table_, after.name, dice_);
            if (!other || other->generated.ends_with("STORED") != stored) return {};
            after = *other;
        }
        if (dice_.percent(30)) after.name = new_name();
        return "CHANGE COLUMN " + quote_identifier(column(n).name) + " " + after.definition();
    }

    std::string alter_default() {
        const auto n = take([&](std::size_t i) {
            return column(i).generated.empty() && !column(i).type.is_lob && !column(i).sets_itself &&
                   column(i).attributes.empty() && !table_.in_unique_key(i);
        });
        if (none(n)) return {};
        const std::string head = "ALTER COLUMN " + quote_identifier(column(n).name);
        if (new_mysql() && dice_.percent(25)) return head + " SET INVISIBLE";
        if (dice_.percent(40)) return head + " DROP DEFAULT";
        return head + " SET DEFAULT " + value_pool(column(n).type, table_.server, dice_).front();
    }

    std::string add_index() {
        const auto n = dice_.below(table_.columns.size());
        if (touched_.contains(n)) return {};
        const std::string name = quote_identifier("added_key" + std::to_string(++names_));
        const auto& one = column(n);
        if (new_mysql() && one.type.kind == value_kind::integer && dice_.percent(25)) {
            touched_.insert(n);
            return "ADD INDEX " + name + " ((" + quote_identifier(one.name) + " % 10))";
        }
        if (one.type.kind == value_kind::text && one.generated.empty() && dice_.percent(12)) {
            touched_.insert(n);
            return "ADD FULLTEXT INDEX " + name + " (" + quote_identifier(one.name) + ")";
        }
        const auto part = key_part_of(table_, n, dice_);
        if (part.empty()) return {};
        touched_.insert(n);
        return "ADD INDEX " + name + " (" + part + ")" + (new_mysql() && dice_.percent(15) ? " INVISIBLE" : "");
    }

    std::string add_unique() {
        const auto n = take([&](std::size_t i) {
            return !table_.in_unique_key(i) && column(i).generated.empty() && !column(i).sets_itself &&
                   key_values(column(i).type) >= 400'000 && !column(i).type.is_lob;
        });
        if (none(n)) return {};
        result_.distinct.insert(n);
        return "ADD UNIQUE KEY " + quote_identifier("added_unique" + std::to_string(++names_)) + " (" +
               quote_identifier(column(n).name) + ")";
    }

    const table_index* take_index(bool may_be_unique) {
        std::vector<const table_index*> found;
        for (const auto& index : table_.indexes) {
            const bool is_anchor = index.columns == table_.anchor || index.name == "u_anchor";
            if (index.name == "PRIMARY" || is_anchor || indexes_.contains(index.name)) continue;
            if (may_be_unique || !index.unique) found.push_back(&index);
        }
        if (found.empty()) return nullptr;
        const auto* chosen = dice_.pick(found);
        indexes_.insert(chosen->name);
        return chosen;
    }

    std::string drop_index() {
        const auto* index = take_index(true);
        return index == nullptr ? std::string() : "DROP INDEX " + quote_identifier(index->name);
    }

    std::string rename_index() {
        if (old()) return {};
        const auto* index = take_index(true);
        if (index == nullptr) return {};
        return "RENAME INDEX " + quote_identifier(index->name) + " TO " +
               quote_identifier("renamed_key" + std::to_string(++names_));
    }

    std::string index_visibility() {
        if (old()) return {};
        const auto* index = take_index(true);
        if (index == nullptr) return {};
        return "ALTER INDEX " + quote_identifier(index->name) + (new_mysql() ? " INVISIBLE" : " IGNORED");
    }

    // The anchor gives up its place as primary key to another unique column, or takes it.
    std::string primary_key() {
        const auto named = [&](const char* name) {
            return std::ranges::find(table_.indexes, name, &table_index::name);
        };
        const auto primary = named("PRIMARY");
        if (!indexes_.insert("PRIMARY").second) return {};
        std::string columns;
        for (const auto n : table_.anchor) {
            if (!touched_.insert(n).second) return {};
            columns += (columns.empty() ? "" : ", ") + quote_identifier(column(n).name);
        }
        if (primary == table_.indexes.end()) return "ADD PRIMARY KEY (" + columns + ")";
        if (named("u_anchor") != table_.indexes.end()) {
            if (dice_.percent(50)) return "DROP PRIMARY KEY";
            return "DROP PRIMARY KEY, ADD PRIMARY KEY (" + columns + ")";
        }
        return "DROP PRIMARY KEY, ADD UNIQUE KEY was_primary (" + columns + ")";
    }

    std::string convert_charset() {
        static const std::vector<std::string> charsets{"utf8mb4", "utf8mb4", "latin1", "utf16"};
        if (!touched_.empty()) return {};
        for (const auto n : table_.anchor) {
            if (has_text(column(n).type)) return {};
        }
        const std::string clause = "CONVERT TO CHARACTER SET " + dice_.pick(charsets);
        for (std::size_t n = 0; n < table_.columns.size(); ++n) {
            if (!has_text(column(n).type)) continue;
            touched_.insert(n);
            if (!column(n).generated.empty()) continue;
            result_.changed.push_back({n, clause});
            if (table_.in_unique_key(n)) result_.distinct.insert(n);
        }
        options_ = true;
        return clause;
    }

    std::string table_option() {
        if (options_) return {};
        options_ = true;
        switch (dice_.below(7)) {
            case 0: return "COMMENT = 'rename to other, drop column c1'";
            case 1: return "ENGINE = InnoDB";
            case 2: return "AUTO_INCREMENT = 70000";
            case 3: return "DEFAULT CHARACTER SET latin1";
            case 4: return "STATS_PERSISTENT = 1";
            case 5: return old() ? "ROW_FORMAT = COMPACT" : "ROW_FORMAT = DYNAMIC";
            default: return "FORCE";
        }
    }

    std::string partitions() {
        const bool parted = table_.options.find("PARTITION BY") != std::string::npos;
        if (!partitions_.empty() || indexes_.contains("PRIMARY") || !result_.distinct.empty()) return {};
        indexes_.insert("PRIMARY");
        if (parted && dice_.percent(50)) {
            partitions_ = "REMOVE PARTITIONING";
        } else {
            partitions_ = draw_partitions(table_, dice_);
        }
        return {};
    }

    std::string add_check() {
        if (old()) return {};
        const auto n = take_data();
        if (none(n)) return {};
        return "ADD CONSTRAINT added_check" + std::to_string(++names_) + " CHECK (" + quote_identifier(column(n).name) +
               " IS NULL OR LENGTH(" + quote_identifier(column(n).name) + ") < 1000000)";
    }

    const random_table& table_;
    dice& dice_;
    random_alter result_;
    std::string partitions_;
    std::set<std::size_t> touched_;
    std::set<std::string> indexes_;
    unsigned names_ = 0;
    bool options_ = false;
};

}  // namespace

random_alter draw_alter(const random_table& table, dice& dice) { return drawing(table, dice).draw(); }

}  // namespace sluice::test
