// Passwords in clear, and a plugin that Sluice knows nothing of but that: MariaDB's PAM accounts, whose clients speak
// mysql_clear_password or dialog as the server is told.

#include "tests/integration/proxy_crossing.hpp"
#include "tests/integration/tls_authority.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* right_password = "behind pam";

/// A PAM service `sluice` that knows one password, in a folder of its own.
struct pam_service {
    explicit pam_service(const fs::path& where) : folder(where / "pam.d") {
        fs::create_directories(folder);
        const auto check = folder / "check";
        // pam_exec ends the password with a zero byte.
        std::ofstream(check) << "test \"$(tr -d '\\000')\" = '" << right_password << "'\n";
        std::ofstream(folder / "sluice") << "auth required pam_exec.so expose_authtok quiet /bin/sh " << check.string()
                                         << "\naccount required pam_permit.so\n";
    }
    fs::path folder;
};

server_options with_pam(const pam_service& service, const issued_certificate& shown, const char* in_clear) {
    server_options made;
    made.kind = server_kind::mariadb_10_11;
    made.extra_arguments = {"--plugin-dir=" + mariadb_plugins("auth_pam_v1"), "--plugin-load-add=auth_pam_v1",
                            std::string("--pam-use-cleartext-plugin=") + in_clear,
                            "--ssl-cert=" + shown.certificate.string(), "--ssl-key=" + shown.key.string()};
    made.extra_environment = {"SLUICE_PAM_FOLDER=" + service.folder.string(), "LD_PRELOAD=" SLUICE_PAM_IN_FOLDER};
    return made;
}

std::string refusal(const connect_options& options) {
    try {
        sql_connection made(options);
        return "";
    } catch (const sql_error& failure) {
        return std::to_string(failure.number()) + " " + failure.what();
    }
}

TEST_CASE("MariaDB's PAM accounts log in by clear text and by dialog, and never from TLS to a plain server") {
    tls_authority ca("the server's");
    const auto shown = ca.issue("mariadb");
    const pam_service service(ca.folder());
    for (const char* in_clear : {"ON", "OFF"}) {
        auto server = mysql_server::start(with_pam(service, shown, in_clear));
        auto root = connect(server);
        root.exec("CREATE USER pam@'%' IDENTIFIED VIA pam USING 'sluice'");
        root.exec("CREATE USER native@'%' IDENTIFIED BY 'secret'");
        for (const auto to_server : every_way) {
            const crossing through(server_kind::mariadb_10_11, to_server, server);
            for (const auto from_client : every_way) {
                INFO("pam_use_cleartext_plugin=" << in_clear << ": " << name_of(from_client) << " to "
                                                 << name_of(to_server));
                const auto options = through.as(from_client, "pam", right_password, "");
                if (from_client != way::plain && to_server == way::plain) {
                    CHECK_THAT(refusal(options),
                               Catch::Matchers::Contains("1043") && Catch::Matchers::Contains("set server.tls"));
                    continue;
                }
                sql_connection made(options);
                CHECK(made.scalar("SELECT CURRENT_USER()") == "pam@%");
                made.change_user("native", "secret", "");
                CHECK(made.scalar("SELECT CURRENT_USER()") == "native@%");
                made.change_user("pam", right_password, "");
                CHECK(made.scalar("SELECT CURRENT_USER()") == "pam@%");
                CHECK_THAT(refusal(through.as(from_client, "pam", "wrong", "")), Catch::Matchers::StartsWith("1045 "));
            }
        }
    }
}

}  // namespace
}  // namespace sluice::test
