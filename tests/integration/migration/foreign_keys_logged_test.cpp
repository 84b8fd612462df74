// Servers where InnoDB changes rows by foreign keys without a trace in the binary log.

#include "tests/integration/migration/foreign_key_family.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

TEST_CASE("servers that cascade without a trace carry over keys that do not, and refuse those that do") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(throwaway::to_string(kind));
    auto& server = relations_server(kind);
    auto root = emptied_schemas(server);
    auto spec = relations_spec("t", "ADD COLUMN extra INT NOT NULL DEFAULT 3");
    spec.options.keep_foreign_keys = true;
    SECTION("kept") {
        make_family(root, "");
        const bool has_tree = kind == server_kind::mariadb_10_11;
        if (!has_tree) {
            check_refused(server, spec, "foreign_keys", {"`_t_tree`", "refers to its own table"});
            root.exec("ALTER TABLE t DROP FOREIGN KEY _t_tree");
        }
        const auto ended = migrated_under_writes(server, spec, false);
        INFO(error_text(*ended));
        REQUIRE(ended->state == migration_state::completed);
        check_equal_to_mirror(root);
        // The live table is not locked any more when the old one gives its names up.
        CHECK_THAT(keys_like(root, "t"), Catch::Matchers::Contains("_t_to_p t p -> p id") &&
                                             Catch::Matchers::Contains("t_ibfk_1 t qa -> q a"));
        CHECK((keys_like(root, "t").find("t_tree t up -> t id") != std::string::npos) == has_tree);
        CHECK(keys_like(root, "_t_del").empty());
        CHECK(root.error_of("INSERT INTO t (id, p) VALUES (-1, -77)") == 1452);
        CHECK(root.error_of("INSERT INTO t (id, up) VALUES (-1, -77)") == (has_tree ? 1452U : 0U));
    }
    SECTION("cascades") {
        make_family(root, "ON UPDATE CASCADE");
        check_refused(server, spec, "foreign_key_cascades",
                      {"`t_to_p` (`test`.`t` to `test`.`p`, ON UPDATE CASCADE)", "`_t_tree`", "ON DELETE SET NULL"});
        spec.options.keep_foreign_keys = false;
        spec.options.discard_foreign_keys = true;
        check_refused(server, spec, "foreign_key_cascades", {"`t_to_p`"});
    }
    SECTION("keys of other tables, whose names are encoded in the server's list") {
        root.exec("CREATE TABLE `t` (id INT PRIMARY KEY)");
        root.exec(
            "CREATE TABLE other.`c é-1` (id INT PRIMARY KEY, CONSTRAINT `k é` FOREIGN KEY (id) REFERENCES test.t "
            "(id))");
        spec.options.rebuild_referencing_keys = true;
        check_refused(server, spec, "referencing_foreign_keys",
                      {"`k é` (`other`.`c é-1` to `test`.`t`)", "LOCK TABLES"});
    }
}

TEST_CASE("cascades are refused on 9.7 where InnoDB carries them out by itself") {
    server_options options;
    options.extra_arguments = {"--innodb-native-foreign-keys=ON"};
    auto server = mysql_server::start(options);
    auto root = emptied_schemas(server);
    make_family(root, "ON DELETE CASCADE");
    auto spec = relations_spec("t", "ADD COLUMN extra INT");
    spec.options.keep_foreign_keys = true;
    check_refused(server, spec, "foreign_key_cascades", {"`t_to_p`", "innodb_native_foreign_keys"});
}
