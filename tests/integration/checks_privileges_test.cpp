// The privileges that the preconditions ask for, taken away one by one.

#include "tests/integration/checks_on_server.hpp"
#include "tests/support/catch.hpp"

using namespace sluice::migration;
using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("missing privileges are named, one by one as well as all together") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    const std::vector<std::string> on_schema{"SELECT", "INSERT", "UPDATE",      "DELETE", "CREATE",
                                             "DROP",   "ALTER",  "LOCK TABLES", "TRIGGER"};
    const std::vector<std::string> on_server{"PROCESS", "REPLICATION SLAVE", "REPLICATION CLIENT"};
    auto address = address_of(server);
    address.user = "narrow";
    address.password = "narrow-secret";
    const auto answer = [&] {
        const auto session = session_on(server, address);
        migration_spec spec;
        spec.table = {"test", "t"};
        return run_checks(*session, spec, sluice::sql::parse_alter(add_column).value());
    };
    const auto create = [&](const std::string& without) {
        root.exec("DROP USER IF EXISTS narrow");
        root.exec("CREATE USER narrow IDENTIFIED BY 'narrow-secret'");
        for (const auto& privilege : on_schema) {
            if (privilege != without) root.exec("GRANT " + privilege + " ON `te_t`.* TO narrow");
        }
        for (const auto& privilege : on_server) {
            if (privilege != without) root.exec("GRANT " + privilege + " ON *.* TO narrow");
        }
    };
    create("");
    CHECK(answer().has_value());
    for (const auto& privilege : on_schema) {
        CAPTURE(privilege);
        create(privilege);
        const auto refused = answer();
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == "missing_privileges");
        CHECK_THAT(refused.error().message, Contains("narrow@%") && Contains(": " + privilege + " ON `test`.*"));
    }
    for (const auto& privilege : on_server) {
        CAPTURE(privilege);
        create(privilege);
        const auto refused = answer();
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == "missing_privileges");
        CHECK_THAT(refused.error().message, Contains(": " + privilege + " ON *.*"));
    }

    root.exec("DROP USER narrow");
    root.exec("CREATE USER narrow IDENTIFIED BY 'narrow-secret'");
    const auto nothing = answer();
    REQUIRE(nothing.has_error());
    CHECK_THAT(nothing.error().message,
               Contains("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, LOCK TABLES, TRIGGER "
                        "ON `test`.* and PROCESS, REPLICATION SLAVE, REPLICATION CLIENT "
                        "ON *.*"));

    // By a role that is active, and not by one that is not.
    root.exec("DROP ROLE IF EXISTS migrator");
    root.exec("CREATE ROLE migrator");
    root.exec("GRANT ALL ON test.* TO migrator");
    root.exec("GRANT PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO migrator");
    root.exec("GRANT migrator TO narrow");
    CHECK(answer().has_error());
    root.exec("SET DEFAULT ROLE migrator TO narrow");
    CHECK(answer().has_value());

    // ALL everywhere, less what is taken back for this schema.
    root.exec("DROP USER narrow");
    root.exec("CREATE USER narrow IDENTIFIED BY 'narrow-secret'");
    root.exec("GRANT ALL ON *.* TO narrow");
    CHECK(answer().has_value());
    root.exec("SET GLOBAL partial_revokes = ON");
    root.exec("REVOKE DELETE ON test.* FROM narrow");
    const auto revoked = answer();
    REQUIRE(revoked.has_error());
    CHECK_THAT(revoked.error().message, Contains(": DELETE ON `test`.*"));
    root.exec("DROP USER narrow");
    root.exec("SET GLOBAL partial_revokes = OFF");
}
