#include "tests/integration/cases/case_file.hpp"

#include "migration/model/option_fields.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void wrong(const std::string& what) { throw std::runtime_error(what); }

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string content_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) wrong("there is no file " + file.filename().string());
    std::ostringstream text;
    text << stream.rdbuf();
    if (trimmed(text.str()).empty()) wrong(file.filename().string() + " is empty");
    return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// Blocks are parted by empty lines; a line that begins with -- is a comment.
std::vector<std::string> blocks_of(const std::string& text) {
    std::vector<std::string> blocks(1);
    for (const auto& line : lines_of(text)) {
        if (line.starts_with("--")) continue;
        if (!trimmed(line).empty()) {
            blocks.back() += line + "\n";
        } else if (!blocks.back().empty()) {
            blocks.emplace_back();
        }
    }
    if (blocks.back().empty()) blocks.pop_back();
    if (blocks.empty()) wrong("load has no statement; leave the file out to have one made");
    for (const auto& block : blocks) {
        if (!trimmed(block).ends_with(';')) wrong("load: a block does not end with a semicolon: " + block);
    }
    return blocks;
}

long number_of(const std::string& text, long min, long max) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
        wrong("'" + text + "' is no number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return value;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.empty()) wrong("a value is missing");
    return words;
}

server_kind server_named(const std::string& name) {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        if (name == throwaway::to_string(kind)) return kind;
    }
    wrong("unknown server '" + name + "'");
}

bool yes_or_no(const std::string& text, const std::string& yes, const std::string& no) {
    if (text != yes && text != no) wrong("'" + text + "' is neither '" + yes + "' nor '" + no + "'");
    return text == yes;
}

void set_option(test_case& one, const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) wrong("option: '" + text + "' is not NAME = VALUE");
    const std::string name = trimmed(text.substr(0, equals));
    const std::string value = trimmed(text.substr(equals + 1));
    const migration::option_field* field = migration::find_option_field(name);
    if (field == nullptr) wrong("unknown option '" + name + "'");
    switch (field->kind) {
        case migration::option_kind::number: field->set(one.options, number_of(value, field->min, field->max)); break;
        case migration::option_kind::flag: field->set(one.options, yes_or_no(value, "true", "false")); break;
        case migration::option_kind::text:
            if (!migration::text_fits(*field, value)) wrong("option: '" + value + "' is no " + expected_value(*field));
            field->set_text(one.options, value);
            break;
    }
}

void set_result(test_case& one, const std::string& text) {
    if (text == "equal") return;
    const auto words = words_of(text);
    if (words.size() != 2 || words[0] != "fail") wrong("result is neither 'equal' nor 'fail CODE': " + text);
    one.failure_code = words[1];
}

void set_servers(test_case& one, const std::string& text) {
    one.servers.clear();
    for (const auto& name : words_of(text)) one.servers.insert(server_named(name));
}

void set_errors(test_case& one, const std::string& text) {
    for (const auto& number : words_of(text)) one.errors.insert(static_cast<unsigned>(number_of(number, 1, 65'535)));
}

using setter = std::function<void(test_case&, const std::string&)>;

const std::map<std::string, setter>& setters() {
    static const std::map<std::string, setter> all{
        {"result", set_result},
        {"servers", set_servers},
        {"option", set_option},
        {"errors", set_errors},
        {"message", [](test_case& one, const std::string& text) { one.failure_words.push_back(text); }},
        {"server",
         [](test_case& one, const std::string& text) { one.server_accepts = yes_or_no(text, "accepts", "refuses"); }},
        {"constraint names",
         [](test_case& one, const std::string& text) { one.free_constraint_names = yes_or_no(text, "any", "equal"); }},
        {"alter mode", [](test_case& one, const std::string& text) { one.alter_mode = text; }},
        {"table", [](test_case& one, const std::string& text) { one.table = text; }},
        {"account",
         [](test_case& one, const std::string& text) { one.writes_as_root = yes_or_no(text, "root", "app"); }},
        {"setup", [](test_case& one, const std::string& text) { one.setup.push_back(text); }},
        {"writers",
         [](test_case& one, const std::string& text) { one.writers = static_cast<unsigned>(number_of(text, 1, 8)); }},
        {"numbers", [](test_case& one,
                       const std::string& text) { one.numbers = static_cast<unsigned>(number_of(text, 1, 100'000)); }},
    };
    return all;
}

void read_expectation(test_case& one, const std::string& text) {
    bool has_result = false;
    for (const auto& whole : lines_of(text)) {
        const auto line = trimmed(whole);
        if (line.empty() || line.starts_with('#')) continue;
        const auto colon = line.find(':');
        const auto set = setters().find(trimmed(line.substr(0, colon)));
        if (colon == std::string::npos || set == setters().end()) wrong("expect: unknown key in '" + line + "'");
        const auto value = trimmed(line.substr(colon + 1));
        if (value.empty()) wrong("expect: no value in '" + line + "'");
        set->second(one, value);
        has_result = has_result || set->first == "result";
    }
    if (!has_result) wrong("expect: there is no line 'result: …'");
    const bool fails = !one.failure_code.empty();
    if (!fails && (one.server_accepts || !one.failure_words.empty())) {
        wrong("expect: 'message' and 'server' are for 'result: fail CODE'");
    }
    if (fails && one.failure_words.empty()) wrong("expect: a failure needs a 'message' line: what must it name?");
}

}  // namespace

test_case read_case(const fs::path& folder) {
    test_case one;
    one.name = folder.filename().string();
    try {
        for (const auto& file : fs::directory_iterator(folder)) {
            const auto name = file.path().filename().string();
            const bool known = name == "create.sql" || name == "alter" || name == "load" || name == "expect";
            if (!known) wrong("a file that means nothing here: " + name);
        }
        if (one.name.size() > 50) wrong("the name has more than 50 characters");
        one.options.postpone_cutover = true;
        one.options.drop_old_table = true;
        one.options.chunk_rows_fixed = 10;
        one.options.apply_batch_keys = 40;
        one.options.hold_interval = std::chrono::milliseconds(100);
        one.options.page_flush_wait = std::chrono::milliseconds(0);
        one.options.hold_budget = std::chrono::milliseconds(3'000);
        one.servers = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};
        one.create = content_of(folder / "create.sql");
        one.alter = trimmed(content_of(folder / "alter"));
        if (fs::exists(folder / "load")) one.load = blocks_of(content_of(folder / "load"));
        read_expectation(one, content_of(folder / "expect"));
    } catch (const std::exception& error) {
        wrong("case " + one.name + ": " + error.what());
    }
    return one;
}

std::vector<test_case> read_cases(const fs::path& folder) {
    std::vector<test_case> cases;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.is_directory()) cases.push_back(read_case(entry.path()));
    }
    std::ranges::sort(cases, {}, &test_case::name);
    return cases;
}

}  // namespace sluice::test
