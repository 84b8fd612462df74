#include "bench/load/statements.hpp"

namespace sluice::load {
namespace {

bool same_amount(const std::string& expected, std::string found) {
    while (found.size() > expected.size() && found.back() == '0') found.pop_back();
    return found == expected;
}

}  // namespace

bool matches(const order_row& expected, const cells& found) {
    constexpr std::size_t amount = 2;
    const auto wanted = texts(expected);
    if (found.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!found[i]) return false;
        if (i == amount ? !same_amount(wanted[i], *found[i]) : wanted[i] != *found[i]) return false;
    }
    return true;
}

std::string shown(const cells& row) {
    std::string result;
    for (const auto& cell : row) result += (result.empty() ? "" : " | ") + cell.value_or("NULL");
    return result;
}

std::string shown(const maybe_row& row) {
    if (!row) return "no row";
    const auto values = texts(*row);
    return shown(cells(values.begin(), values.end()));
}

}  // namespace sluice::load
