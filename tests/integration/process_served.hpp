#pragma once

// A whole Sluice in front of a real server, for tests that command it from outside.

#include "tests/integration/process_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

/// A served Sluice on free ports.
class served {
public:
    /// proxy_settings: further lines of [proxy].
    explicit served(const mysql_server& server, const std::string& proxy_settings = {})
        : served(server.port(), proxy_settings) {}
    /// server_port: of a server that knows the accounts of every test's server.
    explicit served(std::uint16_t server_port, const std::string& proxy_settings = {})
        : config_(folder_.write_config(server_port, sluice_password, "127.0.0.1:0", "127.0.0.1:0", proxy_settings)),
          process_({"serve", "--config", config_}) {
        read_ports();
    }

    finished run(std::vector<std::string> arguments) const {
        return run_sluice(arguments, {"SLUICE_URL=" + url_, "SLUICE_TOKEN_FILE=" + token_file()});
    }
    /// The id of the migration that the command begins.
    std::string begin(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "migrate");
        const auto end = run(arguments);
        INFO(end.err);
        REQUIRE(end.exit_code == 0);
        REQUIRE(end.out.starts_with("migration "));
        return end.out.substr(10, 16);
    }
    [[nodiscard]] boost::json::object show(const std::string& id) const {
        const auto end = run({"show", id, "--json"});
        INFO(end.err);
        REQUIRE(end.exit_code == 0);
        return boost::json::parse(end.out).as_object();
    }
    /// Asks until `holds` is true of what `show` says of the migration, and returns that; fails the test when the
    /// migration ends before, or two minutes pass.
    template <class Holds>
    boost::json::object wait_until(const std::string& id, const std::string& what, Holds holds) const {
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        for (;; std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
            boost::json::object now = show(id);
            if (holds(now)) return now;
            INFO("waiting for: " << what << '\n' << boost::json::serialize(now));
            REQUIRE(now.at("ended").is_null());
            REQUIRE(std::chrono::steady_clock::now() < until);
        }
    }
    /// Waits until the migration is in this state.
    boost::json::object wait_for(const std::string& id, const std::string& state) const {
        return wait_until(id, state, [&](const auto& now) { return now.at("state").as_string() == state; });
    }
    [[nodiscard]] sql_connection client() const { return {proxy_port_, app_user, app_password, "test"}; }

    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] std::string token_file() const { return (folder_.path() / "admin.token").string(); }
    [[nodiscard]] const std::string& config() const { return config_; }
    config_folder& folder() { return folder_; }
    sluice_process& process() { return process_; }

private:
    void read_ports() {
        const std::string log = process_.wait_for_message("admin port: ");
        url_ = log.substr(log.rfind("http://"));
        const auto at = log.find("serves 127.0.0.1:") + 17;
        proxy_port_ = static_cast<std::uint16_t>(std::stoul(log.substr(at)));
    }

    config_folder folder_;
    std::string config_;
    sluice_process process_;
    std::string url_;
    std::uint16_t proxy_port_ = 0;
};

/// Makes test.<table> (id INT PRIMARY KEY, v VARCHAR(20)) with `count` rows.
inline void fill(const mysql_server& server, const std::string& table, int count) {
    sql_connection sql = connect(server, "test");
    sql.exec("CREATE TABLE " + table + " (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)");
    sql.exec("SET SESSION cte_max_recursion_depth = 1000000");
    sql.exec("INSERT INTO " + table + " WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < " +
             std::to_string(count) + ") SELECT i, CONCAT('v', i) FROM n");
}

}  // namespace sluice::test
