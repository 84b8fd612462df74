#include "tests/integration/migration/varied_writes.hpp"

#include "tests/support/eventually.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

// 1062: the new key is taken; 1213, 1205: the server chose this transaction as a victim; 1402, 1613, 1614: the same of
// an XA transaction. All are part of writing.
bool expected_error(unsigned number) {
    constexpr unsigned expected[] = {1062, 1205, 1213, 1402, 1613, 1614};
    return std::ranges::find(expected, number) != std::end(expected);
}

std::string document(unsigned number) {
    // Long enough that servers compress it, and a part of it can be changed in place.
    return "'{\"n\": " + std::to_string(100'000 + number % 100'000) + ", \"pad\": \"" +
           std::string(300 + number % 50, static_cast<char>('a' + number % 26)) + "\"}'";
}

sql_connection open(const mysql_server& server) { return sql_connection(server.port(), "root", "", "test"); }

// Whatever state a failed transaction is in, the connection is usable afterwards.
void abandon(sql_connection& connection, const std::string& xid) {
    if (!xid.empty()) {
        (void)connection.error_of("XA END " + xid);
        (void)connection.error_of("XA ROLLBACK " + xid);
    }
    connection.exec("ROLLBACK");
}

}  // namespace

varied_writes::varied_writes(const mysql_server& server, varied_table what, unsigned writers, unsigned seed)
    : server_(server), what_(std::move(what)) {
    threads_.start(writers, [this, seed](unsigned number) { write(seed * 1000 + number); });
}

void varied_writes::fill(sql_connection& connection, const varied_table& what) {
    std::string values;
    for (unsigned n = 0; n < what.keys; n += 2) {
        values += (values.empty() ? "(" : ", (") + std::to_string(n) + ", 'filled', " + std::to_string(n % 100) + ", " +
                  document(n) + ")";
    }
    for (const std::string& table : {what.table, what.mirror}) {
        connection.exec("INSERT INTO " + table + " (id, payload, amount, doc) VALUES " + values);
    }
}

void varied_writes::change_some(sql_connection& connection, std::mt19937& random) const {
    const std::string id = std::to_string(random() % what_.keys);
    const std::string other = std::to_string(random() % what_.keys);
    const std::string payload =
        "REPEAT('" + std::to_string(random() % 1000) + "', " + std::to_string(random() % 200) + ")";
    const std::string inserted = "(id, payload, amount, doc) VALUES (" + other + ", " + payload + ", 3, " +
                                 document(static_cast<unsigned>(random() % 1000)) + ")";
    std::string part = "doc = " + document(static_cast<unsigned>(random() % 1000));
    if (what_.json && random() % 3 != 0) {
        part = "doc = JSON_SET(doc, '$.n', " + std::to_string(100'000 + random() % 100'000) + ")";
    }
    const unsigned kind = static_cast<unsigned>(random() % 7);
    for (const std::string& table : {what_.table, what_.mirror}) {
        switch (kind) {
            case 0: connection.exec("DELETE FROM " + table + " WHERE id = " + id); break;
            case 1: connection.exec("REPLACE INTO " + table + " " + inserted); break;
            case 2: connection.exec("UPDATE " + table + " SET id = " + other + " WHERE id = " + id); break;
            case 3:
                connection.exec("INSERT INTO " + table + " " + inserted +
                                " ON DUPLICATE KEY UPDATE amount = amount + 1");
                break;
            case 4: connection.exec("UPDATE " + table + " SET " + part + " WHERE id = " + id); break;
            default:
                connection.exec("UPDATE " + table + " SET amount = amount + 1, payload = " + payload +
                                " WHERE id = " + id);
                break;
        }
    }
}

void varied_writes::run_xa(sql_connection& connection, std::mt19937& random, const std::string& xid) {
    connection.exec("XA START " + xid);
    change_some(connection, random);
    change_some(connection, random);
    connection.exec("XA END " + xid);
    const unsigned way = static_cast<unsigned>(random() % 5);
    if (way == 0) {
        connection.exec("XA COMMIT " + xid + " ONE PHASE");
        return;
    }
    connection.exec("XA PREPARE " + xid);
    if (way == 1 && what_.detached_xa) {
        const auto ended = connection.connection_id();
        connection = open(server_);
        // The server lets go of it when it has noticed that its connection is gone.
        wait_for_value(connection,
                       "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + std::to_string(ended), "0");
    }
    connection.exec((way == 2 ? "XA ROLLBACK " : "XA COMMIT ") + xid);
}

void varied_writes::write(unsigned seed) {
    std::mt19937 random(seed);
    sql_connection connection = open(server_);
    for (unsigned number = 0; !threads_.stopping(); ++number) {
        std::string xid;
        try {
            if (!what_.settings.empty()) connection.exec(what_.settings[random() % what_.settings.size()]);
            if (what_.xa && random() % 4 == 0) {
                xid = "'x" + std::to_string(seed) + "-" + std::to_string(number) + "','b" +
                      std::to_string(random() % 3) + "'," + std::to_string(random() % 9);
                run_xa(connection, random, xid);
            } else {
                connection.exec("START TRANSACTION");
                change_some(connection, random);
                if (random() % 3 == 0) {
                    connection.exec("SAVEPOINT here");
                    change_some(connection, random);
                    if (random() % 2 == 0) connection.exec("ROLLBACK TO SAVEPOINT here");
                    change_some(connection, random);
                }
                connection.exec(random() % 8 == 0 ? "ROLLBACK" : "COMMIT");
            }
            ++transactions_;
        } catch (const sql_error& error) {
            if (!expected_error(error.number())) throw;
            abandon(connection, xid);
        }
    }
}

}  // namespace sluice::test
