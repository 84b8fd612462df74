#include "proxy/net/operator_list.hpp"

#include <algorithm>
#include <utility>

namespace sluice::proxy {

result<operator_list, std::string> operator_list::parse(const std::vector<std::string>& entries) {
    operator_list list;
    for (const std::string& text : entries) {
        const auto at = text.rfind('@');
        if (at == std::string::npos || at == 0) {
            return "entry \"" + text + "\" must be user@from, such as \"dba@%\" or \"dba@10.0.0.0/8\"";
        }
        entry made{.user = text.substr(0, at), .from = {}};
        const std::string from = text.substr(at + 1);
        made.from_anywhere = from == "%";
        if (!made.from_anywhere) {
            auto networks = trusted_networks::parse({from});
            if (!networks) {
                return "entry \"" + text + "\": behind the @ must stand %, an address, a network or \"unix\"";
            }
            made.from = std::move(*networks);
        }
        list.entries_.push_back(std::move(made));
    }
    return list;
}

bool operator_list::contains(std::string_view user, const protocol::stream_address& from) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&](const entry& one) {
        return one.user == user && (one.from_anywhere || one.from.contains(from));
    });
}

}  // namespace sluice::proxy
