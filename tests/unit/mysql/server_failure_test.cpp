// Error numbers become codes and dispositions that the engine can act on.

#include "tests/support/catch.hpp"

#include "migration/mysql/server_failure.hpp"

using namespace sluice::migration;

TEST_CASE("a statement's failure tells what the server said and what may be done now") {
    struct expectation {
        unsigned number;
        const char* code;
        disposition then;
    };
    const auto expected = GENERATE(values<expectation>({
        {1213, "deadlock", disposition::retry},
        {1614, "deadlock", disposition::retry},
        {1205, "lock_wait_timeout", disposition::retry},
        {3024, "lock_wait_timeout", disposition::retry},
        {1969, "lock_wait_timeout", disposition::retry},
        {1317, "interrupted", disposition::retry},
        {1197, "transaction_too_large", disposition::retry},
        {1206, "transaction_too_large", disposition::retry},
        {1021, "out_of_space", disposition::abort},
        {1114, "out_of_space", disposition::abort},
        {1412, "table_changed", disposition::retry},
        {2006, "connection_lost", disposition::outcome_unknown},
        {2013, "connection_lost", disposition::outcome_unknown},
        {2026, "connection_lost", disposition::outcome_unknown},
        {4031, "connection_lost", disposition::outcome_unknown},
        {1927, "connection_lost", disposition::outcome_unknown},
        {1053, "connection_lost", disposition::outcome_unknown},
        {1062, "duplicate_entry", disposition::abort},
        {1859, "duplicate_entry", disposition::abort},
        {1045, "access_denied", disposition::abort},
        {1142, "access_denied", disposition::abort},
        {1227, "access_denied", disposition::abort},
        {1265, "data_truncated", disposition::abort},
        {1406, "data_truncated", disposition::abort},
        {1264, "out_of_range", disposition::abort},
        {1048, "null_not_allowed", disposition::abort},
        {3673, "null_not_allowed", disposition::abort},
        {1292, "invalid_value", disposition::abort},
        {1366, "invalid_value", disposition::abort},
        {1146, "no_such_table", disposition::abort},
        {1290, "read_only", disposition::abort},
        {3819, "check_violated", disposition::abort},
        {1526, "no_partition", disposition::abort},
        {1064, "server_error", disposition::abort},
        {9999, "server_error", disposition::abort},
        {0, "server_error", disposition::abort},
    }));
    CAPTURE(expected.number);
    const auto failed = statement_failure({expected.number, "40001", "what it said"}, "UPDATE t");
    CHECK(failed.code == expected.code);
    CHECK(failed.then == expected.then);
    CHECK(failed.server_errno == expected.number);
    CHECK(failed.sqlstate == "40001");
    CHECK(failed.message == "what it said");
    CHECK(failed.attempted == "UPDATE t");
    CHECK(ends_connection(expected.number) == (expected.then == disposition::outcome_unknown));
}

TEST_CASE("a full disk is told from the system's error number within a text, where the server has no number for it") {
    struct text {
        unsigned number;
        const char* said;
        const char* code;
    };
    const auto one = GENERATE(values<text>({
        {1026, "Error writing file '/data/binlog.000003' (OS errno 28 - No space left on device)", "out_of_space"},
        {1026, "Error writing file './binlog' (errno: 28 \"No space left on device\")", "out_of_space"},
        {3, "Error writing file '/tmp/ML1' (Errcode: 28 - No space left on device)", "out_of_space"},
        {3, "Error writing file '/tmp/ML1' (Errcode: 28 \"No space left on device\")", "out_of_space"},
        {1030, "Got error 28 from storage engine", "out_of_space"},
        {1030, "Got error 28 - 'No space left on device' from storage engine", "out_of_space"},
        {1030, "Got error 281 from storage engine", "server_error"},
        {1026, "Error writing file './binlog' (errno: 5 \"Input/output error\")", "server_error"},
        {1062, "Duplicate entry 'error 28 x' for key 'u'", "duplicate_entry"},
    }));
    CAPTURE(one.said);
    const auto failed = statement_failure({one.number, "HY000", one.said}, "INSERT");
    CHECK(failed.code == one.code);
    CHECK(failed.then == disposition::abort);
}

TEST_CASE("a login's failure: refused for good, or worth another try") {
    struct expectation {
        unsigned number;
        const char* code;
        disposition then;
    };
    const auto expected = GENERATE(values<expectation>({
        {1045, "access_denied", disposition::abort},
        {1130, "access_denied", disposition::abort},
        {3118, "access_denied", disposition::abort},
        {1040, "too_many_connections", disposition::retry},
        {1203, "too_many_connections", disposition::retry},
        {1226, "too_many_connections", disposition::retry},
        {1251, "unsupported_login", disposition::abort},
        {2059, "unsupported_login", disposition::abort},
        {2061, "unsupported_login", disposition::abort},
        {2002, "cannot_connect", disposition::retry},
        {2003, "cannot_connect", disposition::retry},
        {2005, "cannot_connect", disposition::retry},
        {2013, "cannot_connect", disposition::retry},
        {2026, "tls_failed", disposition::retry},
        {1053, "cannot_connect", disposition::retry},
        {1064, "server_error", disposition::abort},
    }));
    CAPTURE(expected.number);
    const auto failed = login_failure_of({expected.number, "HY000", "no"}, "db:3306", "sluice");
    CHECK(failed.code == expected.code);
    CHECK(failed.then == expected.then);
    CHECK(failed.message == "no (server db:3306, user 'sluice')");
    CHECK(failed.attempted == "connect");
}

TEST_CASE("what was attempted is shortened") {
    std::string statement = "SELECT '";
    while (statement.size() < 5000) statement += "日本";
    const auto failed = statement_failure({1064, "42000", "no"}, statement);
    CHECK(failed.attempted.substr(0, 8) == "SELECT '");
    CHECK(failed.attempted.size() == 8 + 292 * 3 + 3);
    CHECK(failed.attempted.substr(failed.attempted.size() - 6) == "本...");
}
