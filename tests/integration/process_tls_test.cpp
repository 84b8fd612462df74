// Certificates of a whole Sluice: read at the start, and again at SIGHUP.

#include "tests/integration/process_runner.hpp"
#include "tests/integration/tls_authority.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"

#include <csignal>
#include <fstream>
#include <sstream>

namespace {

using namespace sluice::test;
namespace fs = std::filesystem;

TEST_CASE("SIGHUP reads the certificates again, and keeps those in force when the new ones are no good", "[process]") {
    const auto server = mysql_server::start();
    tls_authority ca("CA");
    tls_authority next_ca("next CA");
    const config_folder folder;
    const auto install = [&](const issued_certificate& from) {
        fs::copy_file(from.certificate, folder.path() / "cert.pem", fs::copy_options::overwrite_existing);
        fs::copy_file(from.key, folder.path() / "key.pem", fs::copy_options::overwrite_existing);
    };
    install(ca.issue("first", "IP:127.0.0.1"));
    const auto config = folder.write_config(server.port(), sluice_password);
    std::ostringstream text;
    text << std::ifstream(config).rdbuf();
    auto with_tls = text.str();
    const std::string section = "[proxy]\n";
    const auto at = with_tls.find(section);
    REQUIRE(at != std::string::npos);
    with_tls.insert(at + section.size(),
                    "tls = \"required\"\ntls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n"
                    "rsa_public_key_file = \"rsa.pub\"\n");
    folder.write("sluice.toml", with_tls);

    sluice_process sluice({"serve", "--config", config});
    const auto log = sluice.wait_for_message("admin port: ");
    CHECK_THAT(log, Catch::Matchers::Contains("certificate for clients: CN=first, good until 20"));
    CHECK(fs::exists(folder.path() / "rsa.pub"));
    connect_options client;
    client.port = static_cast<std::uint16_t>(std::stoul(log.substr(log.find("serves 127.0.0.1:") + 17)));
    client.user = app_user;
    client.password = app_password;
    const auto login_under = [&](const std::string& ca_file) {
        client.tls = !ca_file.empty();
        client.tls_ca_file = ca_file;
        try {
            sql_connection made(client);
            return std::string("logged in");
        } catch (const sql_error& failure) {
            return std::string(failure.what());
        }
    };
    CHECK(login_under(ca.ca_file()) == "logged in");
    CHECK_THAT(login_under(""), Catch::Matchers::Contains("proxy.tls"));

    folder.write("cert.pem", "no certificate");
    sluice.signal(SIGHUP);
    const auto refused = sluice.wait_for_message("TLS goes on with the certificates that it has");
    CHECK_THAT(refused, Catch::Matchers::Contains((folder.path() / "cert.pem").string() + ": "));
    CHECK(login_under(ca.ca_file()) == "logged in");

    install(next_ca.issue("second", "IP:127.0.0.1"));
    sluice.signal(SIGHUP);
    sluice.wait_for_message("reload: certificate for clients: CN=second");
    CHECK(login_under(next_ca.ca_file()) == "logged in");
    CHECK(login_under(ca.ca_file()) != "logged in");
}

}  // namespace
