// load_run: the load that keeps books, for programs that are not written in C++ (bench/cutover).
//
// Fills the table, connects, prints a line, and works until its standard input is closed. Then it compares the table
// with its books and prints a line of JSON: what the load saw, and whether the books are equal. Every statement goes
// into a file: records of 16 bytes in this machine's byte order, as the columns of timed_statement.

#include "bench/load/bookkeeping_load.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace sluice;
namespace json = boost::json;

struct arguments {
    load::load_options options;
    std::uint16_t server_port = 0;
    std::string statements_file;
};

void wait_for_end_of_input() {
    std::array<char, 256> ignored{};
    while (read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
    }
}

json::array to_json(const std::vector<std::string>& texts) {
    json::array result;
    for (const auto& text : texts) result.emplace_back(text);
    return result;
}

void write_statements(const std::string& path, const std::vector<load::timed_statement>& statements) {
    static_assert(sizeof(load::timed_statement) == 16);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(statements.data()),
               static_cast<std::streamsize>(statements.size() * sizeof(load::timed_statement)));
    if (!file.flush()) throw load::load_error("cannot write " + path);
}

void run(const arguments& chosen) {
    load::endpoint server = chosen.options.target;
    server.port = chosen.server_port;
    load::create_and_fill(server, chosen.options.table, chosen.options.filled_rows);
    load::bookkeeping_load load(chosen.options);
    load.start();
    std::cout << "{\"works\": true}" << std::endl;
    wait_for_end_of_input();
    load.stop();
    write_statements(chosen.statements_file, load.timed_statements());
    const load::load_report report = load.report();
    const load::verification books = load::verify(load.the_books(), server, chosen.options.table);
    std::cout << json::serialize(json::object{{"statements", report.statements},
                                              {"committed", report.committed},
                                              {"rolled_back", report.rolled_back},
                                              {"errors", report.errors},
                                              {"wrong_answers", report.wrong_answers},
                                              {"unknown_outcomes", report.unknown_outcomes},
                                              {"first_errors", to_json(report.first_errors)},
                                              {"rows_expected", books.rows_expected},
                                              {"rows_found", books.rows_found},
                                              {"differences", books.differences},
                                              {"first_differences", to_json(books.first_differences)}})
              << std::endl;
}

}  // namespace

int main(int count, char** words) {
    arguments chosen;
    load::load_options& options = chosen.options;
    options.pauses_in_transactions = false;
    CLI::App app("The load that keeps books; ends when its standard input is closed");
    app.add_option("--port", options.target.port, "where the load goes")->required();
    app.add_option("--server-port", chosen.server_port, "where the table is filled and compared")->required();
    app.add_option("--user", options.target.user)->required();
    app.add_option("--password", options.target.password)->required();
    app.add_option("--schema", options.target.schema)->required();
    app.add_option("--rows", options.filled_rows, "of the table at the start")->required();
    app.add_option("--connections", options.connections)->required();
    app.add_option("--prepared-connections", options.prepared_connections)->required();
    app.add_option("--statements-per-second", options.statements_per_second)->required();
    app.add_option("--transaction-statements-max", options.transaction_statements_max)->required();
    app.add_option("--statements-file", chosen.statements_file)->required();
    CLI11_PARSE(app, count, words);
    try {
        run(chosen);
    } catch (const std::exception& failure) {
        std::cerr << "load_run: " << failure.what() << '\n';
        return 1;
    }
    return 0;
}
