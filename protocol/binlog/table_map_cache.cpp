#include "protocol/binlog/table_map_cache.hpp"

#include <algorithm>

namespace sluice::binlog {

decode_result<std::shared_ptr<const table_map>> table_map_cache::announce(byte_view body, const table_filter& wants) {
    SLUICE_TRY(const auto name, table_map_name::decode(body));
    const bool is_wanted = !wants || wants(name.schema, name.table);
    auto known = entries_.find(name.table_id);
    if (known != entries_.end() && is_wanted && known->second.table != nullptr &&
        std::equal(body.begin(), body.end(), known->second.body.begin(), known->second.body.end())) {
        known->second.announced = ++announcements_;
        return known->second.table;
    }
    entry fresh;
    fresh.announced = ++announcements_;
    if (is_wanted) {
        SLUICE_TRY(auto map, table_map::decode(body, dialect_));
        fresh.table = std::make_shared<const table_map>(std::move(map));
        fresh.body.assign(body.begin(), body.end());
    }
    auto table = fresh.table;
    if (known == entries_.end()) make_room();
    entries_.insert_or_assign(name.table_id, std::move(fresh));
    return table;
}

const table_map_cache::entry* table_map_cache::find(std::uint64_t table_id) const {
    const auto known = entries_.find(table_id);
    return known == entries_.end() ? nullptr : &known->second;
}

void table_map_cache::make_room() {
    if (entries_.size() < entries_max_) return;
    const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& left, const auto& right) {
        return left.second.announced < right.second.announced;
    });
    if (oldest != entries_.end()) entries_.erase(oldest);
}

}  // namespace sluice::binlog
