#include "proxy/session/command_reading.hpp"

#include <algorithm>
#include <utility>

#include "protocol/message/command.hpp"
#include "protocol/message/statement_command.hpp"
#include "protocol/sql/classifier.hpp"
#include "proxy/session/isolation_tracker.hpp"
#include "proxy/session/kill_reading.hpp"
#include "proxy/session/lock_reading.hpp"

namespace sluice::session {

using protocol::byte_view;
using protocol::command;
using sql::statement_kind;

namespace {

constexpr std::uint8_t any_cursor =
    protocol::cursor_flag::read_only | protocol::cursor_flag::for_update | protocol::cursor_flag::scrollable;

bool has_inner_semicolon(std::string_view text) noexcept {
    const auto found = text.find(';');
    return found != std::string_view::npos && text.find_first_not_of(" \t\r\n;", found) != std::string_view::npos;
}

// Part of a statement longer than what is looked at. Of INSERT ... VALUES the part before the rows tells the tables;
// a subquery among megabytes of literals is not looked for.
std::string_view part_that_names_tables(std::string_view cut, statement_kind kind, const sql::lexer_options& options) {
    if (kind != statement_kind::insert && kind != statement_kind::replace) return {};
    sql::lexer lexer(cut, options);
    for (auto token = lexer.next(); token.kind != sql::token_kind::end; token = lexer.next()) {
        if (token.is("VALUES") || token.is("VALUE")) return cut.substr(0, lexer.position() - token.text.size());
    }
    return {};
}

bool touches_a_table(std::string_view text, statement_kind kind, const reading_context& context) {
    using enum statement_kind;
    switch (kind) {
        case empty:
        case start_transaction:
        case commit:
        case rollback:
        case rollback_to_savepoint:
        case savepoint:
        case release_savepoint:
        case set_transaction:
        case use:
        case kill:
        case unlock_tables:
        case deallocate:
        case administration: return false;
        // A function may read tables.
        case set:
        case do_: return sql::mentions(text, "select") || text.find('(') != std::string_view::npos;
        case select: return context.has_touched || !sql::classify(text, {context.text.options()}).touches_nothing();
        default: return true;
    }
}

void note_everything(expected_reply& reply, const reading_context& context) noexcept {
    reply.may_touch = context.shard.watched();
    reply.touches_a_table = true;
}

// EXECUTE name, and MariaDB's EXECUTE IMMEDIATE 'text'. False: it is not known what that is.
bool note_use_of_named(expected_reply& reply, std::string_view text, const reading_context& context) {
    const auto& shard = context.shard;
    if (const auto* known = context.named.find(named_statements::name_in(text, context.text.options()))) {
        reply.may_touch = shard.may_touch(known->text, known->options, known->schema);
    } else if (const auto immediate = immediate_text(text, context.text.options())) {
        reply.may_touch = shard.may_touch(*immediate, context.text.options(), context.text.schema());
    } else {
        return false;
    }
    reply.touches_a_table = true;
    return true;
}

void note_use_of_text(expected_reply& reply, std::string_view text, bool whole, const reading_context& context) {
    const auto& options = context.text.options();
    if (context.settings_in_flight || !context.text.is_certain(text)) return note_everything(reply, context);
    if (!whole) {
        const auto part = part_that_names_tables(text, reply.kind, options);
        if (part.empty()) return note_everything(reply, context);
        // The part alone is no statement; its names are what counts.
        reply.may_touch = context.shard.may_touch(sql::classify(part, {options}), context.text.schema());
        reply.touches_a_table = true;
        return;
    }
    // A snapshot is of every table.
    const bool several = reply.memory && reply.memory->statements.size() > 1;
    if ((several || reply.kind == statement_kind::start_transaction) && sql::mentions(text, "snapshot")) {
        reply.takes_snapshot = !several;
        return note_everything(reply, context);
    }
    if (reply.kind == statement_kind::execute && note_use_of_named(reply, text, context)) return;
    reply.may_touch = context.shard.may_touch(text, options, context.text.schema());
    reply.touches_a_table = reply.may_touch != 0 || touches_a_table(text, reply.kind, context);
    if (reply.may_touch != 0) reply.reads_by_snapshot = reads_by_snapshot(text, reply.kind, options);
}

// What is to be remembered of a text until it has been done, if it is.
void note_what_it_will_have_done(expected_reply& reply, std::string_view text, bool whole,
                                 const reading_context& context) {
    using enum statement_kind;
    const auto& options = context.text.options();
    const auto memory = [&reply]() -> command_memory& {
        if (!reply.memory) reply.memory = std::make_unique<command_memory>();
        return *reply.memory;
    };
    if (const auto change = isolation_change_of(text, reply.kind, options);
        change.scope != isolation_change::scope_kind::none) {
        memory().isolation = change;
    }
    if (reply.kind == kill && context.shard.watching()) {
        if (const auto killed = killed_query(text, options)) memory().killed_query = killed;
    }
    if (reply.kind == prepare || reply.kind == deallocate) {
        memory().name = named_statements::name_in(text, options);
        if (reply.kind == prepare && whole && text.size() <= named_statements::text_size_max) memory().text = text;
    }
}

// What Sluice answers itself begins with SHOW, with ALTER, or with a word that no server knows.
bool may_be_own(statement_kind kind) noexcept {
    return kind == statement_kind::show || kind == statement_kind::ddl || kind == statement_kind::other;
}

bool changes_settings(std::string_view text, statement_kind kind) noexcept {
    if (kind == statement_kind::use) return true;
    if (kind != statement_kind::set) return false;
    return sql::mentions(text, "sql_mode") || sql::mentions(text, "names") || sql::mentions(text, "char");
}

bool may_load_local_file(const expected_reply& reply, std::string_view text, bool several) {
    if (several) {
        const auto& statements = reply.memory->statements;
        return std::any_of(statements.begin(), statements.end(), [](const auto& statement) {
            return statement.kind == statement_kind::execute ||
                   (statement.kind == statement_kind::load_data && statement.local);
        });
    }
    // EXECUTE of a text that was prepared as a text: MariaDB prepares LOAD DATA LOCAL, and which text it is, is not
    // known.
    if (reply.kind == statement_kind::execute) return true;
    return reply.kind == statement_kind::load_data && sql::mentions(text, "local");
}

void read_query(command_reading& reading, byte_view payload, bool whole, const reading_context& context) {
    auto& reply = reading.reply;
    const auto query = protocol::parse_query(payload, context.capabilities);
    if (!query) {
        if (context.shard.watching()) note_everything(reply, context);
        return;
    }
    const auto text = query->sql;
    const auto& options = context.text.options();
    reading.text = text;
    reply.kind = sql::cheap_kind(text, options);
    if (whole && context.answers_shows && may_be_own(reply.kind)) {
        reading.show = sql::read_own_statement(text, options);
        if (reading.show) return;
    }
    const bool several = context.multi_statements && has_inner_semicolon(text);
    if (several || changes_settings(text, reply.kind)) {
        reply.memory = std::make_unique<command_memory>();
        reply.memory->statements = sql::classify(text, {options}).statements;
    }
    if (protocol::has(context.capabilities, protocol::capability::local_files)) {
        reply.local_infile_asked = may_load_local_file(reply, text, several);
        reply.is_barrier = reply.local_infile_asked;
    }
    reply.flush = flush_lock_of(text, several ? statement_kind::other : reply.kind, options);
    if (!several && (reply.kind == statement_kind::handler_open || reply.kind == statement_kind::handler_close)) {
        reply.memory = std::make_unique<command_memory>();
        reply.memory->text = handler_alias(text, options);
    }
    if (several) reply.kind = statement_kind::other;
    reply.runs_several = several || reply.kind == statement_kind::call || reply.kind == statement_kind::execute;
    note_what_it_will_have_done(reply, text, whole, context);
    if (context.shard.watching()) note_use_of_text(reply, text, whole, context);
}

void read_prepare(command_reading& reading, byte_view payload, bool whole, const reading_context& context) {
    const auto text = protocol::parse_stmt_prepare(payload);
    if (!text) return;
    reading.text = *text;
    auto& reply = reading.reply;
    reply.memory = std::make_unique<command_memory>();
    reply.memory->text_is_whole = whole && text->size() <= prepared_statements::text_size_max;
    if (reply.memory->text_is_whole) reply.memory->text = *text;
    if (context.shard.watching()) {
        expected_reply probe;
        probe.kind = sql::cheap_kind(*text, context.text.options());
        note_use_of_text(probe, *text, whole, context);
        // PREPARE opens the tables but gives their locks back.
        reply.may_touch = probe.may_touch;
        reply.reads_by_snapshot = false;
    }
}

void note_use_of_statement(expected_reply& reply, std::uint32_t id, const reading_context& context) {
    reply.statement_id = id;
    if (reply.command != command::stmt_fetch) context.prepared.recall(id, reply);
    if (protocol::has(context.capabilities, protocol::capability::local_files)) {
        reply.local_infile_asked = context.prepared.may_load_local_file(id);
        reply.is_barrier = reply.local_infile_asked;
    }
    if (!context.shard.watching()) return;
    const auto use = context.prepared.use(id, context.shard);
    reply.may_touch = use.may_touch;
    reply.touches_a_table = use.touches_a_table;
    // A cursor's rows were read when it was opened.
    reply.reads_by_snapshot = use.reads_by_snapshot && reply.command != command::stmt_fetch;
    reply.runs_several = reply.kind == statement_kind::call;
}

void read_field_list(command_reading& reading, byte_view payload, const reading_context& context) {
    if (!context.shard.watching()) return;
    if (context.settings_in_flight) return note_everything(reading.reply, context);
    const auto name = protocol::as_text(payload.subspan(1));
    sql::statement_footprint footprint;
    footprint.names.push_back({std::string(), std::string(name.substr(0, name.find('\0')))});
    reading.reply.may_touch = context.shard.may_touch(footprint, context.text.schema());
    reading.reply.reads_by_snapshot = false;
}

}  // namespace

command_reading read_command(byte_view payload, bool whole, const reading_context& context) {
    command_reading reading;
    auto& reply = reading.reply;
    if (payload.empty()) return reading;
    reply.command = static_cast<command>(payload.front());
    switch (reply.command) {
        case command::query: read_query(reading, payload, whole, context); break;
        case command::stmt_prepare: read_prepare(reading, payload, whole, context); break;
        case command::stmt_execute:
            if (const auto head = protocol::parse_stmt_execute(payload)) {
                reply.cursor_asked = (head->flags & any_cursor) != 0;
                note_use_of_statement(reply, head->statement_id, context);
            }
            break;
        case command::mariadb_stmt_bulk_execute:
            if (const auto head = protocol::parse_stmt_bulk_execute(payload)) {
                note_use_of_statement(reply, head->statement_id, context);
            }
            break;
        case command::stmt_fetch:
            if (const auto fetch = protocol::parse_stmt_fetch(payload)) {
                note_use_of_statement(reply, fetch->statement_id, context);
            }
            break;
        case command::set_option:
            if (const auto option = protocol::parse_set_option(payload)) reply.option = *option;
            break;
        case command::field_list: read_field_list(reading, payload, context); break;
        case command::init_db:
            if (const auto schema = protocol::parse_init_db(payload)) {
                reply.memory = std::make_unique<command_memory>();
                reply.memory->text = *schema;
            }
            break;
        default: break;
    }
    return reading;
}

}  // namespace sluice::session
