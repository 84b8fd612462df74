#include "proxy/main/compression_config.hpp"
#include "tests/support/catch.hpp"

#include <map>

namespace {

using namespace sluice;
using protocol::compression_algorithm;

struct outcome {
    session::compression_rules rules;
    std::vector<config_problem> problems;
};

template <class Read>
outcome read(const char* name, const std::string& text, Read read_keys) {
    const toml::table root = toml::parse("[" + std::string(name) + "]\n" + text);
    std::map<std::string, std::string> settings;
    outcome made;
    toml_section section(root, name, "sluice.toml", made.problems, settings);
    read_keys(section, made.rules);
    section.finish();
    return made;
}

outcome for_clients(const std::string& text) { return read("proxy", text, read_client_compression); }
outcome for_server(const std::string& text) { return read("server", text, read_server_compression); }

}  // namespace

TEST_CASE("compression that is offered to clients", "[config]") {
    struct example {
        const char* text;
        bool zlib;
        bool zstd;
    };
    for (const auto& [text, zlib, zstd] :
         {example{"", true, true}, example{"compression = [\"zlib\", \"zstd\"]", true, true},
          example{"compression = [\"zstd\"]", false, true}, example{"compression = \"zlib\"", true, false},
          example{"compression = []", false, false}}) {
        CAPTURE(text);
        const auto made = for_clients(text);
        CHECK(made.problems.empty());
        CHECK(made.rules.offers_zlib == zlib);
        CHECK(made.rules.offers_zstd == zstd);
    }
    for (const char* text :
         {"compression = [\"lz4\"]", "compression = \"none\"", "compression = [1]", "compression = true"}) {
        CAPTURE(text);
        const auto made = for_clients(text);
        REQUIRE(made.problems.size() == 1);
        CHECK(made.problems[0].message.find("proxy.compression") != std::string::npos);
        CHECK(made.problems[0].line == 2);
    }
}

TEST_CASE("compression that the server is asked for", "[config]") {
    const auto made = for_server("");
    CHECK(made.problems.empty());
    CHECK(made.rules.to_server == compression_algorithm::none);
    CHECK(made.rules.server_zstd_level == 3);
    CHECK(for_server("compression = \"none\"").rules.to_server == compression_algorithm::none);
    CHECK(for_server("compression = \"zlib\"").rules.to_server == compression_algorithm::zlib);
    const auto zstd = for_server("compression = \"zstd\"\nzstd_level = 22");
    CHECK(zstd.problems.empty());
    CHECK(zstd.rules.to_server == compression_algorithm::zstd);
    CHECK(zstd.rules.server_zstd_level == 22);
    for (const char* text :
         {"compression = \"lz4\"", "compression = [\"zlib\"]", "zstd_level = 0", "zstd_level = 23"}) {
        CAPTURE(text);
        CHECK(for_server(text).problems.size() == 1);
    }
}
