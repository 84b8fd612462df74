#include "proxy/main/ghost/refusal_words.hpp"

#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"

#include <string_view>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::quote_identifier;
using migration::quote_table;

/// The quoted name behind the first of these words, without its quotes; empty: there is none.
std::string name_behind(std::string_view words, std::string_view message) {
    const auto at = message.find(std::string(words) + '`');
    std::string name;
    if (at == std::string_view::npos) return name;
    for (std::size_t i = at + words.size() + 1; i < message.size(); ++i) {
        // A quote within a name is doubled.
        if (message[i] == '`' && (i + 1 == message.size() || message[++i] != '`')) break;
        name += message[i];
    }
    return name;
}

/// gh-ost's sentence for this code; empty: it has none.
std::string sentence_of(const std::string& code, const std::string& message, const migration::table_name& table,
                        const std::string& named_after) {
    const std::string name = quote_table(table);
    if (code == "no_shared_unique_key") return "No shared unique key can be found after ALTER! Bailing out";
    if (code == "key_becomes_timestamp") {
        return "No support at this time for converting a column from DATETIME to TIMESTAMP that is also part of the "
               "chosen unique key. Column: " +
               name_behind("column ", message) + ", key: " + name_behind("; key ", message);
    }
    if (code == "foreign_keys") {
        return "Found child-side foreign keys on " + name + ". Child-side foreign keys are not supported. Bailing out";
    }
    if (code == "referencing_foreign_keys") {
        return "Found parent-side foreign keys on " + name +
               ". Parent-side foreign keys are not supported. Bailing out";
    }
    if (code == "triggers") {
        return "Found triggers on " + name + ". Triggers are not supported at this time. Bailing out";
    }
    if (code == "no_such_table") return "Cannot find table " + name + "!";
    if (code == "not_a_table") return name + " is a VIEW, not a real table. Bailing out";
    if (code == "binlog_off") return "The server must have binary logs enabled";
    if (code == "binlog_format") return "You must be using ROW binlog format";
    if (code == "missing_privileges") {
        return "User has insufficient privileges for migration. Needed: SUPER|REPLICATION CLIENT, REPLICATION SLAVE "
               "and "
               "ALL on " +
               quote_identifier(table.schema) + ".*";
    }
    if (code == "leftover_tables") {
        const auto names = migration::artefact_names_of(table.table, named_after);
        for (const auto& [left, flag] : {std::pair{names.ghost, "--initially-drop-ghost-table"},
                                         std::pair{names.old_table, "--initially-drop-old-table"},
                                         std::pair{names.changelog, "--initially-drop-ghost-table"}}) {
            const std::string quoted = quote_table({table.schema, left});
            if (message.find(quoted) == std::string::npos) continue;
            return "Table " + quoted + " already exists. Panicking. Use " + flag +
                   " to force dropping it, though I really prefer that you drop it or rename it away";
        }
    }
    return {};
}

}  // namespace

std::string refusal_words(const std::string& code, const std::string& message, const migration::table_name& table,
                          const std::string& named_after) {
    const std::string sentence = sentence_of(code, message, table, named_after);
    return sentence.empty() ? message : sentence + " (" + message + ")";
}

std::string words_of(const migration::failure& why) {
    if (why.server_errno == 0) return why.message;
    return "Error " + std::to_string(why.server_errno) + " (" + why.sqlstate + "): " + why.message;
}

}  // namespace sluice::ghost
