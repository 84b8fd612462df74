#include "proxy/session/prepared_statements.hpp"

#include <utility>

#include "protocol/sql/classifier.hpp"
#include "proxy/session/lock_reading.hpp"

namespace sluice::session {

void prepared_statements::add(std::uint32_t id, std::string text, bool text_is_whole, const session_text& settings) {
    remove(id);
    if (!text_is_whole || text.size() > text_size_max || !settings.is_certain(text)) return;
    if (statements_.size() >= count_max || bytes_ + text.size() > bytes_max) return;
    statement added;
    added.bytes = text.size();
    using enum sql::statement_kind;
    const auto& options = settings.options();
    added.kind = sql::cheap_kind(text, options);
    added.may_load_local_file = added.kind == load_data && sql::mentions(text, "local");
    if (added.kind == flush) added.flush = flush_lock_of(text, added.kind, options);
    if (added.kind == handler_open || added.kind == handler_close) added.handler = handler_alias(text, options);
    if (added.kind == set || added.kind == use) added.statements = sql::classify(text, {options}).statements;
    added.content = std::move(text);
    added.schema = settings.schema();
    added.options = settings.options();
    bytes_ += added.bytes;
    statements_.emplace(id, std::move(added));
}

void prepared_statements::remove(std::uint32_t id) noexcept {
    const auto found = statements_.find(id);
    if (found == statements_.end()) return;
    bytes_ -= found->second.bytes;
    statements_.erase(found);
}

void prepared_statements::clear() noexcept {
    statements_.clear();
    bytes_ = 0;
}

table_use prepared_statements::use(std::uint32_t id, const gate_shard& shard) {
    const auto found = statements_.find(id);
    if (found == statements_.end()) return {shard.watched(), true, true};
    auto& known = found->second;
    if (known.epoch == shard.watch_epoch()) return known.known;
    if (const auto* text = std::get_if<std::string>(&known.content)) {
        known.reads_by_snapshot = reads_by_snapshot(*text, known.kind, known.options);
        known.content = sql::classify(*text, {known.options});
    }
    const auto& footprint = std::get<sql::statement_footprint>(known.content);
    known.known = {shard.may_touch(footprint, known.schema), !footprint.touches_nothing(), known.reads_by_snapshot};
    known.epoch = shard.watch_epoch();
    return known.known;
}

bool prepared_statements::may_load_local_file(std::uint32_t id) const noexcept {
    const auto found = statements_.find(id);
    return found != statements_.end() && found->second.may_load_local_file;
}

void prepared_statements::recall(std::uint32_t id, expected_reply& reply) const {
    const auto found = statements_.find(id);
    if (found == statements_.end()) return;
    const auto& known = found->second;
    reply.kind = known.kind;
    reply.flush = known.flush;
    if (known.handler.empty() && known.statements.empty()) return;
    reply.memory = std::make_unique<command_memory>();
    reply.memory->text = known.handler;
    reply.memory->statements = known.statements;
}

std::string_view prepared_statements::text(std::uint32_t id) const noexcept {
    const auto found = statements_.find(id);
    if (found == statements_.end()) return {};
    const auto* text = std::get_if<std::string>(&found->second.content);
    return text != nullptr ? std::string_view(*text) : std::string_view("a prepared statement");
}

}  // namespace sluice::session
