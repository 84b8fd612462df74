#include "proxy/main/compression_config.hpp"

#include <array>

namespace sluice {

using protocol::compression_algorithm;

void read_client_compression(toml_section& section, session::compression_rules& rules) {
    std::vector<std::string> names{"zlib", "zstd"};
    section.texts("compression", names);
    rules.offers_zlib = rules.offers_zstd = false;
    for (const std::string& name : names) {
        if (name == "zlib") {
            rules.offers_zlib = true;
        } else if (name == "zstd") {
            rules.offers_zstd = true;
        } else {
            section.problem("compression", "may have \"zlib\" and \"zstd\" (or neither), not \"" + name + "\"");
        }
    }
}

void read_server_compression(toml_section& section, session::compression_rules& rules) {
    constexpr std::array<std::string_view, 3> names{"none", "zlib", "zstd"};
    std::string name = "none";
    section.one_of("compression", name, names);
    rules.to_server = compression_algorithm::none;
    if (name == "zlib") rules.to_server = compression_algorithm::zlib;
    if (name == "zstd") rules.to_server = compression_algorithm::zstd;
    section.number("zstd_level", rules.server_zstd_level, 1, protocol::zstd_level_max);
}

}  // namespace sluice
