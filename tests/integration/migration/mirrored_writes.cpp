#include "tests/integration/migration/mirrored_writes.hpp"

#include <random>
#include <thread>

namespace sluice::test {
namespace {

std::string column_list(const std::vector<std::string>& columns) {
    std::string text;
    for (const auto& column : columns) text += (text.empty() ? "`" : ", `") + column + "`";
    return text;
}

// 1062: the new key is taken; 1213, 1205: the server chose this transaction as a victim. All are part of writing.
bool expected_error(unsigned number) { return number == 1062 || number == 1213 || number == 1205; }

}  // namespace

void fill_both(sql_connection& connection, const mirrored_table& what, unsigned from, unsigned to, unsigned step) {
    const std::string columns = column_list(what.key) + ", " + column_list(what.payload_columns);
    for (const std::string& table : {what.table, what.mirror}) {
        std::string values;
        for (unsigned n = from; n < to; n += step) {
            values += (values.empty() ? "(" : ", (") + what.key_values(n) + ", 'filled " + std::to_string(n) + "', " +
                      std::to_string(n % 1000) + ")";
            if (values.size() > 200'000) {
                connection.exec("INSERT IGNORE INTO " + table + " (" + columns + ") VALUES " + values);
                values.clear();
            }
        }
        if (!values.empty()) connection.exec("INSERT IGNORE INTO " + table + " (" + columns + ") VALUES " + values);
    }
}

mirrored_writes::mirrored_writes(const mysql_server& server, mirrored_table what, unsigned writers, unsigned seed,
                                 std::chrono::milliseconds pause)
    : server_(server), what_(std::move(what)), pause_(pause) {
    threads_.start(writers, [this, seed](unsigned number) { write(seed * 1000 + number); });
}

void mirrored_writes::write(unsigned seed) {
    std::mt19937 random(seed);
    sql_connection connection(server_.port(), app_user, app_password, "test");
    const std::string key_columns = column_list(what_.key);
    const std::string columns = key_columns + ", " + column_list(what_.payload_columns);
    const auto any_key = [&] { return what_.key_values(static_cast<unsigned>(random() % what_.keys)); };
    const auto both = [&](const std::function<std::string(const std::string&)>& statement) {
        connection.exec(statement(what_.table));
        connection.exec(statement(what_.mirror));
    };
    const auto assign_key = [&](const std::string& values) {
        // (a, b) = (x, y) has no form in SET: the literals are split at the commas that key_values() puts between them.
        std::string text;
        std::size_t begin = 0;
        for (std::size_t i = 0; i < what_.key.size(); ++i) {
            const auto end = i + 1 < what_.key.size() ? values.find(", ", begin) : values.size();
            text += (i == 0 ? "`" : ", `") + what_.key[i] + "` = " + values.substr(begin, end - begin);
            begin = end + 2;
        }
        return text;
    };
    while (!threads_.stopping()) {
        const std::string key = any_key();
        const std::string other = any_key();
        const std::string value = "'w" + std::to_string(random() % 100'000) + "'";
        const std::string where = " WHERE (" + key_columns + ") = (" + key + ")";
        try {
            connection.exec("START TRANSACTION");
            const unsigned steps = 1 + static_cast<unsigned>(random() % 3);
            for (unsigned i = 0; i < steps; ++i) {
                switch (random() % 6) {
                    case 0: both([&](const auto& t) { return "DELETE FROM " + t + where; }); break;
                    case 1:
                        both([&](const auto& t) {
                            return "REPLACE INTO " + t + " (" + columns + ") VALUES (" + other + ", " + value + ", 7)";
                        });
                        break;
                    case 2:
                        both([&](const auto& t) { return "UPDATE " + t + " SET " + assign_key(other) + where; });
                        break;
                    case 3:
                        both([&](const auto& t) {
                            return "INSERT INTO " + t + " (" + columns + ") VALUES (" + other + ", " + value +
                                   ", 9) ON DUPLICATE KEY UPDATE amount = amount + 1";
                        });
                        break;
                    default:
                        both([&](const auto& t) {
                            return "UPDATE " + t + " SET payload = " + value + ", amount = amount + 1" + where;
                        });
                        break;
                }
            }
            connection.exec(random() % 10 == 0 ? "ROLLBACK" : "COMMIT");
            ++transactions_;
        } catch (const sql_error& error) {
            constexpr unsigned unknown_column = 1054;
            if (error.number() != unknown_column && !expected_error(error.number())) throw;
            connection.exec("ROLLBACK");
            // The migration has renamed a column that is written: nothing more can be done here.
            if (error.number() == unknown_column) return;
        }
        if (pause_.count() != 0) std::this_thread::sleep_for(pause_);
    }
}

}  // namespace sluice::test
