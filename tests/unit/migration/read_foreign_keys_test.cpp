// From where the foreign keys of a table are read: thousands of others on the server must not be felt while clients are
// held, and none may be overlooked.

#include "migration/relations/read_relations.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/migration/check_scripted_session.hpp"

#include <algorithm>

using namespace sluice;
using namespace sluice::migration;
using namespace sluice::test;

namespace {

constexpr int as_written = 0;  // lower_case_table_names
const table_name t{"s", "t"};

scripted_session& with_grant(scripted_session& session, const std::string& grant, const std::string& more = {}) {
    scripted_session::rows grants{{grant}};
    if (!more.empty()) grants.push_back({more});
    return session.when("SHOW GRANTS", {"Grants for sluice@%"}, grants);
}

/// A key of t, one of t to itself, and one of a table in another schema to t.
scripted_session& with_dictionary(scripted_session& session) {
    return session
        .when("REFERENTIAL_CONSTRAINTS",
              {"CONSTRAINT_SCHEMA", "CONSTRAINT_NAME", "TABLE_NAME", "UNIQUE_CONSTRAINT_SCHEMA",
               "REFERENCED_TABLE_NAME", "DELETE_RULE", "UPDATE_RULE", "is_child", "is_parent"},
              {{"s", "up", "t", "s", "t", "SET NULL", "RESTRICT", "1", "1"},
               {"s", "to_p", "t", "s", "p", "CASCADE", "NO ACTION", "1", "0"},
               {"other", "c_t", "c", "s", "t", "NO ACTION", "CASCADE", "0", "1"}})
        .when("TABLE_SCHEMA = 'other' AND TABLE_NAME IN ('c')",
              {"CONSTRAINT_NAME", "COLUMN_NAME", "REFERENCED_COLUMN_NAME"}, {{"c_t", "b", "id"}})
        .when("TABLE_SCHEMA = 's' AND TABLE_NAME IN ('t', 't')",
              {"CONSTRAINT_NAME", "COLUMN_NAME", "REFERENCED_COLUMN_NAME"},
              {{"another", "z", "z"}, {"to_p", "x", "a"}, {"to_p", "y", "b"}, {"up", "u", "id"}});
}

foreign_keys keys_read(scripted_session& session, unsigned version = 90700) {
    auto keys = read_foreign_keys(session, *family_of(false, version), t, as_written);
    INFO((keys.has_error() ? keys.error().message : std::string()));
    REQUIRE(keys.has_value());
    return std::move(keys).value();
}

bool asked(const scripted_session& session, std::string_view part) {
    return std::any_of(session.statements.begin(), session.statements.end(),
                       [part](const std::string& sql) { return sql.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("an account that sees every table asks MySQL 8's dictionary, by its indexes, and never the whole list") {
    scripted_session session;
    const auto keys = keys_read(with_dictionary(with_grant(session, "GRANT SELECT, PROCESS ON *.* TO `sluice`@`%`")));
    CHECK_FALSE(asked(session, "INNODB_FOREIGN"));
    CHECK(asked(session, "WHERE CONSTRAINT_SCHEMA = 's' AND TABLE_NAME = 't'"));
    // The index begins with the catalog.
    CHECK(
        asked(session,
              "UNIQUE_CONSTRAINT_CATALOG = 'def' AND UNIQUE_CONSTRAINT_SCHEMA = 's' AND REFERENCED_TABLE_NAME = 't'"));
    // By name, whatever order they came in.
    REQUIRE(keys.own.size() == 2);
    CHECK(keys.own[0] == foreign_key{.name = "to_p",
                                     .child = t,
                                     .parent = {"s", "p"},
                                     .child_columns = {"x", "y"},
                                     .parent_columns = {"a", "b"},
                                     .rules = delete_cascade | update_no_action});
    CHECK(keys.own[1] == foreign_key{.name = "up",
                                     .child = t,
                                     .parent = t,
                                     .child_columns = {"u"},
                                     .parent_columns = {"id"},
                                     .rules = delete_set_null});
    REQUIRE(keys.referencing.size() == 1);
    CHECK(keys.referencing[0] == foreign_key{.name = "c_t",
                                             .child = {"other", "c"},
                                             .parent = t,
                                             .child_columns = {"b"},
                                             .parent_columns = {"id"},
                                             .rules = delete_no_action | update_cascade});
}

TEST_CASE("a table without keys costs one question to the dictionary") {
    scripted_session session;
    with_grant(session, "GRANT ALL PRIVILEGES ON *.* TO `sluice`@`%`");
    CHECK(keys_read(session).empty());
    CHECK(session.statements.size() == 2);
}

TEST_CASE("whoever does not see every table reads the whole list, and so does everybody on older servers") {
    const std::string global = "GRANT SELECT, PROCESS ON *.* TO `sluice`@`%`";
    struct {
        unsigned version;
        std::string grant;
        std::string more;
        const char* view;
    } const cases[]{
        {90700, "GRANT PROCESS ON *.* TO `sluice`@`%`", "GRANT SELECT ON `s`.* TO `sluice`@`%`", "INNODB_FOREIGN"},
        {90700, global, "REVOKE SELECT ON `hidden`.* FROM `sluice`@`%`", "INNODB_FOREIGN"},
        {50624, global, "", "INNODB_SYS_FOREIGN"},
    };
    for (const auto& one : cases) {
        INFO(one.version << ": " << one.grant << "; " << one.more);
        scripted_session session;
        with_grant(session, one.grant, one.more)
            .when("HEX(CONVERT(_utf8 0x73 ", {"name"}, {{"73"}})
            .when("HEX(CONVERT(_utf8 0x74 ", {"name"}, {{"74"}})
            .when("_COLS", {"ID", "FOR_COL_NAME", "REF_COL_NAME"},
                  {{"other/c_t", "b", "id"}, {"s/to_p", "x", "a"}, {"s/TO_P", "no", "no"}, {"s/to_p", "y", "b"}})
            .when(one.view, {"ID", "FOR_NAME", "REF_NAME", "TYPE", "is_child", "is_parent"},
                  {{"s/to_p", "s/t", "s/p", "33", "1", "0"}, {"other/c_t", "other/c", "s/t", "20", "0", "1"}});
        const auto keys = keys_read(session, one.version);
        CHECK_FALSE(asked(session, "REFERENTIAL_CONSTRAINTS"));
        REQUIRE(keys.own.size() == 1);
        CHECK(keys.own[0].name == "to_p");
        CHECK(keys.own[0].parent == table_name{"s", "p"});
        CHECK(keys.own[0].child_columns == std::vector<std::string>{"x", "y"});
        CHECK(keys.own[0].rules == (delete_cascade | update_no_action));
        REQUIRE(keys.referencing.size() == 1);
        CHECK(keys.referencing[0].child == table_name{"other", "c"});
        CHECK(keys.referencing[0].name == "c_t");
    }
}

TEST_CASE("a key that is dropped between the questions is none") {
    scripted_session session;
    with_grant(session, "GRANT SELECT ON *.* TO `sluice`@`%`")
        .when("REFERENTIAL_CONSTRAINTS",
              {"CONSTRAINT_SCHEMA", "CONSTRAINT_NAME", "TABLE_NAME", "UNIQUE_CONSTRAINT_SCHEMA",
               "REFERENCED_TABLE_NAME", "DELETE_RULE", "UPDATE_RULE", "is_child", "is_parent"},
              {{"s", "c_t", "c", "s", "t", "NO ACTION", "NO ACTION", "0", "1"}});
    CHECK(keys_read(session).empty());
}
