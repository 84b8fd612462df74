#include "admin/command_answers.hpp"

#include "admin/migration_request.hpp"
#include "admin/text_form.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <utility>

namespace sluice::admin {
namespace {

using migration::operator_command;
using sql::migration_verb;

operator_command operator_command_of(migration_verb verb) {
    switch (verb) {
        case migration_verb::postpone: return operator_command::postpone;
        case migration_verb::pause: return operator_command::pause;
        case migration_verb::resume: return operator_command::resume;
        case migration_verb::abort: return operator_command::abort;
        case migration_verb::revert: return operator_command::revert;
        case migration_verb::finish: return operator_command::finish;
        case migration_verb::cut_over:
        case migration_verb::alter: break;
    }
    return operator_command::cut_over;
}

// The same way as through the HTTP API, so that both take and refuse the same values.
result<migration::option_changes, problem> changes_of(const sql::migration_command& command) {
    boost::json::object body;
    for (const sql::migration_setting& setting : command.settings) {
        boost::json::value& value = body[clean_utf8(setting.option)];
        const char* const end = setting.value.data() + setting.value.size();
        std::int64_t whole = 0;
        switch (setting.kind) {
            case sql::migration_setting::value_kind::flag: value = setting.value == "true"; break;
            case sql::migration_setting::value_kind::text: value = clean_utf8(setting.value); break;
            case sql::migration_setting::value_kind::number:
                if (std::from_chars(setting.value.data(), end, whole).ptr == end) {
                    value = whole;
                } else {
                    value = 0.5;  // refused as what it is: no whole number
                }
                break;
        }
    }
    return parse_settings_request(boost::json::serialize(body));
}

show_refusal refused(const std::string& message) { return {.message = "Sluice: " + message}; }

}  // namespace

result<std::string, show_refusal> answer_command(const sql::migration_command& command,
                                                 migration_directory& migrations) {
    const auto done = [](const migration::outcome<migration::snapshot_ptr>& told) -> result<std::string, show_refusal> {
        if (told.has_error()) return refused(told.error().message);
        return "migration " + (*told)->id + " is " + std::string(migration::to_string((*told)->state));
    };
    if (command.verb != migration_verb::alter) {
        return done(migrations.command(command.id, operator_command_of(command.verb)));
    }
    const auto changes = changes_of(command);
    if (changes.has_error()) return refused(changes.error().detail);
    return done(migrations.change(command.id, *changes));
}

}  // namespace sluice::admin
