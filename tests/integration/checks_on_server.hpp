#pragma once

// The preconditions, run on a real server with the account that scripts give to Sluice.

#include "migration/check/checks.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "tests/integration/mysql_address.hpp"
#include "tests/support/catch.hpp"

#include <memory>
#include <string>
#include <utility>

namespace sluice::test {

inline constexpr const char* add_column = "ADD COLUMN c INT";

/// One server for all tests that do not change its settings; every test begins with an empty schema.
inline mysql_server& shared_server() {
    static mysql_server server = start_server(server_kind::mysql_9_7);
    return server;
}

inline sql_connection emptied(mysql_server& server) {
    auto root = connect(server);
    root.exec("SET foreign_key_checks = 0");
    for (const char* schema : {"test", "other"}) {
        root.exec(std::string("DROP DATABASE IF EXISTS ") + schema);
        root.exec(std::string("CREATE DATABASE ") + schema);
    }
    root.exec("USE test");
    return root;
}

inline std::unique_ptr<migration::sql_session> session_on(const mysql_server& server,
                                                          const migration::server_address& address) {
    auto session = migration::mysql_executor(address).connect();
    INFO((session.has_error() ? session.error().message : server.error_log()));
    REQUIRE(session.has_value());
    return std::move(session).value();
}

inline migration::outcome<migration::server_facts> checked(const mysql_server& server,
                                                           const migration::table_name& table = {"test", "t"},
                                                           const std::string& alter = add_column) {
    const auto parsed = sql::parse_alter(alter);
    INFO((parsed.has_error() ? parsed.error().message : std::string()));
    REQUIRE(parsed.has_value());
    migration::migration_spec spec;
    spec.table = table;
    spec.alter = alter;
    const auto session = session_on(server, address_of(server));
    return migration::run_checks(*session, spec, *parsed);
}

inline migration::failure refusal(const mysql_server& server, const migration::table_name& table = {"test", "t"},
                                  const std::string& alter = add_column) {
    auto answer = checked(server, table, alter);
    REQUIRE(answer.has_error());
    CHECK(answer.error().then == migration::disposition::abort);
    return std::move(answer).error();
}

}  // namespace sluice::test
