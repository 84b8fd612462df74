// The throttle that only a proxy can have: the clients' own latency.

#include "tests/integration/migration/writer_threads.hpp"
#include "tests/integration/process_served.hpp"
#include "tests/integration/process_throttle_scene.hpp"

#include <boost/json/serialize.hpp>

#include <atomic>
#include <regex>
#include <utility>

namespace {

using namespace sluice::test;
namespace json = boost::json;

/// Clients of the proxy that say one statement after the other. What is slow is so by far: a busy machine's stalls,
/// which raise what is taken for usual, do not come near it.
class busy_clients {
public:
    explicit busy_clients(const served& sluice) {
        threads_.start(8, [this, &sluice](unsigned) {
            sql_connection sql = sluice.client();
            while (!threads_.stopping()) {
                sql.exec(slow ? "DO SLEEP(1)" : "DO SLEEP(0.01)");
                ++said;
            }
        });
    }
    /// Ends them; throws what one of them met.
    void stop() { threads_.stop(); }

    std::atomic<bool> slow{false};
    std::atomic<std::uint64_t> said{0};

private:
    writer_threads threads_;
};

}  // namespace

TEST_CASE("clients who wait longer than before hold a migration back, until they do not", "[process][throttle]") {
    const auto server = mysql_server::start();
    fill(server, "t", 20'000);
    served sluice(server);
    busy_clients clients(sluice);
    // Slowly, so that the copy lasts as long as the test wants.
    const std::string id = sluice.begin({"--schema", "test", "--table", "t", "--alter", "ADD COLUMN c INT",
                                         "--max-client-latency-rise-percent", "100", "--min-client-latency-ms", "150",
                                         "--client-latency-window-ms", "1000", "--chunk-rows-fixed", "10",
                                         "--copy-workers", "1", "--nice-percent", "2000"});
    json::object seen;
    const auto wait_for = [&](const std::string& what, auto condition) {
        wait_until(what, [&] {
            seen = sluice.show(id);
            INFO(json::serialize(seen));
            REQUIRE(seen.at("ended").is_null());
            return condition(std::string(seen.at("throttled_by").as_string()));
        });
    };
    const auto copied = [&] { return seen.at("rows_copied").to_number<std::uint64_t>(); };
    wait_for("the measuring",
             [](const std::string& why) { return why == "client-latency: measuring how it is without the copy"; });
    CHECK(copied() == 0);
    wait_for("the copy", [&](const std::string& why) { return why.empty() && copied() != 0; });
    CHECK(seen.at("client_latency_baseline_us").to_number<int>() >= 10'000);

    clients.slow = true;
    wait_for("the throttle", [](const std::string& why) { return why.starts_with("client-latency p99="); });
    const std::string why(seen.at("throttled_by").as_string());
    INFO(why);
    CHECK(std::regex_match(why,
                           std::regex(R"(client-latency p99=\d+\.\dms >= \d+\.\dms \(\d+\.\dms without the copy\))")));
    // Nothing is copied any more but what was under way, between two figures of the throttle.
    wait_for("the last chunk", [&, last = std::uint64_t{0}](const std::string&) mutable {
        return std::exchange(last, copied()) == copied();
    });
    const std::uint64_t at_rest = copied();
    const std::uint64_t said = clients.said;
    wait_for("more slow statements", [&](const std::string&) { return clients.said > said + 16; });
    CHECK(copied() <= at_rest + 20);  // a chunk of each worker, begun before

    clients.slow = false;
    wait_for("the release", [&](const std::string& now) { return now.empty() && copied() > at_rest; });
    const auto done = sluice.run({"settings", id, "--nice-percent", "0", "--chunk-rows-fixed", "10000",
                                  "--max-client-latency-rise-percent", "0"});
    REQUIRE(done.exit_code == 0);
    seen = sluice.wait_for(id, "completed");
    CHECK(seen.at("client_latency_p99_us").is_null());
    clients.stop();
}

TEST_CASE("gh-ost --via: the clients' latency holds the job back where its Sluice is configured so, and is shown",
          "[process][ghost][throttle]") {
    const auto server = mysql_server::start();
    fill(server, "t", 20'000);
    served sluice(server,
                  "[migration]\nmax_client_latency_rise_percent = 100\nmin_client_latency_ms = 150\n"
                  "client_latency_window_ms = 1000\n");
    busy_clients clients(sluice);
    const std::string socket = (sluice.folder().path() / "gh.sock").string();
    sluice_process job({"gh-ost", "--via=" + sluice.url(), "--token-file=" + sluice.token_file(), "--database=test",
                        "--table=t", "--serve-socket-file=" + socket, "--alter=ADD COLUMN c INT", "--chunk-size=10",
                        "--nice-ratio=20", "--execute"});
    ghost::wait_for_answer(socket, "sup", "State: throttled, client-latency: measuring how it is without the copy");
    ghost::wait_for_answer(socket, "sup", "State: migrating");
    clients.slow = true;
    const std::string held = ghost::wait_for_answer(socket, "sup", "State: throttled, client-latency p99=");
    INFO(held);
    CHECK(std::regex_search(held, std::regex(R"(p99=\d+\.\dms >= \d+\.\dms \(\d+\.\dms without the copy\))")));
    clients.slow = false;
    ghost::wait_for_answer(socket, "sup", "State: migrating");
    ghost::tell(socket, "nice-ratio=0");
    ghost::tell(socket, "chunk-size=10000");
    const auto end = job.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(ghost::holds(end.out, "State: throttled, client-latency p99="));
    clients.stop();
}
