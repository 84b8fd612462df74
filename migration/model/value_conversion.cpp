#include "migration/model/value_conversion.hpp"

#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

template <class... Names>
bool is_one_of(std::string_view type, Names... names) {
    return ((type == names) || ...);
}

bool is_integer(std::string_view t) { return is_one_of(t, "tinyint", "smallint", "mediumint", "int", "bigint"); }
bool is_approximate(std::string_view t) { return is_one_of(t, "float", "double"); }
bool is_text(std::string_view t) {
    return is_one_of(t, "char", "varchar", "tinytext", "text", "mediumtext", "longtext");
}
bool is_binary(std::string_view t) {
    return is_one_of(t, "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob");
}
bool is_dated(std::string_view t) { return is_one_of(t, "date", "datetime", "timestamp"); }
bool is_member_list(std::string_view t) { return is_one_of(t, "enum", "set"); }

/// The column itself, as pieces to build on.
expression_pieces the_column() { return {"", ""}; }

expression_pieces wrapped(std::string_view before, expression_pieces inner, std::string_view after) {
    inner.front().insert(0, before);
    inner.back().append(after);
    return inner;
}

void append(expression_pieces& pieces, std::string_view text) { pieces.back().append(text); }

void append(expression_pieces& pieces, const expression_pieces& more) {
    pieces.back().append(more.front());
    pieces.insert(pieces.end(), more.begin() + 1, more.end());
}

class converter {
public:
    converter(const column_description& before, const column_description& after, const conversion_settings& settings)
        : before_(before), after_(after), settings_(settings) {}

    outcome<expression_pieces> pieces() {
        SLUICE_TRY_VOID(refuse_what_differs());
        expression_pieces made = the_column();
        bool plain = true;
        const auto take = [&](expression_pieces expression) {
            made = std::move(expression);
            plain = false;
        };
        if (changes_zone()) {
            SLUICE_TRY_VOID(refuse_unsure_zone());
            take(before_.data_type == "timestamp" ? moment_to_wall_clock() : wall_clock_to_moment());
        } else if (wants_text_of_number()) {
            // ALTER TABLE writes the number's own text, INSERT … SELECT the text of its value as a DOUBLE.
            take(wrapped("CONCAT(", the_column(), ")"));
        } else if (shortens_blob()) {
            // MySQL 5.6 and MariaDB copy a TEXT or BLOB into a shorter type without a look at its length, strict or
            // not, and keep what the length comes to in the fewer bytes: 256 bytes become none.
            take(wrapped("CONCAT(", the_column(), ")"));
        } else if (wants_rounding()) {
            take(wrapped("ROUND(", the_column(), ")"));
        } else if (before_.data_type == "bigint" && is_integer(after_.data_type) &&
                   before_.is_unsigned != after_.is_unsigned) {
            take(wrapped("CAST(", the_column(), " AS DECIMAL(20))"));  // MySQL 5.6 would store 2^64 - 1 as -1
        } else if (before_.data_type == "date" && is_number(after_.data_type)) {
            take(wrapped("(", the_column(), " + 0)"));  // MySQL 5.6 would make a DATETIME of it first
        } else if (after_.data_type == "json" && (is_number(before_.data_type) || before_.data_type == "year")) {
            take(wrapped("CAST(CONCAT(", the_column(), ") AS JSON)"));
        } else if (settings_.text_must_be_integer && is_text(before_.data_type) && is_integer(after_.data_type)) {
            const auto remark = quote_string(" is no integer");
            take({"IF(", " REGEXP '^ *[-+]?[0-9]+ *$', ", ", CONCAT(", ", " + remark + "))"});
        }
        if (auto guard = zero_date_guard()) {
            // Text that is no date: in strict mode the server refuses it, and says which.
            expression_pieces guarded{"IF("};
            append(guarded, *guard);
            append(guarded, ", CONCAT('zero date ', ");
            append(guarded, the_column());
            append(guarded, "), ");
            append(guarded, made);
            append(guarded, ")");
            take(std::move(guarded));
        }
        return plain ? expression_pieces{} : std::move(made);
    }

private:
    static bool is_number(std::string_view t) { return is_integer(t) || is_approximate(t) || t == "decimal"; }

