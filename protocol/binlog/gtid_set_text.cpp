// gtid_set::parse: the text form of a GTID set.

#include "protocol/binlog/gtid_set.hpp"

#include <charconv>
#include <utility>

namespace sluice::binlog {

namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// Cuts `text` at the next separator and returns the part before it without surrounding white space.
std::string_view take_part(std::string_view& text, char separator) noexcept {
    const auto at = text.find(separator);
    const auto part = trimmed(text.substr(0, at));
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    return part;
}

decode_error malformed(const char* what, std::string_view where) {
    constexpr std::size_t shown_max = 80;
    const std::string shown(where.substr(0, shown_max));
    return {decode_errc::malformed, std::string("GTID set: ") + what + ": '" + shown + "'"};
}

decode_result<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || stop != end || number == 0 || number > gtid_number_max) {
        return malformed("not a transaction number", text);
    }
    return number;
}

decode_result<gtid_interval> parse_interval(std::string_view part) {
    const auto hyphen = part.find('-');
    gtid_interval interval;
    SLUICE_TRY(interval.first, parse_number(trimmed(part.substr(0, hyphen))));
    interval.last = interval.first;
    if (hyphen != std::string_view::npos) {
        SLUICE_TRY(interval.last, parse_number(trimmed(part.substr(hyphen + 1))));
    }
    if (interval.last < interval.first) return malformed("interval runs backwards", part);
    return interval;
}

std::string lower_case(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
}

}  // namespace

decode_result<gtid_set> gtid_set::parse(std::string_view text) {
    interval_lists lists;
    std::size_t count = 0;
    while (!text.empty()) {
        auto element = take_part(text, ',');
        if (element.empty()) continue;
        gtid_source source;
        SLUICE_TRY(source.server, uuid::parse(take_part(element, ':')));
        bool has_interval = false;
        bool awaits_interval = false;
        while (!element.empty()) {
            const auto part = take_part(element, ':');
            if (part.empty()) return malformed("nothing between two colons", part);
            if (part.front() >= '0' && part.front() <= '9') {
                if (++count > interval_count_max) {
                    return decode_error{decode_errc::too_large, "GTID set: too many intervals"};
                }
                SLUICE_TRY(const auto interval, parse_interval(part));
                lists[source].push_back(interval);
                has_interval = true;
                awaits_interval = false;
            } else {
                source.tag = lower_case(part);
                if (!is_gtid_tag(source.tag)) return malformed("not a tag", part);
                if (awaits_interval) return malformed("tag without transaction numbers", part);
                awaits_interval = true;
            }
        }
        if (!has_interval || awaits_interval) {
            return malformed("source without transaction numbers", source.server.to_string());
        }
    }
    return of(std::move(lists));
}

}  // namespace sluice::binlog
