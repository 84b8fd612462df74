#include "tests/integration/oracle/script.hpp"

#include "tests/integration/oracle/mode.hpp"
#include "tests/support/wire_bytes.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sluice::test::oracle {
namespace {

using throwaway::server_kind;

constexpr server_kind all_servers[] = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

std::vector<server_kind> servers_named(const std::string& names) {
    std::vector<server_kind> found;
    std::istringstream words(names);
    for (std::string word; words >> word;) {
        if (word == "9.7") {
            found.push_back(server_kind::mysql_9_7);
        } else if (word == "5.6") {
            found.push_back(server_kind::mysql_5_6);
        } else if (word == "mariadb") {
            found.push_back(server_kind::mariadb_10_11);
        } else {
            throw wire::error("no server is called " + word);
        }
    }
    return found;
}

std::uint64_t flags_named(const std::string& names) {
    std::uint64_t flags = 0;
    std::istringstream words(names);
    for (std::string word; words >> word;) flags |= capability_named(word);
    return flags;
}

void replace_repeats(std::string& text) {
    for (;;) {
        const auto begin = text.find("{{");
        if (begin == std::string::npos) return;
        const auto end = text.find("}}", begin);
        const auto star = text.rfind('*', end);
        if (end == std::string::npos || star == std::string::npos || star < begin) throw wire::error("{{text*N}}");
        const auto unit = text.substr(begin + 2, star - begin - 2);
        const auto times = std::stoull(text.substr(star + 1, end - star - 1));
        std::string repeated;
        repeated.reserve(unit.size() * times);
        for (std::size_t i = 0; i < times; ++i) repeated += unit;
        text.replace(begin, end + 2 - begin, repeated);
    }
}

// \n, \t and \xHH; any other backslash is the statement's own.
std::string expanded(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out.push_back(text[i]);
        } else if (text[i + 1] == 'n' || text[i + 1] == 't') {
            out.push_back(text[++i] == 'n' ? '\n' : '\t');
        } else if (text[i + 1] == 'x' && i + 3 < text.size()) {
            out += wire::from_hex(text.substr(i + 2, 2));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    replace_repeats(out);
    return out;
}

void read_header(script& into, const std::string& line) {
    const auto [key, value] = split_word(line);
    if (key == "servers") {
        into.servers = servers_named(value);
    } else if (key == "needs") {
        into.must_have = flags_named(value);
    } else if (key == "without") {
        into.must_lack = flags_named(value);
    } else if (key == "adds") {
        into.added = flags_named(value);
    } else if (key == "removes") {
        into.removed = flags_named(value);
    } else if (key == "schema" && value == "fresh") {
        into.fresh_schema = true;
    } else if (key == "schema") {
        into.database = value == "none" ? "" : value;
    } else if (key == "large") {
        into.is_large = true;
    } else if (key == "refused") {
        into.is_refused = true;
    } else if (key == "blind") {
        into.is_blind = true;
    } else if (key == "plain") {
        into.is_plain_only = true;
    } else if (key == "not_replayed") {
        into.is_replayed = false;
    } else if (key == "cold") {
        into.is_cold = true;
    } else if (key == "alone") {
        into.is_alone = true;
    } else if (key == "user") {
        into.user = value;
    } else if (key == "password") {
        into.password = expanded(value);
    } else {
        throw wire::error("no such setting: " + key);
    }
}

step read_step(int number, const std::string& line) {
    step made;
    made.line = number;
    made.text = line;
    auto rest = line;
    if (rest.front() == '[') {
        const auto end = rest.find(']');
        made.servers = servers_named(rest.substr(1, end - 1));
        rest = rest.substr(rest.find_first_not_of(' ', end + 1));
    }
    auto [verb, argument] = split_word(rest);
    if (verb == "fails" || verb == "may_fail") {
        made.expected = verb == "fails" ? outcome::fails : outcome::either;
        std::tie(verb, argument) = split_word(argument);
    }
    made.verb = verb;
    made.argument = expanded(argument);
    return made;
}

}  // namespace

std::pair<std::string, std::string> split_word(const std::string& text) {
    const auto space = text.find(' ');
    if (space == std::string::npos) return {text, ""};
    const auto next = text.find_first_not_of(' ', space);
    return {text.substr(0, space), next == std::string::npos ? "" : text.substr(next)};
}

bool script::runs_on(server_kind kind) const {
    return std::find(servers.begin(), servers.end(), kind) != servers.end();
}

script read_script(const std::filesystem::path& file) {
    script made;
    made.name = file.stem().string();
    made.database = "oracle";
    made.servers.assign(std::begin(all_servers), std::end(all_servers));
    std::ifstream lines(file);
    int number = 0;
    try {
        for (std::string line; std::getline(lines, line);) {
            ++number;
            if (line.empty() || line[0] == '#') continue;
            if (line[0] == '!') {
                read_header(made, line.substr(2));
            } else {
                made.steps.push_back(read_step(number, line));
            }
        }
    } catch (const std::exception& wrong) {
        throw wire::error(file.filename().string() + ":" + std::to_string(number) + ": " + wrong.what());
    }
    if (made.fresh_schema) made.database = "oracle_" + made.name;
    return made;
}

const std::vector<script>& corpus() {
    static const auto all = [] {
        std::vector<script> scripts;
        const char* only = std::getenv("SLUICE_ORACLE_SCRIPT");
        for (const auto& entry : std::filesystem::directory_iterator(SLUICE_ORACLE_CORPUS)) {
            if (entry.path().extension() != ".txt") continue;
            if (only != nullptr && entry.path().stem() != only) continue;
            scripts.push_back(read_script(entry.path()));
        }
        std::sort(scripts.begin(), scripts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        if (scripts.empty()) throw wire::error("the corpus is empty");
        return scripts;
    }();
    return all;
}

}  // namespace sluice::test::oracle
