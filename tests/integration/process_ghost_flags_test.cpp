// Flags of `sluice gh-ost` about names, columns, warnings and the way to the server.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/integration/tls_authority.hpp"

#include <cstdlib>
#include <iterator>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

void add(std::vector<std::string>& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

std::string without(std::vector<std::string>& words, const std::string& begin) {
    std::erase_if(words, [&begin](const std::string& word) { return word.starts_with(begin); });
    return begin;
}

}  // namespace

TEST_CASE("--force-table-names names the tables, --skip-renamed-columns leaves values behind", "[process][ghost]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(static_cast<int>(kind));
    scene s(kind);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 64);
    touch(s.folder.file("postpone"));
    const auto words = s.words("t", {"--alter=CHANGE v w VARCHAR(30) NOT NULL DEFAULT 'new'", "--skip-renamed-columns",
                                     "--force-table-names=other", "--checkpoint", "--execute",
                                     "--postpone-cut-over-flag-file=" + s.folder.file("postpone")});
    sluice_process run(words);
    const std::string status = wait_for_answer(s.folder.file("sock"), "status", "postponing cut-over");
    CHECK(holds(status, "Ghost table is `my_db`.`_other_gho`"));
    CHECK(exists(*s.sql, "my_db", "\\_other\\_gh_") == "3");
    CHECK(exists(*s.sql, "my_db", "\\_t\\_%") == "0");
    std::filesystem::remove(s.folder.file("postpone"));
    const finished end = run.wait();
    INFO(end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.one("SELECT CONCAT(COUNT(*), MIN(w), MAX(w)) FROM t") == "64newnew");
    CHECK(s.one("SELECT CONCAT(COUNT(*), MIN(v), MAX(v)) FROM _other_del") == "64firstfirst");

    // Left out: gh-ost asks first. Without a value for the new column there is none that could be left out.
    s.sql->exec("CREATE TABLE u " + std::string(plain_table));
    const finished asked = run_sluice(s.words("u", {"--alter=CHANGE v w VARCHAR(30) NOT NULL", "--execute"}));
    CHECK(asked.exit_code == 1);
    CHECK(holds(asked.err, "as follows: map[v:w]"));
    CHECK(holds(asked.err, "you can skip renamed columns via `--skip-renamed-columns`"));
    const finished leftover = run_sluice(s.words("t", {"--alter=ADD y INT", "--force-table-names=other", "--execute"}));
    CHECK(leftover.exit_code == 1);
    CHECK(holds(leftover.err, "Table `my_db`.`_other_del` already exists. Panicking."));
}

TEST_CASE("--panic-on-warnings: what gh-ost would warn of ends the run, with the flag and without",
          "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    s.sql->exec("INSERT INTO t (v) VALUES ('twice'), ('once'), ('twice')");
    for (const bool given : {true, false}) {
        auto words = s.words("t", {"--alter=ADD UNIQUE KEY one_v (v)", "--execute"});
        if (given) add(words, {"--panic-on-warnings"});
        const finished end = run_sluice(words);
        INFO(end.err);
        CHECK(end.exit_code == 1);
        CHECK(holds(end.err, "twice"));
        CHECK(holds(end.err, "# Note: --panic-on-warnings") == given);
        CHECK(s.one("SELECT COUNT(*) FROM t") == "3");
    }
}

TEST_CASE("--ask-pass and --conf give the password", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    auto words = s.words("t", {"--alter=ADD x INT", "--execute", "--initially-drop-old-table"});
    without(words, "--password=");
    const finished refused = run_sluice(words);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "Access denied"));

    std::ofstream(s.folder.file("conf")) << "[client]\nuser = nobody\npassword = 'W-secret'\n";
    auto by_file = words;
    add(by_file, {"--conf=" + s.folder.file("conf")});
    const finished from_file = run_sluice(by_file);
    INFO(from_file.err);
    CHECK(from_file.exit_code == 0);

    s.sql->exec("ALTER TABLE t DROP COLUMN x");
    std::string command = "printf 'W-secret\\n' | '" SLUICE_BINARY "'";
    for (const std::string& word : words) command += " '" + word + "'";
    command += " --ask-pass > '" + s.folder.file("out") + "' 2>&1";
    CHECK(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c)
    std::ifstream said(s.folder.file("out"));
    CHECK(holds({std::istreambuf_iterator<char>(said), {}}, "Password:"));
    CHECK(s.one("SELECT COUNT(x) FROM t") == "0");
}

TEST_CASE("TLS to the server, as --ssl and its companions say", "[process][ghost]") {
    tls_authority ca("CA");
    tls_authority stranger("stranger");
    const auto shown = ca.issue("server", "IP:127.0.0.1");
    const auto own = ca.issue("ghoster");
    server_options options;
    options.extra_arguments = {"--ssl-ca=" + ca.ca_file().string(), "--ssl-cert=" + shown.certificate.string(),
                               "--ssl-key=" + shown.key.string()};
    const auto server = mysql_server::start(options);
    make_account(server, "my_db");
    sql_connection root = connect(server, "my_db");
    root.exec("CREATE TABLE t " + std::string(plain_table));
    const scratch_folder folder;
    const auto run = [&](const std::vector<std::string>& more) {
        const std::vector<std::string> always{"--alter=ENGINE=InnoDB", "--allow-on-master", "--ok-to-drop-table",
                                              "--execute"};
        return run_sluice(words_for(server, folder, "my_db", "t", joined(always, more)));
    };
    const std::string authority = "--ssl-ca=" + ca.ca_file().string();
    const std::string certificate = "--ssl-cert=" + own.certificate.string();
    const std::string key = "--ssl-key=" + own.key.string();

    root.exec("ALTER USER ghoster@'%' REQUIRE SSL");
    CHECK(run({}).exit_code == 1);
    const finished trusted = run({"--ssl", authority});
    INFO(trusted.err);
    CHECK(trusted.exit_code == 0);
    CHECK(run({"--ssl", "--ssl-ca=" + stranger.ca_file().string()}).exit_code == 1);
    CHECK(run({"--ssl"}).exit_code == 1);  // nobody of this machine's authorities knows the server
    CHECK(run({"--ssl", "--ssl-allow-insecure"}).exit_code == 0);

    root.exec("ALTER USER ghoster@'%' REQUIRE X509");
    CHECK(run({"--ssl", authority}).exit_code == 1);
    const finished with_own = run({"--ssl", authority, certificate, key});
    INFO(with_own.err);
    CHECK(with_own.exit_code == 0);
}
