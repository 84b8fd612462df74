#include "proxy/main/tls_config.hpp"
#include "tests/support/catch.hpp"

#include <map>

namespace {

using namespace sluice;

struct outcome {
    proxy::proxy_options options;
    std::vector<config_problem> problems;
};

outcome read(const std::string& text) {
    const toml::table root = toml::parse(text);
    std::map<std::string, std::string> settings;
    outcome made;
    const auto resolve = [](const std::string& path) { return std::filesystem::path("/conf") / path; };
    toml_section proxy(root, "proxy", "sluice.toml", made.problems, settings);
    read_client_tls(proxy, resolve, made.options);
    proxy.finish();
    toml_section server(root, "server", "sluice.toml", made.problems, settings);
    read_server_tls(server, resolve, made.options);
    server.finish();
    return made;
}

}  // namespace

TEST_CASE("TLS is preferred on both sides unless said otherwise", "[config]") {
    const auto made = read("[proxy]\n[server]\n");
    CHECK(made.problems.empty());
    CHECK(made.options.tls.client.mode == proxy::client_tls_mode::preferred);
    CHECK(made.options.tls.server.mode == proxy::server_tls_mode::preferred);
    CHECK(made.options.tls.client.certificate_file.empty());
}

TEST_CASE("what contradicts itself about TLS is refused with the key", "[config]") {
    struct example {
        const char* text;
        const char* key;
    };
    for (const auto& [text, key] : {
             example{"[proxy]\ntls = \"maybe\"\n[server]\n", "proxy.tls"},
             example{"[proxy]\ntls_cert_file = \"c.pem\"\n[server]\n", "proxy.tls_cert_file"},
             example{"[proxy]\ntls_key_file = \"k.pem\"\n[server]\n", "proxy.tls_key_file"},
             example{"[proxy]\ntls_client_cert = \"optional\"\n[server]\n", "proxy.tls_client_cert"},
             example{"[proxy]\ntls_client_cert = \"required\"\ntls_client_ca_file = \"ca.pem\"\n[server]\n",
                     "proxy.tls_client_cert"},
             example{"[proxy]\n[server]\ntls = \"verify\"\n", "server.tls"},
             example{"[proxy]\n[server]\ntls_ca_file = \"ca.pem\"\n", "server.tls_ca_file"},
             example{"[proxy]\ntls = \"disabled\"\n[server]\ntls = \"as_client\"\n", "server.tls"},
         }) {
        CAPTURE(text);
        const auto made = read(text);
        REQUIRE(made.problems.size() == 1);
        CHECK(made.problems[0].message.find(std::string("`") + key + "`") != std::string::npos);
    }
}

TEST_CASE("the engine's connections are as safe as the proxy's", "[config]") {
    struct example {
        const char* mode;
        migration::tls_mode engine;
    };
    for (const auto& [mode, engine] :
         {example{"disabled", migration::tls_mode::disabled}, example{"preferred", migration::tls_mode::preferred},
          example{"required", migration::tls_mode::required}, example{"verify_ca", migration::tls_mode::verify_ca},
          example{"verify_identity", migration::tls_mode::verify_identity},
          example{"as_client", migration::tls_mode::preferred}}) {
        CAPTURE(mode);
        const std::string text = std::string("[proxy]\n[server]\ntls = \"") + mode + "\"\n" +
                                 "tls_cert_file = \"c.pem\"\ntls_key_file = \"k.pem\"\n";
        const auto made = read(text);
        CHECK(made.problems.empty());
        const auto tls = engine_tls(made.options);
        CHECK(tls.mode == engine);
        CHECK(tls.cert_file == "/conf/c.pem");
        CHECK(tls.key_file == "/conf/k.pem");
        CHECK(tls.ca_file.empty());
    }
    CHECK(engine_tls(read("[proxy]\n[server]\ntls = \"verify_ca\"\ntls_ca_file = \"ca.pem\"\n").options).ca_file ==
          "/conf/ca.pem");
}
