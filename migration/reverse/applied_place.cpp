#include "migration/reverse/applied_place.hpp"

#include <charconv>
#include <chrono>
#include <utility>

namespace sluice::migration {

std::optional<stream_position> applied_place::look(work_ledger& ledger) {
    std::optional<stream_position> reached;
    if (candidate_ && ledger.wait_applied_through(candidate_->transaction, std::chrono::steady_clock::now())) {
        reached = std::move(candidate_->position);
        candidate_.reset();
    }
    if (candidate_) return reached;
    // In this order: what the stream had brought up to the position is among the prepared ones or among those begun.
    stream_position position = ledger.count().position;
    if (!ledger.prepared().empty()) return reached;
    candidate_ = candidate{std::move(position), ledger.transactions_begun()};
    return reached;
}

std::string place_to_text(const stream_position& position) {
    return position.executed ? position.executed->to_string() : position.at.to_string();
}

std::optional<stream_position> place_from_text(std::string_view text, bool by_gtid) {
    stream_position position;
    if (by_gtid) {
        auto parsed = binlog::gtid_set::parse(text);
        if (!parsed) return std::nullopt;
        position.executed = std::move(parsed).value();
        return position;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, position.at.position);
    if (error != std::errc() || rest != end) return std::nullopt;
    position.at.file_name = std::string(text.substr(0, colon));
    return position;
}

}  // namespace sluice::migration
