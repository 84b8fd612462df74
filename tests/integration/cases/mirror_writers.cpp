#include "tests/integration/cases/mirror_writers.hpp"

#include <stdexcept>

namespace sluice::test {
namespace {

constexpr unsigned duplicate_entry = 1062, deadlock = 1213, lock_wait_timeout = 1205;
// Between two transactions of a writer, so that the engine gets its share of a small machine.
constexpr std::chrono::milliseconds breath{2};
constexpr std::chrono::seconds patience{60};

}  // namespace

mirror_writers::mirror_writers(const mysql_server& server, writer_options options, transaction_source source)
    : server_(server), options_(std::move(options)), source_(std::move(source)), clock_(1'700'000'000) {
    for (unsigned i = 0; i < options_.writers; ++i) {
        threads_.emplace_back([this, i] {
            try {
                write(options_.seed * 1000 + i);
            } catch (const std::exception& error) {
                const std::lock_guard lock(mutex_);
                error_ = error.what();
                ended_one_.notify_all();
            }
        });
    }
}

mirror_writers::~mirror_writers() { join(); }

void mirror_writers::join() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

void mirror_writers::wait_for_more(unsigned count) {
    std::unique_lock lock(mutex_);
    const auto wanted = ended_ + count;
    const bool came = ended_one_.wait_for(lock, patience, [&] { return ended_ >= wanted || !error_.empty(); });
    if (!error_.empty()) throw std::runtime_error("a writer saw: " + error_);
    if (!came) throw std::runtime_error("the writers do not get on");
}

void mirror_writers::stop() {
    join();
    if (!error_.empty()) throw std::runtime_error("a writer saw: " + error_);
}

// The whole transaction is one text: the first statement that fails is the last one that is run.
void mirror_writers::run(sql_connection& connection, const write_transaction& what) {
    std::string text = "SET timestamp = " + std::to_string(++clock_) + ";\n";
    if (!what.is_framed) text += "START TRANSACTION;\n";
    for (const auto& statement : what.statements) {
        if (statement.once) {
            text += statement.text + ";\n";
            continue;
        }
        for (const auto& schema : {options_.migrated_schema, options_.mirror_schema}) {
            text += "USE `" + schema + "`;\n" + statement.text + ";\n";
        }
    }
    if (!what.is_framed) text += "COMMIT;\n";
    connection.query_all(text);
}

void mirror_writers::write(unsigned seed) {
    std::mt19937 random(seed);
    connect_options how;
    how.port = server_.port();
    if (!options_.as_root) {
        how.user = app_user;
        how.password = app_password;
    }
    how.multi_statements = true;
    const auto connect_again = [&] {
        sql_connection fresh(how);
        fresh.exec("SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'");
        for (const auto& statement : options_.setup) fresh.exec(statement);
        return fresh;
    };
    sql_connection connection = connect_again();
    while (!stopping_) {
        const write_transaction what = source_(random);
        try {
            run(connection, what);
            ++committed_;
        } catch (const sql_error& error) {
            const bool expected = error.number() == duplicate_entry || error.number() == deadlock ||
                                  error.number() == lock_wait_timeout || options_.errors.contains(error.number());
            if (!expected) {
                std::string texts;
                for (const auto& statement : what.statements) texts += "\n" + statement.text;
                throw std::runtime_error("error " + std::to_string(error.number()) + ": " + error.what() + texts);
            }
            // Of an XA transaction it depends on its state what would end it.
            if (what.is_framed) {
                connection = connect_again();
            } else {
                connection.exec("ROLLBACK");
            }
        }
        {
            const std::lock_guard lock(mutex_);
            ++ended_;
            ended_one_.notify_all();
        }
        std::this_thread::sleep_for(breath);
    }
}

}  // namespace sluice::test
