#include "protocol/binlog/coordinates.hpp"

#include <charconv>

namespace sluice::binlog {

namespace {

std::string_view base_of(std::string_view file_name) noexcept { return file_name.substr(0, file_name.rfind('.')); }

}  // namespace

std::optional<std::uint64_t> file_number(std::string_view file_name) noexcept {
    const auto dot = file_name.rfind('.');
    if (dot == std::string_view::npos || dot + 1 == file_name.size()) return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = file_name.data() + file_name.size();
    const auto [stop, failure] = std::from_chars(file_name.data() + dot + 1, end, number);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return number;
}

std::string coordinates::to_string() const { return file_name + ":" + std::to_string(position); }

std::partial_ordering operator<=>(const coordinates& left, const coordinates& right) noexcept {
    if (left.file_name == right.file_name) return left.position <=> right.position;
    const auto left_number = file_number(left.file_name);
    const auto right_number = file_number(right.file_name);
    if (!left_number || !right_number || base_of(left.file_name) != base_of(right.file_name)) {
        return std::partial_ordering::unordered;
    }
    if (*left_number != *right_number) return *left_number <=> *right_number;
    return left.position <=> right.position;
}

void position_tracker::advance(const event_header& header) noexcept {
    if (header.end_position == 0 || header.has_flag(event_flag::artificial)) return;
    constexpr std::uint64_t wrap = std::uint64_t{1} << 32;
    std::uint64_t end = (current_.position & ~(wrap - 1)) | header.end_position;
    // An end below the current position is a wrap, unless it is a made-up event that repeats an earlier position (the
    // format description that heads a stream). Those lie less than half the range back.
    if (end < current_.position) {
        if (current_.position - end < wrap / 2) return;
        end += wrap;
    }
    current_.position = end;
}

}  // namespace sluice::binlog
