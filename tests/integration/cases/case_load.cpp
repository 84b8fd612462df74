#include "tests/integration/cases/case_load.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <stdexcept>

namespace sluice::test {
namespace {

// Fills in the placeholders of one transaction: a name stands for the same number wherever it is.
class expansion {
public:
    expansion(unsigned numbers, std::mt19937& random, std::atomic<unsigned>& serial)
        : numbers_(numbers), random_(random), serial_(serial) {}

    std::string expand(const std::string& text) {
        std::string result;
        for (std::size_t i = 0; i < text.size(); ++i) {
            // A brace before a quotation mark, a blank or a brace is one of JSON.
            const bool opens = text[i] == '{' && i + 1 < text.size() && text[i + 1] != '"' && text[i + 1] != '}' &&
                               text[i + 1] != ' ' && text[i + 1] != '{';
            if (!opens) {
                result += text[i];
                continue;
            }
            const std::size_t end = closing_brace(text, i);
            result += value_of(text.substr(i + 1, end - i - 1));
            i = end;
        }
        return result;
    }

private:
    static std::size_t closing_brace(const std::string& text, std::size_t open) {
        int depth = 0;
        for (std::size_t i = open; i < text.size(); ++i) {
            if (text[i] == '{') ++depth;
            if (text[i] == '}' && --depth == 0) return i;
        }
        throw std::runtime_error("load: a brace is not closed in: " + text);
    }

    static std::vector<std::string> alternatives_of(const std::string& inside) {
        std::vector<std::string> found(1);
        int depth = 0;
        for (const char c : inside) {
            if (c == '{') ++depth;
            if (c == '}') --depth;
            if (c == '|' && depth == 0) {
                found.emplace_back();
            } else {
                found.back() += c;
            }
        }
        return found;
    }

    std::string value_of(const std::string& inside) {
        const auto alternatives = alternatives_of(inside);
        if (alternatives.size() > 1) return expand(alternatives[random_() % alternatives.size()]);
        std::istringstream parts(inside);
        std::string name, range;
        parts >> name >> range;
        const bool valid = !name.empty() && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        });
        if (!valid) throw std::runtime_error("load: not a placeholder: {" + inside + "}");
        if (const auto known = drawn_.find(name); known != drawn_.end()) return known->second;
        return drawn_[name] = name.starts_with("serial") ? std::to_string(++serial_) : std::to_string(draw(range));
    }

    long draw(const std::string& range) {
        if (range.empty()) return static_cast<long>(random_() % numbers_);
        const auto dots = range.find("..", 1);
        if (dots == std::string::npos) throw std::runtime_error("load: not a range: " + range);
        const long from = std::stol(range.substr(0, dots)), to = std::stol(range.substr(dots + 2));
        if (to < from) throw std::runtime_error("load: an empty range: " + range);
        return from + static_cast<long>(random_() % static_cast<unsigned long>(to - from + 1));
    }

    unsigned numbers_;
    std::mt19937& random_;
    std::atomic<unsigned>& serial_;
    std::map<std::string, std::string> drawn_;
};

bool is_of_session(const std::string& statement) {
    constexpr std::array words{"SAVEPOINT", "ROLLBACK", "RELEASE", "SET", "XA", "START", "COMMIT"};
    const auto first = statement.substr(0, statement.find_first_of(" \t\n"));
    return std::ranges::find(words, first) != words.end();
}

std::string quoted(const std::string& name) {
    std::string result = "`";
    for (const char c : name) result += c == '`' ? std::string("``") : std::string(1, c);
    return result + "`";
}

std::vector<std::string> column_names(sql_connection& connection, const std::string& statement) {
    std::vector<std::string> names;
    for (const auto& row : connection.query(statement)) names.push_back(*row.at(0));
    return names;
}

std::string joined(const std::vector<std::string>& columns, const char* separator,
                   const std::function<std::string(const std::string&)>& form) {
    std::string text;
    for (const auto& column : columns) text += (text.empty() ? "" : separator) + form(quoted(column));
    return text;
}

