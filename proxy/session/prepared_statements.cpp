#include "proxy/session/prepared_statements.hpp"

#include <utility>

#include "protocol/sql/classifier.hpp"
#include "proxy/session/kind_reading.hpp"
#include "proxy/session/lock_reading.hpp"

namespace sluice::session {

namespace {

std::size_t bytes_of(const sql::statement_footprint& footprint) noexcept {
    std::size_t bytes = 0;
    for (const auto& name : footprint.names) bytes += sizeof name + name.schema.size() + name.name.size();
    return bytes;
}

}  // namespace

bool prepared_statements::keeps_footprint_of(sql::statement_kind kind) noexcept {
    using enum sql::statement_kind;
    return kind == select || kind == insert || kind == replace || kind == update || kind == delete_;
}

void prepared_statements::add(std::uint32_t id, command_memory&& prepare, const session_text& settings) {
    remove(id);
    if (id == last_id) return;
    last_ = id;
    statement added;
    if (prepare.text_is_whole) {
        auto& text = prepare.text;
        if (text.size() > text_size_max) return;
        using enum sql::statement_kind;
        const auto& options = settings.options();
        const auto run = sql::statement_run_by(text, options);
        added.kind = kind_of(run, options);
        added.isolation = isolation_change_of(run, added.kind, options);
        if (run.size() != text.size() && sql::mentions(text, "isolation")) {
            added.isolation = {isolation_change::scope_kind::session, isolation::unknown};
        }
        added.may_load_local_file = (added.kind == load_data && sql::mentions(run, "local")) ||
                                    may_run_local_load(added.kind, run, options.mariadb);
        if (added.kind == flush) added.flush = flush_lock_of(run, added.kind, options);
        if (added.kind == handler_open || added.kind == handler_close) added.handler = handler_alias(run, options);
        if (added.kind == set || added.kind == use) added.statements = sql::classify(run, {options}).statements;
        added.bytes = text.size();
        added.content = std::move(text);
    } else if (prepare.footprint) {
        added.kind = prepare.footprint->first_kind();
        added.bytes = bytes_of(*prepare.footprint);
        added.content = *std::move(prepare.footprint);
    } else {
        return;
    }
    if (statements_.size() >= count_max || bytes_ + added.bytes > bytes_max) return;
    added.schema = settings.schema();
    added.rules = settings.rules();
    bytes_ += added.bytes;
    statements_.emplace(id, std::move(added));
}

void prepared_statements::remove(std::uint32_t id) noexcept {
    const auto found = find(id);
    if (resolved(id) == last_) last_ = last_id;
    if (found == statements_.end()) return;
    bytes_ -= found->second.bytes;
    statements_.erase(found);
}

void prepared_statements::clear() noexcept {
    statements_.clear();
    bytes_ = 0;
    last_ = last_id;
}

table_use prepared_statements::use(std::uint32_t id, const gate_shard& shard) {
    const auto found = statements_.find(resolved(id));
    if (found == statements_.end()) return {shard.watched(), true, true};
    auto& known = found->second;
    if (known.epoch == shard.watch_epoch()) return known.known;
    if (const auto* text = std::get_if<std::string>(&known.content)) {
        const auto run = sql::statement_run_by(*text, known.rules.options);
        known.reads_by_snapshot = false;
        read_each_way(run, known.rules, [&](const sql::lexer_options& options) {
            known.reads_by_snapshot = known.reads_by_snapshot || reads_by_snapshot(run, known.kind, options);
        });
        known.content = footprint_of(run, known.rules);
    }
    const auto& footprint = std::get<sql::statement_footprint>(known.content);
    known.known = {shard.may_touch(footprint, known.schema), !footprint.touches_nothing(), known.reads_by_snapshot};
    known.epoch = shard.watch_epoch();
    return known.known;
}

bool prepared_statements::may_load_local_file(std::uint32_t id, bool mariadb) const noexcept {
    const auto found = find(id);
    return found == statements_.end() ? mariadb : found->second.may_load_local_file;
}

void prepared_statements::recall(std::uint32_t id, expected_reply& reply) const {
    const auto found = find(id);
    if (found == statements_.end()) return;
    const auto& known = found->second;
    reply.kind = known.kind;
    reply.flush = known.flush;
    const bool sets_isolation = known.isolation.scope != isolation_change::scope_kind::none;
    if (known.handler.empty() && known.statements.empty() && !sets_isolation) return;
    reply.memory = std::make_unique<command_memory>();
    reply.memory->isolation = known.isolation;
    reply.memory->text = known.handler;
    reply.memory->statements = known.statements;
}

std::string_view prepared_statements::text(std::uint32_t id) const noexcept {
    const auto found = find(id);
    if (found == statements_.end()) return {};
    const auto* text = std::get_if<std::string>(&found->second.content);
    return text != nullptr ? std::string_view(*text) : std::string_view("a prepared statement");
}

}  // namespace sluice::session
