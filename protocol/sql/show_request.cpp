#include "protocol/sql/show_request.hpp"

#include <utility>

namespace sluice::sql {

namespace {

class request_reader {
public:
    request_reader(std::string_view text, const lexer_options& options) : lexer_(text, options), options_(options) {
        advance();
    }

    [[nodiscard]] std::optional<show_request> read() {
        if (!accept("SHOW")) return std::nullopt;
        show_request request;
        if (accept("MIGRATIONS")) {
            if (!read_filter(request)) return std::nullopt;
        } else if (accept("MIGRATION")) {
            request.subject = accept("CUTOVERS") ? show_subject::cutovers : show_subject::migration;
            auto id = read_string();
            if (!id) return std::nullopt;
            request.id = std::move(*id);
        } else if (accept("PROXY")) {
            if (accept("STATUS")) {
                request.subject = show_subject::proxy_status;
            } else if (accept("SESSIONS")) {
                request.subject = show_subject::proxy_sessions;
            } else {
                return std::nullopt;
            }
        } else {
            return std::nullopt;
        }
        while (now_.is_symbol(';')) advance();
        if (now_.kind != token_kind::end || lexer_.trouble() != lexer_trouble::none) return std::nullopt;
        return request;
    }

private:
    void advance() { now_ = lexer_.next(); }

    bool accept(std::string_view keyword) {
        if (!now_.is(keyword)) return false;
        advance();
        return true;
    }

    [[nodiscard]] std::optional<std::string> read_string() {
        if (now_.kind != token_kind::string) return std::nullopt;
        auto value = string_text(now_, options_);
        advance();
        return value;
    }

    /// LIKE 'x' or WHERE state = 'y' or nothing; false for anything else.
    [[nodiscard]] bool read_filter(show_request& request) {
        if (accept("LIKE")) {
            request.like = read_string();
            return request.like.has_value();
        }
        if (!accept("WHERE")) return true;
        if (!now_.is_identifier() || !equal_ignoring_case(identifier_text(now_, options_), "state")) return false;
        advance();
        if (!now_.is_symbol('=')) return false;
        advance();
        request.state = read_string();
        return request.state.has_value();
    }

    lexer lexer_;
    const lexer_options& options_;
    token now_{};
};

}  // namespace

std::optional<show_request> read_own_statement(std::string_view text, const lexer_options& options) {
    if (auto show = request_reader(text, options).read()) return show;
    auto command = read_migration_command(text, options);
    if (!command) return std::nullopt;
    show_request request;
    request.subject = show_subject::command;
    request.id = command->id;
    request.command = std::move(*command);
    return request;
}

}  // namespace sluice::sql
