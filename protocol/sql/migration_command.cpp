#include "protocol/sql/migration_command.hpp"

#include <array>
#include <utility>

namespace sluice::sql {

namespace {

struct named_verb {
    std::string_view keyword;
    migration_verb verb;
};

constexpr std::array verbs{
    named_verb{"CUT", migration_verb::cut_over},  named_verb{"POSTPONE", migration_verb::postpone},
    named_verb{"PAUSE", migration_verb::pause},   named_verb{"RESUME", migration_verb::resume},
    named_verb{"ABORT", migration_verb::abort},   named_verb{"REVERT", migration_verb::revert},
    named_verb{"FINISH", migration_verb::finish}, named_verb{"ALTER", migration_verb::alter},
};

class command_reader {
public:
    command_reader(std::string_view text, const lexer_options& options) : lexer_(text, options), options_(options) {
        advance();
    }

    [[nodiscard]] std::optional<migration_command> read() {
        const auto verb = read_verb();
        if (!verb || !accept("MIGRATION") || now_.kind != token_kind::string) return std::nullopt;
        migration_command command{.verb = *verb, .id = string_text(now_, options_), .settings = {}};
        advance();
        if (*verb == migration_verb::alter && !read_settings(command)) return std::nullopt;
        while (now_.is_symbol(';')) advance();
        if (now_.kind != token_kind::end || lexer_.trouble() != lexer_trouble::none) return std::nullopt;
        return command;
    }

private:
    void advance() { now_ = lexer_.next(); }

    bool accept(std::string_view keyword) {
        if (!now_.is(keyword)) return false;
        advance();
        return true;
    }

    bool accept_symbol(char c) {
        if (!now_.is_symbol(c)) return false;
        advance();
        return true;
    }

    [[nodiscard]] std::optional<migration_verb> read_verb() {
        for (const named_verb& known : verbs) {
            if (!accept(known.keyword)) continue;
            if (known.verb == migration_verb::cut_over && !accept("OVER")) return std::nullopt;
            return known.verb;
        }
        return std::nullopt;
    }

    [[nodiscard]] bool read_settings(migration_command& command) {
        if (!accept("SET")) return false;
        do {
            if (!now_.is_identifier()) return false;
            migration_setting setting{.option = identifier_text(now_, options_), .value = {}};
            advance();
            if (!accept_symbol('=') || !read_value(setting)) return false;
            command.settings.push_back(std::move(setting));
        } while (accept_symbol(','));
        return true;
    }

    [[nodiscard]] bool read_value(migration_setting& setting) {
        if (accept("TRUE") || accept("ON")) {
            setting.kind = migration_setting::value_kind::flag;
            setting.value = "true";
            return true;
        }
        if (accept("FALSE") || accept("OFF")) {
            setting.kind = migration_setting::value_kind::flag;
            setting.value = "false";
            return true;
        }
        if (now_.kind == token_kind::number) {
            setting.value = std::string(now_.text);
        } else if (now_.kind == token_kind::string) {
            setting.kind = migration_setting::value_kind::text;
            setting.value = string_text(now_, options_);
        } else {
            return false;
        }
        advance();
        return true;
    }

    lexer lexer_;
    const lexer_options& options_;
    token now_{};
};

}  // namespace

std::optional<migration_command> read_migration_command(std::string_view text, const lexer_options& options) {
    return command_reader(text, options).read();
}

}  // namespace sluice::sql
