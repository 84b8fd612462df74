#pragma once

// A set of MySQL GTIDs, as in gtid_executed. Held as disjoint, sorted intervals per source; memory grows with the
// number of intervals, not of transactions.
// Text form: manual, "GTID Format and Storage". Binary form: that of COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS_LOG_EVENT,
// with the tagged layout of MySQL 8.3+ (WL#15294).

#include "protocol/binlog/gtid.hpp"

#include <map>
#include <vector>

namespace sluice::binlog {

/// Both ends belong to it: first <= last.
struct gtid_interval {
    std::uint64_t first = 1;
    std::uint64_t last = 1;

    friend bool operator==(const gtid_interval&, const gtid_interval&) = default;
};

class gtid_set {
public:
    /// More intervals than this in one text or binary form are refused as too_large.
    static constexpr std::size_t interval_count_max = 1'000'000;

    gtid_set() = default;

    /// "uuid:1-5:7,uuid:tag:1-3", also the server's own "uuid:1-5:tag:1-3"; white space and newlines anywhere between
    /// the parts, empty elements allowed (",,"), an empty text is the empty set. Intervals may overlap and be out of
    /// order.
    [[nodiscard]] static decode_result<gtid_set> parse(std::string_view text);
    /// The binary form, the whole of `bytes`.
    [[nodiscard]] static decode_result<gtid_set> decode(byte_view bytes);

    void add(const gtid& one);
    void add(const gtid_source& source, gtid_interval interval);
    void add(const gtid_set& other);
    void subtract(const gtid_set& other);

    [[nodiscard]] bool empty() const noexcept { return intervals_.empty(); }
    [[nodiscard]] bool contains(const gtid& one) const;
    /// True when every member of `other` is a member of this: `other` is a subset.
    [[nodiscard]] bool contains(const gtid_set& other) const;
    /// Number of intervals over all sources.
    [[nodiscard]] std::size_t interval_count() const noexcept;
    /// True when a source with a tag is a member; such a set has the tagged binary form.
    [[nodiscard]] bool has_tags() const noexcept;

    /// As the server prints it, in one line: sources sorted, "uuid:1-5:7:tag:1-3,uuid:1".
    [[nodiscard]] std::string to_string() const;
    /// The binary form: untagged (every server since 5.6) unless a member has a tag, then tagged (8.3+).
    [[nodiscard]] byte_buffer encode() const;

    friend bool operator==(const gtid_set&, const gtid_set&) = default;

private:
    using interval_lists = std::map<gtid_source, std::vector<gtid_interval>>;
    /// Of intervals in any order, overlapping or not.
    [[nodiscard]] static gtid_set of(interval_lists&& lists);

    interval_lists intervals_;
};

}  // namespace sluice::binlog
