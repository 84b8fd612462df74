#include "proxy/session/command_reading.hpp"

#include <algorithm>
#include <utility>

#include "protocol/message/command.hpp"
#include "protocol/message/statement_command.hpp"
#include "protocol/sql/classifier.hpp"
#include "proxy/session/isolation_tracker.hpp"
#include "proxy/session/kill_reading.hpp"
#include "proxy/session/kind_reading.hpp"
#include "proxy/session/lock_reading.hpp"
#include "proxy/session/quote_reading.hpp"
#include "proxy/session/statement_scan.hpp"

namespace sluice::session {

using protocol::byte_view;
using protocol::command;
using sql::statement_kind;

namespace {

constexpr std::uint8_t any_cursor =
    protocol::cursor_flag::read_only | protocol::cursor_flag::for_update | protocol::cursor_flag::scrollable;

// Of PREPARE s FROM 'text': quotes inside of the text are doubled.
constexpr std::size_t sql_prepare_size_max = 2 * named_statements::text_size_max;

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

std::optional<sql::statement_footprint> footprint_of_part(std::string_view cut, statement_kind kind,
                                                          const text_rules& rules) {
    std::string_view part;
    bool is_found = true;
    read_each_way(cut, rules, [&](const sql::lexer_options& options) {
        const auto found = part_that_names_tables(cut, kind, options);
        is_found = is_found && !found.empty();
        if (found.size() > part.size()) part = found;
    });
    if (!is_found) return std::nullopt;
    return footprint_of(part, rules);
}

bool touches_a_table(std::string_view text, statement_kind kind, const sql::lexer_options& options,
                     const reading_context& context) {
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
        case select: return context.has_touched || !sql::classify(text, {options}).touches_nothing();
        default: return true;
    }
}

void note_everything(expected_reply& reply, const reading_context& context) noexcept {
    reply.may_touch = context.shard.watched();
    reply.touches_a_table = true;
}

// A statement's text, and what it is read by: of EXECUTE not the session's own, but those of what it runs.
struct subject {
    std::string_view text;
    text_rules rules;
    std::string_view schema;
    bool whole = true;
};

void note_use_of_text(expected_reply& reply, const subject& from, const reading_context& context) {
    if (context.settings_in_flight) return note_everything(reply, context);
    if (!from.whole) {
        // The part alone is no statement; its names are what counts.
        const auto named = footprint_of_part(from.text, reply.kind, from.rules);
        if (!named) return note_everything(reply, context);
        reply.may_touch = context.shard.may_touch(*named, from.schema);
        reply.touches_a_table = true;
        return;
    }
    // A snapshot is of every table.
    const bool several = reply.memory && reply.memory->statements.size() > 1;
    if ((several || reply.kind == statement_kind::start_transaction) && sql::mentions(from.text, "snapshot")) {
        reply.takes_snapshot = !several;
        return note_everything(reply, context);
    }
    bool reads = false;
    read_each_way(from.text, from.rules, [&](const sql::lexer_options& options) {
        const auto may_touch = context.shard.may_touch(from.text, options, from.schema);
        reply.may_touch |= may_touch;
        reply.touches_a_table =
            reply.touches_a_table || may_touch != 0 || touches_a_table(from.text, reply.kind, options, context);
        reads = reads || (may_touch != 0 && reads_by_snapshot(from.text, reply.kind, options));
    });
    if (reply.may_touch != 0) reply.reads_by_snapshot = reads;
}

// What may stand behind the part that was looked at must not read by a snapshot from before a swap, and must not take
// one now. That is all it is kept from: most such texts are a long INSERT and nothing else.
void note_what_may_follow(expected_reply& reply, const reading_context& context) noexcept {
    reply.runs_several = true;
    reply.may_touch |= context.shard.undecided() | (context.outdated & context.shard.watched());
    reply.reads_by_snapshot = true;
}

command_memory& memory_of(expected_reply& reply) {
    if (!reply.memory) reply.memory = std::make_unique<command_memory>();
    return *reply.memory;
}

// What is to be remembered of a text until it has been done, if it is.
void note_what_it_will_have_done(expected_reply& reply, const subject& from, const reading_context& context) {
    using enum statement_kind;
    const auto& [text, rules, schema, whole] = from;
    const auto& options = rules.options;
    if (const auto change = isolation_change_of(text, reply.kind, options);
        change.scope != isolation_change::scope_kind::none) {
        memory_of(reply).isolation = change;
    }
    if (reply.kind == kill && context.shard.watching()) {
        if (const auto killed = killed_query(text, options)) memory_of(reply).killed_query = killed;
    }
    if (reply.kind == handler_open || reply.kind == handler_close) {
        memory_of(reply).text = handler_alias(text, options);
    }
    if (reply.kind == prepare || reply.kind == deallocate) {
        memory_of(reply).name = named_statements::name_in(text, options);
        if (reply.kind == prepare && whole && text.size() <= sql_prepare_size_max) memory_of(reply).text = text;
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

bool may_load_local_file(const expected_reply& reply, std::string_view text, bool several, bool mariadb) {
    if (several) {
        const auto& statements = reply.memory->statements;
        return std::any_of(statements.begin(), statements.end(), [&](const auto& statement) {
            return may_run_local_load(statement.kind, text, mariadb) ||
                   (statement.kind == statement_kind::load_data && statement.local);
        });
    }
    if (may_run_local_load(reply.kind, text, mariadb)) return true;
    return reply.kind == statement_kind::load_data && sql::mentions(text, "local");
}

// A single statement, or the part that was looked at of a text that may hold several.
void read_statement(expected_reply& reply, const subject& from, const reading_context& context) {
    if (changes_settings(from.text, reply.kind)) {
        memory_of(reply).statements = sql::classify(from.text, {from.rules.options}).statements;
    }
    if (protocol::has(context.capabilities, protocol::capability::local_files)) {
        reply.local_infile_asked = may_load_local_file(reply, from.text, false, from.rules.options.mariadb);
    }
    reply.flush = flush_lock_of(from.text, reply.kind, from.rules.options);
    reply.may_lock = reply.kind == statement_kind::execute;
    reply.runs_several = runs_others(reply.kind);
    note_what_it_will_have_done(reply, from, context);
    if (context.shard.watching()) note_use_of_text(reply, from, context);
}

// What SET STATEMENT sets for a statement may be how a transaction reads that it begins.
bool sets_isolation_for(std::string_view run, std::string_view text) noexcept {
    return run.size() != text.size() && sql::mentions(text, "isolation");
}

// EXECUTE is what it runs, where that is known: of a name, and of MariaDB's EXECUTE IMMEDIATE 'text'.
void read_execute(expected_reply& reply, const subject& from, const reading_context& context) {
    const auto read_inner = [&](std::string_view inner, const text_rules& rules, std::string_view schema) {
        const auto run = sql::statement_run_by(inner, rules.options);
        reply.kind = kind_of(run, rules.options);
        read_statement(reply, {run, rules, schema}, context);
        if (sets_isolation_for(run, inner)) reply.runs_several = true;
    };
    const auto& options = from.rules.options;
    if (context.settings_in_flight || !from.whole) return read_statement(reply, from, context);
    if (const auto* known = context.named.find(named_statements::name_in(from.text, options))) {
        read_inner(known->text, known->rules, known->schema);
    } else if (const auto immediate = immediate_text(from.text, options)) {
        read_inner(*immediate, from.rules, from.schema);
    } else {
        read_statement(reply, from, context);
    }
}

void read_single(expected_reply& reply, subject from, const reading_context& context) {
    const auto text = from.text;
    if (reply.kind == statement_kind::set) {
        from.text = sql::statement_run_by(text, from.rules.options);
        if (from.text.size() != text.size()) reply.kind = kind_of(from.text, from.rules.options);
    }
    if (reply.kind == statement_kind::execute) {
        read_execute(reply, from, context);
    } else {
        read_statement(reply, from, context);
    }
    if (sets_isolation_for(from.text, text)) reply.runs_several = true;
}

// A semicolon may stand in a string or comment, or behind the only statement. Where the text ends for the server is not
// known if it holds a stored program, or if it is not understood.
bool is_single(const sql::statement_footprint& footprint, std::string_view text, const sql::lexer_options& options) {
    if (footprint.statements.size() > 1 || footprint.trouble != sql::lexer_trouble::none) return false;
    const auto run = sql::statement_run_by(text, options);
    if (sql::begins_stored_program(run, options)) return false;
    // Where semicolons stand in front of it, the kind by the text's first words is not its.
    return footprint.statements.empty() || sql::cheap_kind(run, options) != statement_kind::empty;
}

bool are_alike(const std::vector<sql::statement_summary>& one, const std::vector<sql::statement_summary>& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const auto& a, const auto& b) { return a.kind == b.kind; });
}

// Of a text that may hold several.
struct text_split {
    std::vector<sql::statement_summary> statements;
    bool is_single = true;
    bool is_certain = true;  ///< false: read in another way, which may be right, it holds others
};

text_split split(const subject& from) {
    text_split found;
    bool is_first = true;
    read_each_way(from.text, from.rules, [&](const sql::lexer_options& options) {
        auto footprint = sql::classify(from.text, {options});
        found.is_single = found.is_single && is_single(footprint, from.text, options);
        if (!std::exchange(is_first, false)) {
            found.is_certain = are_alike(found.statements, footprint.statements);
        } else {
            found.statements = std::move(footprint.statements);
        }
    });
    return found;
}

void read_several(expected_reply& reply, subject from, text_split&& split, const reading_context& context) {
    const auto& options = from.rules.options;
    auto& statements = memory_of(reply).statements;
    statements = std::move(split.statements);
    reply.may_lock = !split.is_certain;
    for (const auto& statement : statements) {
        if (statement.kind == statement_kind::execute) reply.may_lock = true;
        const bool sets_mode = statement.kind == statement_kind::set && sql::mentions(from.text, "sql_mode");
        if (sets_mode || statement.kind == statement_kind::execute) from.rules.quotes_certain = false;  // behind it
    }
    if (protocol::has(context.capabilities, protocol::capability::local_files)) {
        reply.local_infile_asked = !split.is_certain || may_load_local_file(reply, from.text, true, options.mariadb);
    }
    if (!split.is_certain) note_unseen_settings(memory_of(reply));
    reply.kind = statement_kind::other;
    reply.flush = flush_lock_of(from.text, reply.kind, options);
    reply.runs_several = true;
    note_what_it_will_have_done(reply, from, context);
    if (!context.shard.watching()) return;
    if (!split.is_certain) return note_everything(reply, context);
    note_use_of_text(reply, from, context);
}

// The text begins behind the part that was looked at: its query attributes are that long. It may be anything.
void note_unread(expected_reply& reply, const reading_context& context) {
    reply.runs_several = true;
    reply.may_lock = true;
    auto& memory = memory_of(reply);
    note_unseen_settings(memory);
    memory.statements.emplace_back().kind = statement_kind::other;
    reply.local_infile_asked = protocol::has(context.capabilities, protocol::capability::local_files);
    reply.is_barrier = reply.local_infile_asked;
    if (context.shard.watching()) note_everything(reply, context);
}

void read_query(command_reading& reading, byte_view payload, bool whole, const reading_context& context) {
    auto& reply = reading.reply;
    const auto query = protocol::parse_query(payload, context.capabilities);
    if (!query) return note_unread(reply, context);
    const auto text = query->sql;
    const auto& options = context.text.options();
    reading.text = text;
    reply.kind = kind_of(text, options);
    if (whole && context.answers_shows && may_be_own(reply.kind)) {
        reading.show = sql::read_own_statement(text, options);
        if (reading.show) return;
    }
    reading.may_hold_more = context.multi_statements && !whole;
    const subject from{text, context.text.rules(), context.text.schema(), whole};
    std::optional<text_split> several;
    if (context.multi_statements && whole && has_inner_semicolon(text)) {
        several = split(from);
        if (several->is_single && !context.settings_in_flight) several.reset();
    }
    if (several) {
        read_several(reply, from, *std::move(several), context);
    } else {
        read_single(reply, from, context);
    }
    if (reading.may_hold_more) note_what_may_follow(reply, context);
    reply.is_barrier = reply.local_infile_asked;
}

// Of a text that is longer than is kept, what it names.
std::optional<sql::statement_footprint> footprint_of_long(std::string_view text, bool whole,
                                                          const reading_context& context) {
    const auto& options = context.text.options();
    const auto kind = sql::cheap_kind(text, options);
    if (context.settings_in_flight || !prepared_statements::keeps_footprint_of(kind)) return std::nullopt;
    const auto rules = context.text.rules();
    return whole ? footprint_of(text, rules) : footprint_of_part(text, kind, rules);
}

void read_prepare(command_reading& reading, byte_view payload, bool whole, const reading_context& context) {
    const auto text = protocol::parse_stmt_prepare(payload);
    if (!text) return;
    reading.text = *text;
    auto& reply = reading.reply;
    auto& memory = memory_of(reply);
    memory.text_is_whole = whole && text->size() <= prepared_statements::text_size_max;
    if (memory.text_is_whole) {
        memory.text = *text;
    } else {
        memory.footprint = footprint_of_long(*text, whole, context);
    }
    if (context.shard.watching()) {
        const auto& options = context.text.options();
        const subject from{sql::statement_run_by(*text, options), context.text.rules(), context.text.schema(), whole};
        expected_reply probe;
        probe.kind = kind_of(from.text, options);
        note_use_of_text(probe, from, context);
        // PREPARE opens the tables but gives their locks back.
        reply.may_touch = probe.may_touch;
        reply.reads_by_snapshot = false;
    }
}

void note_use_of_statement(expected_reply& reply, std::uint32_t id, const reading_context& context) {
    reply.statement_id = id;
    if (reply.command != command::stmt_fetch) {
        context.prepared.recall(id, reply);
        reply.runs_several = runs_others(reply.kind);
    }
    if (protocol::has(context.capabilities, protocol::capability::local_files)) {
        reply.local_infile_asked = context.prepared.may_load_local_file(id, context.text.options().mariadb);
        reply.is_barrier = reply.local_infile_asked;
    }
    if (!context.shard.watching()) return;
    const auto use = context.prepared.use(id, context.shard);
    reply.may_touch = use.may_touch;
    reply.touches_a_table = use.touches_a_table;
    // A cursor's rows were read when it was opened.
    reply.reads_by_snapshot = use.reads_by_snapshot && reply.command != command::stmt_fetch;
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
        case command::stmt_close:
            if (const auto id = protocol::parse_stmt_close(payload)) reply.statement_id = *id;
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