    [[nodiscard]] failure refuse_change(std::string_view why) const {
        return refuse("unsupported_conversion", "column " + quote_identifier(before_.name) + " changes from " +
                                                    before_.column_type + " to " + after_.column_type + ": " +
                                                    std::string(why));
    }

    [[nodiscard]] outcome<void> refuse_what_differs() const {
        const std::string_view from = before_.data_type;
        const std::string_view to = after_.data_type;
        if (from == "time" && is_dated(to)) {
            return refuse_change("the server would add the day of the conversion to each value");
        }
        const bool differs = (to == "bit" && from != "bit" && !is_number(from) && from != "year") ||
                             (from == "json" && is_one_of(to, "time", "year")) ||
                             (from == "decimal" && is_member_list(to)) ||
                             (is_approximate(from) && (to == "time" || is_member_list(to) || is_dated(to))) ||
                             (from == "year" && is_dated(to)) || (is_dated(from) && to == "year");
        if (differs) {
            return refuse_change(
                "a copy of the rows would not convert each value as ALTER TABLE does; add a new column and fill it "
                "by an UPDATE instead");
        }
        return {};
    }

    [[nodiscard]] bool changes_zone() const {
        return settings_.time_zone != "+00:00" &&
               (before_.data_type == "timestamp") != (after_.data_type == "timestamp");
    }

    [[nodiscard]] outcome<void> refuse_unsure_zone() const {
        if (before_.data_type == "timestamp" || is_one_of(before_.data_type, "datetime", "date")) return {};
        return refuse_change(
            "the moments depend on a time zone, which such values can be read in only if the option time_zone is "
            "+00:00; change to DATETIME first");
    }

    [[nodiscard]] std::string zone() const { return quote_string(settings_.time_zone); }

    /// CONVERT_TZ() makes NULL of a zero date, which stays one.
    [[nodiscard]] expression_pieces moment_to_wall_clock() const {
        return {"IF(", " = 0, ", ", CONVERT_TZ(", ", '+00:00', " + zone() + "))"};
    }

    /// A wall-clock time that the zone skips, or a moment out of range, is an error in ALTER TABLE; CONVERT_TZ() moves
    /// the one and leaves the other as it is. So what comes back from the moment must be what went in.
    [[nodiscard]] expression_pieces wall_clock_to_moment() const {
        const std::string as = " AS DATETIME(" + std::to_string(after_.fraction_digits) + "))";
        const std::string to = as + ", " + zone() + ", '+00:00')";
        return {"IF(",
                " = 0, ",
                ", IF(CONVERT_TZ(CONVERT_TZ(CAST(",
                to + ", '+00:00', " + zone() + ") = CAST(",
                as + ", CONVERT_TZ(CAST(",
                to + ", CONCAT(",
                ", " + quote_string(" is no time of zone " + settings_.time_zone) + ")))"};
    }

    [[nodiscard]] bool wants_text_of_number() const {
        const std::string_view to = after_.data_type;
        if (is_approximate(before_.data_type)) return is_text(to) || is_binary(to);
        return before_.data_type == "year" && (is_text(to) || is_binary(to) || is_member_list(to));
    }

    [[nodiscard]] bool shortens_blob() const {
        const auto is_blob = [](std::string_view t) {
            return is_one_of(t, "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob",
                             "longblob");
        };
        return is_blob(before_.data_type) && is_blob(after_.data_type) &&
               after_.octet_length_max < before_.octet_length_max;
    }

    [[nodiscard]] bool wants_rounding() const {
        if (settings_.rounds_before_sign && before_.data_type == "decimal" && is_integer(after_.data_type) &&
            after_.is_unsigned) {
            return true;
        }
        return (is_approximate(before_.data_type) || before_.data_type == "decimal") &&
               is_one_of(after_.data_type, "year", "bit");
    }

