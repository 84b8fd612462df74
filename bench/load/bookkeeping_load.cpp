#include "bench/load/bookkeeping_load.hpp"

#include "bench/load/load_client.hpp"

#include <mysql.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace sluice::load {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t messages_kept = 10;

double seconds_between(steady_clock::time_point begin, steady_clock::time_point end) {
    return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

struct bookkeeping_load::everything {
    load_scene scene;
    std::vector<std::unique_ptr<load_client>> clients;
    std::vector<std::thread> threads;
    std::vector<std::string> labels;
    std::vector<double> seconds;  // of each label
    steady_clock::time_point phase_began;
    books total;
    bool running = false;
};

bookkeeping_load::bookkeeping_load(load_options options) : state_(std::make_unique<everything>()) {
    if (options.connections == 0) throw load_error("a load needs at least one connection");
    if (options.transaction_statements_min > options.transaction_statements_max) {
        throw load_error("transactions of at least " + std::to_string(options.transaction_statements_min) +
                         " and at most " + std::to_string(options.transaction_statements_max) + " statements");
    }
    state_->scene.options = std::move(options);
}

bookkeeping_load::~bookkeeping_load() { stop(); }

void bookkeeping_load::start(std::string label) {
    if (!state_->clients.empty()) throw load_error("a load starts only once");
    // Not safe to be done by several threads at once, which the first mysql_init() of each would.
    mysql_library_init(0, nullptr, nullptr);
    auto& scene = state_->scene;
    for (unsigned number = 0; number < scene.options.connections; ++number) {
        auto& client = state_->clients.emplace_back(std::make_unique<load_client>(scene, number));
        if (const answer outcome = client->connect(); !outcome.ok()) {
            throw load_error("the load cannot connect to " + scene.options.target.host + ":" +
                             std::to_string(scene.options.target.port) + ": " + outcome.message + " (" +
                             std::to_string(outcome.error) + ")");
        }
    }
    state_->running = true;
    state_->labels.push_back(std::move(label));
    state_->seconds.push_back(0);
    state_->phase_began = steady_clock::now();
    for (auto& client : state_->clients) {
        state_->threads.emplace_back([&client = *client] {
            mysql_thread_init();
            client.run();
            mysql_thread_end();
        });
    }
}

void bookkeeping_load::phase(std::string label) {
    auto& state = *state_;
    const auto now = steady_clock::now();
    if (state.running) state.seconds[state.scene.phase] += seconds_between(state.phase_began, now);
    state.phase_began = now;
    auto known = std::find(state.labels.begin(), state.labels.end(), label);
    const auto index = static_cast<std::uint16_t>(known - state.labels.begin());
    if (known == state.labels.end()) {
        state.labels.push_back(std::move(label));
        state.seconds.push_back(0);
    }
    state.scene.phase = index;
}

void bookkeeping_load::stop() {
    auto& state = *state_;
    if (!state.running) return;
    state.scene.stopping = true;
    for (auto& thread : state.threads) thread.join();
    state.running = false;
    state.seconds[state.scene.phase] += seconds_between(state.phase_began, steady_clock::now());
    state.total = books(state.scene.options.filled_rows);
    for (auto& client : state.clients) state.total.merge(client->take_books());
}

std::uint64_t bookkeeping_load::statements_so_far() const { return state_->scene.statements; }
std::uint64_t bookkeeping_load::errors_so_far() const { return state_->scene.errors; }

bool bookkeeping_load::wait_for_statements(std::uint64_t count, std::chrono::milliseconds limit) const {
    const std::uint64_t goal = statements_so_far() + count;
    const auto end = steady_clock::now() + limit;
    while (statements_so_far() < goal) {
        if (steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

load_report bookkeeping_load::report() const {
    if (state_->running) throw load_error("the load still runs");
    load_report result;
    std::vector<std::vector<std::uint32_t>> latencies(state_->labels.size());
    for (const auto& client : state_->clients) {
        for (const auto& sample : client->samples()) {
            if (!sample.lost) latencies[sample.phase].push_back(sample.statement.latency_us);
        }
        const load_report& part = client->counts();
        result.statements += part.statements;
        result.reads += part.reads;
        result.inserts += part.inserts;
        result.updates += part.updates;
        result.deletes += part.deletes;
        result.committed += part.committed;
        result.rolled_back += part.rolled_back;
        result.errors += part.errors;
        result.wrong_answers += part.wrong_answers;
        result.unknown_outcomes += part.unknown_outcomes;
        result.reconnects += part.reconnects;
        for (const auto& message : part.first_errors) {
            if (result.first_errors.size() < messages_kept) result.first_errors.push_back(message);
        }
    }
    for (std::size_t i = 0; i < latencies.size(); ++i) {
        result.phases.push_back(summarise(state_->labels[i], latencies[i], state_->seconds[i]));
    }
    return result;
}

std::vector<timed_statement> bookkeeping_load::timed_statements() const {
    if (state_->running) throw load_error("the load still runs");
    std::vector<timed_statement> result;
    for (const auto& client : state_->clients) {
        for (const auto& sample : client->samples()) result.push_back(sample.statement);
    }
    return result;
}

const books& bookkeeping_load::the_books() const {
    if (state_->running) throw load_error("the load still runs");
    return state_->total;
}

latency_stats summarise(std::string phase, std::vector<std::uint32_t>& latencies_us, double seconds) {
    latency_stats result;
    result.phase = std::move(phase);
    result.statements = latencies_us.size();
    result.seconds = seconds;
    if (latencies_us.empty()) return result;
    std::sort(latencies_us.begin(), latencies_us.end());
    // Nearest rank: the smallest latency that at least this share of the statements kept within.
    const auto rank = [&](std::size_t percent) {
        return latencies_us[(latencies_us.size() * percent + 99) / 100 - 1] / 1000.0;
    };
    result.p50_ms = rank(50);
    result.p99_ms = rank(99);
    result.max_ms = latencies_us.back() / 1000.0;
    return result;
}

}  // namespace sluice::load
