#include "protocol/binlog/gtid_set.hpp"

#include "protocol/binlog/event_cursor.hpp"
#include "protocol/wire/writer.hpp"

#include <algorithm>
#include <utility>

namespace sluice::binlog {

namespace {

using intervals = std::vector<gtid_interval>;

/// First interval that ends at or after `number`.
intervals::const_iterator first_reaching(const intervals& list, std::uint64_t number) {
    return std::lower_bound(list.begin(), list.end(), number,
                            [](const gtid_interval& interval, std::uint64_t n) { return interval.last < n; });
}

void merge_into(intervals& list, gtid_interval added) {
    // Most come in order.
    if (list.empty() || list.back().last + 1 < added.first) {
        list.push_back(added);
        return;
    }
    // Neighbours join too, hence the number before the first one.
    auto from = list.begin() + (first_reaching(list, added.first - 1) - list.cbegin());
    auto to = from;
    while (to != list.end() && to->first <= added.last + 1) {
        added.first = std::min(added.first, to->first);
        added.last = std::max(added.last, to->last);
        ++to;
    }
    if (from == to) {
        list.insert(from, added);
        return;
    }
    *from = added;
    list.erase(from + 1, to);
}

// Sorted first: each of a million intervals in descending order would else move all those before it.
void merge_all_into(intervals& list, intervals added) {
    added.insert(added.end(), list.begin(), list.end());
    list.clear();
    std::sort(added.begin(), added.end(),
              [](const gtid_interval& a, const gtid_interval& b) { return a.first < b.first; });
    for (const auto& interval : added) merge_into(list, interval);
}

intervals difference(const intervals& left, const intervals& right) {
    intervals kept;
    auto cut = right.begin();
    for (gtid_interval rest : left) {
        bool is_used_up = false;
        while (cut != right.end() && cut->last < rest.first) ++cut;
        for (auto at = cut; at != right.end() && at->first <= rest.last; ++at) {
            if (at->first > rest.first) kept.push_back({rest.first, at->first - 1});
            if (at->last >= rest.last) {
                is_used_up = true;
                break;
            }
            rest.first = at->last + 1;
        }
        if (!is_used_up) kept.push_back(rest);
    }
    return kept;
}

bool includes(const intervals& list, const gtid_interval& wanted) {
    const auto at = first_reaching(list, wanted.first);
    return at != list.end() && at->first <= wanted.first && at->last >= wanted.last;
}

decode_error malformed(const char* what) { return {decode_errc::malformed, std::string("GTID set: ") + what}; }

constexpr std::uint64_t tagged_format = 1;

}  // namespace

void gtid_set::add(const gtid& one) { add(one.source, {one.number, one.number}); }

void gtid_set::add(const gtid_source& source, gtid_interval interval) {
    SLUICE_ASSERT(interval.first >= 1 && interval.first <= interval.last && interval.last <= gtid_number_max);
    merge_into(intervals_[source], interval);
}

gtid_set gtid_set::of(interval_lists&& lists) {
    gtid_set set;
    for (auto& [source, list] : lists) {
        if (!list.empty()) merge_all_into(set.intervals_[source], std::move(list));
    }
    return set;
}

void gtid_set::add(const gtid_set& other) {
    for (const auto& [source, list] : other.intervals_) {
        auto& mine = intervals_[source];
        if (list.size() == 1) {
            merge_into(mine, list.front());
        } else {
            merge_all_into(mine, list);
        }
    }
}

void gtid_set::subtract(const gtid_set& other) {
    for (const auto& [source, list] : other.intervals_) {
        const auto mine = intervals_.find(source);
        if (mine == intervals_.end()) continue;
        mine->second = difference(mine->second, list);
        if (mine->second.empty()) intervals_.erase(mine);
    }
}

bool gtid_set::contains(const gtid& one) const {
    const auto mine = intervals_.find(one.source);
    return mine != intervals_.end() && includes(mine->second, {one.number, one.number});
}

bool gtid_set::contains(const gtid_set& other) const {
    return std::all_of(other.intervals_.begin(), other.intervals_.end(), [&](const auto& theirs) {
        const auto mine = intervals_.find(theirs.first);
        return mine != intervals_.end() &&
               std::all_of(theirs.second.begin(), theirs.second.end(),
                           [&](const gtid_interval& interval) { return includes(mine->second, interval); });
    });
}

std::size_t gtid_set::interval_count() const noexcept {
    std::size_t count = 0;
    for (const auto& [source, list] : intervals_) count += list.size();
    return count;
}

bool gtid_set::has_tags() const noexcept {
    return std::any_of(intervals_.begin(), intervals_.end(),
                       [](const auto& entry) { return !entry.first.tag.empty(); });
}

std::string gtid_set::to_string() const {
    std::string text;
    const uuid* previous = nullptr;
    for (const auto& [source, list] : intervals_) {
        if (previous == nullptr || *previous != source.server) {
            if (previous != nullptr) text += ',';
            text += source.server.to_string();
        }
        previous = &source.server;
        if (!source.tag.empty()) text += ":" + source.tag;
        for (const auto& interval : list) {
            text += ":" + std::to_string(interval.first);
            if (interval.last != interval.first) text += "-" + std::to_string(interval.last);
        }
    }
    return text;
}

byte_buffer gtid_set::encode() const {
    const bool is_tagged = has_tags();
    byte_buffer out;
    protocol::writer to(out);
    const std::uint64_t count = intervals_.size();
    to.u64(is_tagged ? tagged_format << 56 | count << 8 | tagged_format : count);
    for (const auto& [source, list] : intervals_) {
        for (const auto byte : source.server.bytes) to.u8(byte);
        if (is_tagged) {
            // A variable-length integer of the server's serialization library, in its form of one byte.
            to.u8(static_cast<std::uint8_t>(source.tag.size() << 1));
            to.text(source.tag);
        }
        to.u64(list.size());
        for (const auto& interval : list) {
            to.u64(interval.first);
            to.u64(interval.last + 1);
        }
    }
    return out;
}

decode_result<gtid_set> gtid_set::decode(byte_view bytes) {
    event_cursor cursor(bytes);
    const std::uint64_t head = cursor.u64();
    const std::uint64_t format = head >> 56;
    if (format > tagged_format) return decode_error{decode_errc::unsupported, "GTID set: unknown binary form"};
    const bool is_tagged = format == tagged_format;
    const std::uint64_t source_count = is_tagged ? (head >> 8) & 0xFFFFFFFFFFFF : head;

    interval_lists lists;
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; cursor.ok() && i < source_count; ++i) {
        const auto server = cursor.bytes(uuid::size);
        if (!cursor.ok()) break;
        gtid_source source{uuid::from_bytes(server), {}};
        if (is_tagged) {
            const std::uint8_t encoded_size = cursor.u8();
            if ((encoded_size & 1) != 0) return malformed("tag is too long");
            source.tag = cursor.text(encoded_size >> 1);
            if (!source.tag.empty() && !is_gtid_tag(source.tag)) return malformed("impossible tag");
        }
        const std::uint64_t interval_count = cursor.u64();
        total += interval_count;
        if (interval_count > interval_count_max || total > interval_count_max) {
            return decode_error{decode_errc::too_large, "GTID set: too many intervals"};
        }
        auto& list = lists[source];
        for (std::uint64_t k = 0; cursor.ok() && k < interval_count; ++k) {
            const std::uint64_t first = cursor.u64();
            const std::uint64_t end = cursor.u64();
            if (!cursor.ok()) break;
            if (first == 0 || first >= end || end - 1 > gtid_number_max) return malformed("impossible interval");
            list.push_back({first, end - 1});
        }
    }
    if (!cursor.ok()) return cursor.error("GTID set");
    if (!cursor.empty()) return malformed("bytes after its end");
    return of(std::move(lists));
}

}  // namespace sluice::binlog
