// Row images as the servers write them under the different settings.

#include "tests/unit/binlog/fixture.hpp"

#include "tests/support/catch.hpp"

#include "protocol/binlog/value/key_value.hpp"

namespace sluice::binlog::test {

namespace {

/// "id=1 a=NULL b=? …" with one letter per column; ? is a column that the image does not hold, # a JSON diff.
std::string as_text(const rows_event& event, const row_image& image, std::string_view names) {
    std::string text;
    for (std::size_t i = 0; i < image.size(); ++i) {
        if (i > 0) text += ' ';
        text += names[i];
        text += '=';
        const auto& cell = image[i];
        if (cell.state == cell_state::missing) {
            text += '?';
        } else if (cell.state == cell_state::null) {
            text += "NULL";
        } else if (cell.state == cell_state::partial_json) {
            text += '#';
        } else if (event.table->columns[i].type.type == field_type::json) {
            text += "json";
        } else {
            const auto value = decode_key_value(event.table->columns[i].type, cell.bytes);
            REQUIRE(value);
            text += value->kind == key_kind::bytes ? value->text() : std::to_string(value->signed_integer());
        }
    }
    return text;
}

/// One line per row of the log: "update <before> -> <after>".
std::vector<std::string> rows_as_text(const recorded_log& log, std::string_view names) {
    std::vector<std::string> lines;
    for_each_row(log, [&](const decoded_event&, const rows_event& rows, const row_cursor& cursor) {
        CHECK(cursor.before().exists() == (rows.kind != rows_kind::write));
        CHECK(cursor.after().exists() == (rows.kind != rows_kind::remove));
        std::string line = rows.kind == rows_kind::write    ? "write "
                           : rows.kind == rows_kind::update ? "update "
                                                            : "remove ";
        if (cursor.before().exists()) line += as_text(rows, cursor.before(), names);
        if (rows.kind == rows_kind::update) line += " -> ";
        if (cursor.after().exists()) line += as_text(rows, cursor.after(), names);
        lines.push_back(line);
    });
    return lines;
}

const std::vector<std::string> images_full{
    "write i=1 a=1 b=one c=NULL d=4",
    "write i=2 a=2 b=NULL c=NULL d=4",
    "write i=3 a=3 b=three c=NULL d=4",
    "update i=2 a=2 b=NULL c=NULL d=4 -> i=2 a=12 b=NULL c=NULL d=4",
    "update i=2 a=12 b=NULL c=NULL d=4 -> i=2 a=12 b=two c=NULL d=7",
    "update i=3 a=3 b=three c=NULL d=4 -> i=103 a=3 b=three c=blob d=4",
    "remove i=1 a=1 b=one c=NULL d=4",
    "remove i=2 a=12 b=two c=NULL d=7",
    "remove i=103 a=3 b=three c=blob d=4",
};

const std::vector<std::string> images_minimal{
    "write i=104 a=1 b=one c=? d=?",
    "write i=105 a=2 b=NULL c=? d=?",
    "write i=106 a=3 b=three c=? d=?",
    "update i=105 a=? b=? c=? d=? -> i=? a=12 b=? c=? d=?",
    "update i=105 a=? b=? c=? d=? -> i=? a=? b=two c=? d=7",
    "update i=106 a=? b=? c=? d=? -> i=206 a=? b=? c=blob d=?",
    "remove i=104 a=? b=? c=? d=?",
    "remove i=105 a=? b=? c=? d=?",
    "remove i=206 a=? b=? c=? d=?",
};

const std::vector<std::string> images_noblob{
    "write i=207 a=1 b=one c=? d=4",
    "write i=208 a=2 b=NULL c=? d=4",
    "write i=209 a=3 b=three c=? d=4",
    "update i=208 a=2 b=NULL c=? d=4 -> i=208 a=12 b=NULL c=? d=4",
    "update i=208 a=12 b=NULL c=? d=4 -> i=208 a=12 b=two c=? d=7",
    "update i=209 a=3 b=three c=? d=4 -> i=309 a=3 b=three c=blob d=4",
    "remove i=207 a=1 b=one c=? d=4",
    "remove i=208 a=12 b=two c=? d=7",
    "remove i=309 a=3 b=three c=? d=4",
};

}  // namespace

TEST_CASE("full, minimal and NOBLOB row images", "[binlog]") {
    for (const auto* name : {"mysql97/images", "mysql56/images", "mariadb1011/images"}) {
        INFO(name);
        const auto lines = rows_as_text(load_recorded_log(name), "iabcd");
        REQUIRE(lines.size() == 27);
        CHECK(std::vector(lines.begin(), lines.begin() + 9) == images_full);
        // The ids of the later rounds differ with how the server counts; what is in the images does not.
        const auto without_ids = [](std::vector<std::string> some) {
            for (auto& line : some) {
                for (auto at = line.find("i="); at != std::string::npos; at = line.find("i=", at + 2)) {
                    const auto end = line.find(' ', at);
                    if (line[at + 2] != '?') line.replace(at + 2, end - at - 2, "#");
                }
            }
            return some;
        };
        CHECK(without_ids({lines.begin() + 9, lines.begin() + 18}) == without_ids(images_minimal));
        CHECK(without_ids({lines.begin() + 18, lines.end()}) == without_ids(images_noblob));
    }
}

// A JSON column that does not change has an empty diff.
TEST_CASE("partial JSON updates", "[binlog]") {
    const auto lines = rows_as_text(load_recorded_log("mysql97/json"), "iabct");
    CHECK(lines == std::vector<std::string>{
                       "write i=1 a=json b=json c=3 t=7",
                       "update i=1 a=json b=json c=3 t=7 -> i=1 a=# b=# c=4 t=7",
                       "update i=1 a=json b=json c=4 t=7 -> i=1 a=# b=# c=4 t=7",
                       "update i=1 a=json b=json c=4 t=7 -> i=1 a=# b=# c=9 t=7",
                       "update i=1 a=? b=? c=? t=? -> i=? a=? b=# c=5 t=?",
                       "update i=1 a=? b=? c=? t=? -> i=? a=json b=# c=? t=?",
                   });
}

TEST_CASE("cells of every other type are stepped over", "[binlog]") {
    struct {
        const char* log;
        std::size_t columns;
    } const table[] = {{"mysql97/other_types", 15}, {"mysql56/other_types", 10}, {"mariadb1011/other_types", 14}};
    for (const auto& row : table) {
        INFO(row.log);
        const auto log = load_recorded_log(row.log);
        std::size_t images = 0;
        const auto check = [&](const rows_event& event, const row_image& image) {
            if (!image.exists()) return;
            ++images;
            CHECK(image.size() == row.columns);
            const auto last = image.size() - 1;
            const auto tail = decode_key_value({field_type::long_int, 0}, image[last].bytes);
            REQUIRE(tail);
            CHECK(tail->signed_integer() == 0x5A5A5A5A);
            for (std::size_t i = 1; i < last; ++i) {
                const bool is_null_row = image[1].state == cell_state::null;
                const auto type = event.table->columns[i].type.type;
                INFO("column " << i << " of type " << field_type_name(type));
                if (!is_null_row) {
                    CHECK(image[i].state == cell_state::value);
                } else if (type != field_type::long_int) {  // generated columns are never NULL here
                    CHECK(image[i].state == cell_state::null);
                }
            }
        };
        for_each_row(log, [&](const decoded_event&, const rows_event& rows, const row_cursor& cursor) {
            check(rows, cursor.before());
            check(rows, cursor.after());
        });
        CHECK(images == 6);
    }
}

namespace {

table_map two_columns() {
    table_map map;
    map.schema = "s";
    map.table = "t";
    map.columns = {{{field_type::long_int, 0}, {4, 0}, false, true}, {{field_type::varchar, 20}, {0, 1}, true, true}};
    return map;
}

decode_result<std::size_t> count_rows(event_type type, const byte_buffer& body) {
    SLUICE_TRY(const auto event, rows_event::decode(type, body, std::make_shared<const table_map>(two_columns())));
    auto cursor = event.rows();
    std::size_t count = 0;
    while (true) {
        SLUICE_TRY(const bool has_row, cursor.next());
        if (!has_row) return count;
        ++count;
    }
}

}  // namespace

TEST_CASE("rows events by hand", "[binlog]") {
    using e = event_type;
    const auto ok = [](std::size_t count) { return std::optional<std::size_t>(count); };
    struct {
        const char* what;
        event_type type;
        byte_buffer body;
        std::optional<std::size_t> rows;  // nothing: an error
    } const table[] = {
        {"v1, one row", e::write_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 3, 0, 7, 0, 0, 0, 1, 'x'}), ok(1)},
        {"v2, two rows", e::write_rows,
         bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 3, 2, 7, 0, 0, 0, 0, 8, 0, 0, 0, 1, 'x'}), ok(2)},
        {"v2, extra data", e::delete_rows, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 5, 0, 9, 9, 9, 2, 3, 2, 7, 0, 0, 0}),
         ok(1)},
        {"extra data under its own size", e::write_rows, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 3}), std::nullopt},
        {"extra data past the end", e::write_rows, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 99, 0, 2, 3}), std::nullopt},
        {"three columns", e::write_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 3, 7, 0}), std::nullopt},
        {"columns without end", e::write_rows_v1,
         bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0}), std::nullopt},
        {"no rows", e::write_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 3}), ok(0)},
        {"one row of no columns", e::write_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 0}), ok(1)},
        {"no columns but bytes", e::write_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1}), std::nullopt},
        {"update without its second bitmap", e::update_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 3}), std::nullopt},
        {"update without its after image", e::update_rows_v1,
         bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 1, 1, 0, 7, 0, 0, 0}), std::nullopt},
        {"update", e::update_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 1, 3, 0, 7, 0, 0, 0, 2, 8, 0, 0, 0}), ok(1)},
        {"text past the end", e::write_rows_v1, bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 3, 0, 7, 0, 0, 0, 9, 'x'}),
         std::nullopt},
        {"options of the future", e::partial_update_rows,
         bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 1, 1, 0, 7, 0, 0, 0, 2, 0, 7, 0, 0, 0}), std::nullopt},
        {"partial update without diffs", e::partial_update_rows,
         bytes_of({1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 1, 1, 0, 7, 0, 0, 0, 0, 0, 7, 0, 0, 0}), ok(1)},
    };
    for (const auto& row : table) {
        INFO(row.what);
        const auto count = count_rows(row.type, row.body);
        if (row.rows) {
            REQUIRE(count);
            CHECK(*count == *row.rows);
        } else {
            CHECK(count.has_error());
        }
    }
}

}  // namespace sluice::binlog::test
