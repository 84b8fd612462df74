#pragma once

// The table maps that rows events refer to by table id.

#include "protocol/binlog/table_map.hpp"

#include <functional>
#include <unordered_map>

namespace sluice::binlog {

/// Says whether rows of this table are wanted. Called for every table map; must be cheap.
using table_filter = std::function<bool(std::string_view schema, std::string_view table)>;

/// Bounded: when full, the map that was announced longest ago goes. One thread at a time.
class table_map_cache {
public:
    struct entry {
        std::shared_ptr<const table_map> table;  ///< null: the table is not wanted
        byte_buffer body;                        ///< the event's body, to recognise a repetition without decoding it
        std::uint64_t announced = 0;
    };

    explicit table_map_cache(std::size_t entries_max) : entries_max_(entries_max) {}

    /// Takes a table map's body. Returns null when the filter does not want the table. A body that is equal to the one
    /// that the id had before gives the same object as before.
    [[nodiscard]] decode_result<std::shared_ptr<const table_map>> announce(byte_view body, const table_filter& wants);

    /// What the id stands for, or null when it was never announced (or is forgotten).
    [[nodiscard]] const entry* find(std::uint64_t table_id) const;
    /// For table maps that are announced from now on.
    void set_dialect(log_dialect dialect) noexcept { dialect_ = dialect; }
    /// Table ids start over with every start of the server.
    void clear() noexcept { entries_.clear(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    void make_room();

    std::size_t entries_max_;
    log_dialect dialect_ = log_dialect::mysql;
    std::uint64_t announcements_ = 0;
    std::unordered_map<std::uint64_t, entry> entries_;
};

}  // namespace sluice::binlog
