// How much a hop through the proxy costs. Not run by default: `integration_proxy "[throughput]"`.

#include "tests/integration/proxy_fixture.hpp"

#include <atomic>
#include <iostream>

#include <sys/resource.h>

namespace sluice::test {
namespace {

double cpu_seconds(int who) {
    rusage usage{};
    getrusage(who, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct measured {
    double per_second = 0;
    double proxy_cpu_us = 0;  // per statement
};

measured run(std::uint16_t port, int connections, std::chrono::milliseconds time) {
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> done{0};
    std::atomic<double> clients_cpu{0};
    std::vector<std::thread> threads;
    const auto all_cpu = cpu_seconds(RUSAGE_SELF);
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < connections; ++i) {
        threads.emplace_back([&, i] {
            const auto cpu = cpu_seconds(RUSAGE_THREAD);
            sql_connection connection(port, app_user, app_password, "test");
            for (int n = i; !stop; ++n) {
                (void)connection.query("SELECT v FROM fast WHERE id = " + std::to_string(n % 100 + 1));
                ++done;
            }
            clients_cpu += cpu_seconds(RUSAGE_THREAD) - cpu;
        });
    }
    std::this_thread::sleep_for(time);
    stop = true;
    for (auto& thread : threads) thread.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    const auto proxy_cpu = cpu_seconds(RUSAGE_SELF) - all_cpu - clients_cpu;
    const auto count = static_cast<double>(done.load());
    return {count / took.count(), proxy_cpu * 1e6 / count};
}

TEST_CASE("point reads through the proxy against direct ones", "[.][throughput]") {
    make_table(server_kind::mysql_9_7, "fast", 100);
    const proxy_under_test proxied;
    const auto direct_port = shared_server(server_kind::mysql_9_7).port();
    for (const int connections : {1, 8}) {
        for (const bool watched : {false, true}) {
            std::unique_ptr<proxy::table_gate> gate;
            if (watched) gate = proxied.proxy->gates().watch({"test", "another"});
            std::vector<double> ratios;
            measured direct, through;
            for (int round = 0; round < 5; ++round) {
                direct = run(direct_port, connections, 1000ms);
                through = run(proxied.port(), connections, 1000ms);
                ratios.push_back(through.per_second / direct.per_second);
            }
            std::sort(ratios.begin(), ratios.end());
            std::cout << connections << " connections" << (watched ? ", a table watched" : "") << ": direct "
                      << direct.per_second << "/s, proxied " << through.per_second << "/s, median ratio " << ratios[2]
                      << ", proxy CPU " << through.proxy_cpu_us << " us per statement\n";
            CHECK(ratios[2] > 0.1);
        }
    }
}

}  // namespace
}  // namespace sluice::test