    /// nullopt where ALTER TABLE copies the bytes, or where the server's mode takes every zero date.
    [[nodiscard]] std::optional<expression_pieces> zero_date_guard() const {
        const std::string_view from = before_.data_type;
        const bool touched = from != after_.data_type || before_.fraction_digits != after_.fraction_digits;
        const bool is_exact_number = is_integer(from) || from == "decimal";  // 0 is refused in any mode
        const bool judged = is_dated(from) || is_exact_number || is_text(from);
        if (!is_dated(after_.data_type) || !touched || !judged) return std::nullopt;
        if (is_exact_number || (settings_.no_zero_in_date && settings_.no_zero_date)) {
            return expression_pieces{"MONTH(", ") = 0 OR DAYOFMONTH(", ") = 0"};
        }
        if (settings_.no_zero_in_date) {
            return expression_pieces{"YEAR(", ") <> 0 AND (MONTH(", ") = 0 OR DAYOFMONTH(", ") = 0)"};
        }
        if (settings_.no_zero_date) {
            return expression_pieces{"YEAR(", ") = 0 AND MONTH(", ") = 0 AND DAYOFMONTH(", ") = 0"};
        }
        return std::nullopt;
    }

    const column_description& before_;
    const column_description& after_;
    const conversion_settings& settings_;
};

}  // namespace

bool is_current_timestamp(const column_description& column) {
    if (!column.default_value) return false;
    const std::string_view value = *column.default_value;
    constexpr std::string_view words[]{"current_timestamp", "now"};
    return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) {
        return value.size() >= word.size() && sql::equal_ignoring_case(value.substr(0, word.size()), word) &&
               value.find_first_not_of("()0123456789", word.size()) == std::string_view::npos;
    });
}

std::string expression_of(const expression_pieces& pieces, std::string_view column) {
    if (pieces.empty()) return std::string(column);
    std::string text = pieces.front();
    for (std::size_t i = 1; i < pieces.size(); ++i) text.append(column).append(pieces[i]);
    return text;
}

outcome<expression_pieces> conversion_of(const column_description& before, const column_description& after,
                                         const conversion_settings& settings) {
    return converter(before, after, settings).pieces();
}

outcome<std::optional<std::string>> value_of_new_column(const column_description& column,
                                                        const conversion_settings& settings) {
    using constant = std::optional<std::string>;
    if (is_current_timestamp(column) && is_one_of(column.data_type, "datetime", "date") && !settings.now.empty()) {
        // The engine's sessions have a zone of their own; a DATETIME shows the wall clock of the ALTER's.
        const std::size_t digits = column.fraction_digits;
        return constant(quote_string(settings.now.substr(0, digits == 0 ? 19 : 20 + digits)));
    }
    if (column.nullable || column.generated || column.auto_increment || column.default_value) return constant();
    const std::string_view type = column.data_type;
    if (is_integer(type) || is_approximate(type) || is_one_of(type, "decimal", "bit", "year", "time", "timestamp")) {
        return constant("0");
    }
    if (is_text(type) || is_binary(type) || type == "set") return constant("''");
    if (type == "enum") return constant("1");
    if (type == "json") return constant("'null'");
    if (type == "uuid") return constant("'00000000-0000-0000-0000-000000000000'");
    if (type == "inet6") return constant("'::'");
    if (type == "inet4") return constant("'0.0.0.0'");
    if (is_one_of(type, "date", "datetime")) {
        // Where the server would refuse, an empty table may still be altered: the first row met ends the migration.
        return settings.no_zero_date ? constant("'zero date'") : constant("0");
    }
    return refuse("no_default_value", "new column " + quote_identifier(column.name) + " " + column.column_type +
                                          " is NOT NULL, and there is no value that the server would give the rows "
                                          "that exist: make it NULL, or say a DEFAULT");
}

}  // namespace sluice::migration