// The primary key, or else the first unique key.
std::vector<std::string> key_of(sql_connection& connection, const std::string& table) {
    const std::string of_table =
        " FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = " +
        connection.quote(table) + " AND non_unique = 0";
    const auto first =
        connection.query("SELECT index_name" + of_table + " ORDER BY index_name <> 'PRIMARY', index_name LIMIT 1");
    if (first.empty()) throw std::runtime_error("the table has no unique key: write a load file");
    return column_names(connection, "SELECT column_name" + of_table + " AND index_name = " +
                                        connection.quote(*first[0][0]) + " ORDER BY seq_in_index");
}

}  // namespace

write_transaction expand_block(const std::string& block, unsigned numbers, std::mt19937& random,
                               std::atomic<unsigned>& serial) {
    expansion values(numbers, random, serial);
    write_transaction result;
    std::istringstream lines(block);
    std::string statement;
    for (std::string line; std::getline(lines, line);) {
        statement += (statement.empty() ? "" : "\n") + line;
        if (!statement.ends_with(';')) continue;
        statement.pop_back();
        const bool once = is_of_session(statement);
        if (result.statements.empty())
            result.is_framed = statement.starts_with("XA ") || statement.starts_with("START ");
        result.statements.push_back({values.expand(statement), once});
        statement.clear();
    }
    return result;
}

std::vector<std::string> default_load(sql_connection& connection, const std::string& table) {
    const std::string t = quoted(table);
    const auto key = key_of(connection, table);
    const auto columns = column_names(
        connection,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = " +
            connection.quote(table) +
            " AND extra NOT LIKE '%VIRTUAL%' AND extra NOT LIKE '%STORED%' AND extra NOT LIKE '%PERSISTENT%'"
            " ORDER BY ordinal_position");
    std::vector<std::string> payload, key_written;
    for (const auto& column : columns) {
        (std::ranges::find(key, column) == key.end() ? payload : key_written).push_back(column);
    }
    const auto plain = [](const std::string& column) { return column; };
    const std::string list = joined(columns, ", ", plain);
    connection.exec("DROP TABLE IF EXISTS seed");
    connection.exec("CREATE TABLE seed (sluice_n INT NOT NULL AUTO_INCREMENT PRIMARY KEY) AS SELECT " + list +
                    " FROM " + t);
    const std::string row_count = connection.scalar("SELECT COUNT(*) FROM seed");
    if (row_count == "0") throw std::runtime_error("the table has no rows to make a load from: write a load file");
    // A generated key column has no counterpart among the seeds' columns: its row is found by the other columns.
    if (key_written.size() != key.size()) throw std::runtime_error("the key is generated: write a load file");
    const std::string row_a = t + " AS x JOIN seed AS a ON a.sluice_n = {a 1.." + row_count + "} AND " +
                              joined(key, " AND ", [](const auto& column) { return "x." + column + " = a." + column; });
    const std::string with_b = " JOIN seed AS b ON b.sluice_n = {b 1.." + row_count + "}";
    const auto assign = [](const std::string& column) { return "x." + column + " = b." + column; };
    const std::string remove = "DELETE x FROM " + row_a + ";\n";
    const std::string put_a = "REPLACE INTO " + t + " (" + list + ") SELECT " + list +
                              " FROM seed WHERE sluice_n = {a 1.." + row_count + "};\n";
    const std::string rekey = "UPDATE " + row_a + with_b + " SET " + joined(key, ", ", assign) + ";\n";
    std::vector<std::string> blocks{remove,
                                    put_a,
                                    put_a,
                                    rekey,
                                    remove + put_a,
                                    remove + "ROLLBACK;\n",
                                    "SAVEPOINT s;\n" + remove + "ROLLBACK TO SAVEPOINT s;\n" + put_a};
    if (!payload.empty()) {
        const std::string update = "UPDATE " + row_a + with_b + " SET ";
        const auto half = static_cast<std::ptrdiff_t>(payload.size() / 2);
        blocks.push_back(update + joined(payload, ", ", assign) + ";\n");
        blocks.push_back(update + joined({payload.begin() + half, payload.end()}, ", ", assign) + ";\n");
        if (half > 0) {
            blocks.push_back(update + joined({payload.begin(), payload.begin() + half}, ", ", assign) + ";\n");
        }
    }
    return blocks;
}

}  // namespace sluice::test
