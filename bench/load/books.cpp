#include "bench/load/books.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace sluice::load {
namespace {

/// A well-mixed number of its argument alone (the finaliser of splitmix64, Steele, Lea and Flood 2014).
std::uint64_t mixed(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

}  // namespace

std::string note_text(std::uint32_t note) {
    static constexpr std::array<std::string_view, 8> words = {"leave",  "at the door", "fragile",         "süß",
                                                              "поздно", "急ぎ",        "gift \U0001F381", "call first"};
    const std::uint64_t bits = mixed(note);
    std::string result = std::to_string(note);
    for (std::uint64_t i = 0; i < bits % 6; ++i) {
        result += ' ';
        result += words[(bits >> (8 + 3 * i)) & 7];
    }
    return result;
}

std::string amount_text(std::int64_t cents) {
    char text[32];
    std::snprintf(text, sizeof text, "%s%lld.%02lld", cents < 0 ? "-" : "", std::llabs(cents) / 100,
                  std::llabs(cents) % 100);
    return text;
}

std::string updated_at_text(std::uint64_t updated_at_us) {
    using namespace std::chrono;
    const sys_days first = year{2024} / January / 1;
    const sys_time<microseconds> moment = first + microseconds(updated_at_us);
    const auto day = floor<days>(moment);
    const year_month_day date(day);
    const hh_mm_ss time(moment - day);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d.%06d", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return text;
}

order_row filled_row(std::uint64_t id) {
    const std::uint64_t bits = mixed(id);
    order_row row;
    row.customer = static_cast<std::int32_t>(bits % 20'000);
    row.status = static_cast<std::uint8_t>((bits >> 20) % status_count);
    row.amount_cents = static_cast<std::int64_t>((bits >> 24) % 1'000'000);
    row.note = static_cast<std::uint32_t>(bits >> 32);
    row.updated_at_us = id * 1'000'003;
    return row;
}

std::vector<std::string> texts(const order_row& row) {
    return {std::to_string(row.customer), status_names[row.status], amount_text(row.amount_cents), note_text(row.note),
            updated_at_text(row.updated_at_us)};
}

maybe_row books::at(std::uint64_t id) const {
    if (const auto found = changed_.find(id); found != changed_.end()) return found->second;
    if (id >= 1 && id <= filled_rows_) return filled_row(id);
    return std::nullopt;
}

void books::set(std::uint64_t id, maybe_row row) { changed_[id] = row; }

void books::merge(books&& other) {
    changed_.merge(other.changed_);
    for (auto& transaction : other.doubtful_) doubtful_.push_back(std::move(transaction));
}

}  // namespace sluice::load
