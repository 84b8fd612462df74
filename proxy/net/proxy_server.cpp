#include "proxy/net/proxy_server.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <thread>

#include "proxy/net/listener.hpp"
#include "proxy/net/login_setup.hpp"
#include "proxy/net/statement_timing.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr unsigned io_threads_max = 256;
constexpr std::size_t login_packet_bytes_least = 4096;
constexpr std::size_t login_packet_bytes_most = std::size_t{1} << 20U;

class running_proxy final : public proxy_server {
public:
    explicit running_proxy(proxy_options options) : surroundings_(std::make_shared<environment>()) {
        surroundings_->options = std::move(options);
    }
    ~running_proxy() override { stop_now(std::chrono::milliseconds(0)); }

    [[nodiscard]] result<void, start_error> begin();

    [[nodiscard]] std::uint16_t port() const override { return listener_->port(); }
    [[nodiscard]] std::vector<std::string> endpoints() const override { return listener_->endpoints(); }
    void stop(std::chrono::milliseconds grace) override { stop_now(grace); }
    [[nodiscard]] gate_control& gates() override { return gates_; }
    [[nodiscard]] proxy_statistics statistics() const override;
    [[nodiscard]] std::vector<session_view> sessions() const override;
    [[nodiscard]] statement_timing& timing() override { return *timing_; }
    [[nodiscard]] result<tls_report, start_error> reload_tls() override;

private:
    void stop_now(std::chrono::milliseconds grace);
    [[nodiscard]] bool wait_until_empty(steady_clock::time_point until) const;
    [[nodiscard]] show_answer answer(const sql::show_request& request) const;
    [[nodiscard]] show_answer status_table() const;
    [[nodiscard]] show_answer sessions_table() const;

    std::shared_ptr<environment> surroundings_;
    std::shared_ptr<gate_hub> hub_ = std::make_shared<gate_hub>();
    gate_control gates_{hub_};
    std::vector<std::shared_ptr<io_thread>> threads_;
    std::unique_ptr<statement_timing> timing_;
    std::unique_ptr<listener> listener_;
    asio::thread_pool answering_{1};
    std::mutex stop_mutex_;
    bool started_ = false;
    bool stopped_ = false;
};

result<void, start_error> check(const proxy_options& options) {
    if (options.io_threads < 1 || options.io_threads > io_threads_max) {
        return start_error{"io_threads must be 1 to 256"};
    }
    if (options.login_packet_bytes_max < login_packet_bytes_least ||
        options.login_packet_bytes_max > login_packet_bytes_most) {
        return start_error{"login_packet_bytes_max must be 4096 to 1048576"};
    }
    if (options.connections_max == 0 || options.unauthenticated_max == 0 || options.release_burst == 0) {
        return start_error{"connections_max, unauthenticated_max and release_burst must be at least 1"};
    }
    if (options.server_socket.empty() && (options.server_host.empty() || options.server_port == 0)) {
        return start_error{"the server's host and port, or its socket, must be given"};
    }
    if (options.listen.empty()) return start_error{"there must be an endpoint to listen on"};
    return {};
}

show_answer not_an_operator() {
    show_answer refused;
    refused.error =
        show_error{1227, "42000",  // ER_SPECIFIC_ACCESS_DENIED_ERROR
                   "Access denied; you need to be one of Sluice's operators (proxy.operators) for this operation"};
    return refused;
}

result<void, start_error> running_proxy::begin() {
    SLUICE_TRY_VOID(check(surroundings_->options));
    const auto& options = surroundings_->options;
    auto networks = trusted_networks::parse(options.proxy_protocol_networks);
    if (!networks) return start_error{"proxy_protocol_networks " + networks.error()};
    surroundings_->header_networks = std::move(*networks);
    auto operators = operator_list::parse(options.operators);
    if (!operators) return start_error{"operators: " + operators.error()};
    surroundings_->operators = std::move(*operators);
    for (unsigned i = 0; i < options.io_threads; ++i) {
        threads_.push_back(std::make_shared<io_thread>(surroundings_, hub_));
    }
    timing_ = std::make_unique<statement_timing>(threads_);
    listener_ = std::make_unique<listener>(surroundings_, threads_);
    SLUICE_TRY_VOID(listener_->open());

    SLUICE_TRY(surroundings_->login, set_up_logins(options, surroundings_->tls));
    surroundings_->relay.answers_shows = static_cast<bool>(options.answer_show);
    surroundings_->ask = [this](sql::show_request request, bool may_command, std::function<void(show_answer)> done) {
        asio::post(answering_, [this, request = std::move(request), may_command, done = std::move(done)] {
            done(request.subject == sql::show_subject::command && !may_command ? not_an_operator() : answer(request));
        });
    };
    for (const auto& thread : threads_) {
        hub_->add_shard([thread](gate_hub::shard_task task) { thread->post_gate_task(std::move(task)); });
        thread->start();
    }
    listener_->start();
    started_ = true;
    const auto server = options.server_socket.empty() ? options.server_host + ":" + std::to_string(options.server_port)
                                                      : options.server_socket;
    for (const auto& endpoint : endpoints()) spdlog::info("proxy: listens on {} for server {}", endpoint, server);
    return {};
}

void running_proxy::stop_now(std::chrono::milliseconds grace) {
    const std::lock_guard lock(stop_mutex_);
    if (!started_ || stopped_) return;
    stopped_ = true;
    listener_->stop();
    for (const auto& thread : threads_) {
        thread->post_gate_task([](gate_shard& shard) {
            for (unsigned slot = 0; slot < session::slots_max; ++slot)
                shard.open(slot, session::gate_end::swapped);  // nobody will tell
        });
        thread->drain();
    }
    hub_->stop();
    if (!wait_until_empty(steady_clock::now() + grace)) {
        spdlog::info("proxy: {} sessions are ended in the middle of their work",
                     surroundings_->counters.sessions.load());
    }
    for (const auto& thread : threads_) thread->close_sessions();
    // No answer may be under way to a session when its thread ends.
    answering_.join();
    for (const auto& thread : threads_) thread->join();
}

bool running_proxy::wait_until_empty(steady_clock::time_point until) const {
    while (surroundings_->counters.sessions != 0) {
        if (steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

proxy_statistics running_proxy::statistics() const {
    const auto& counters = surroundings_->counters;
    proxy_statistics sum;
    sum.sessions = counters.sessions;
    sum.sessions_in_login = counters.sessions_in_login;
    sum.sessions_total = counters.sessions_total;
    sum.connections_refused = counters.connections_refused;
    sum.server_unreachable = counters.server_unreachable;
    sum.logins_failed = counters.logins_failed;
    for (const auto& thread : threads_) {
        const auto& part = thread->counters();
        sum.statements += part.statements;
        sum.statements_answered += part.statements_answered;
        sum.statements_held += part.statements_held;
        sum.statements_held_now += part.statements_held_now;
        sum.holds_overflowed += part.holds_overflowed;
        sum.holds_interrupted += part.holds_interrupted;
        sum.release_turns += part.release_turns;
        sum.snapshots_refused += part.snapshots_refused;
    }
    return sum;
}

std::vector<session_view> running_proxy::sessions() const {
    // Each thread is asked by its own door; the shard that comes along is not needed.
    struct gathering {
        std::mutex mutex;
        std::condition_variable arrived;
        std::vector<session_view> views;
        std::size_t answers = 0;
    };
    const auto shared = std::make_shared<gathering>();
    if (hub_->stopped()) return {};
    for (const auto& thread : threads_) {
        thread->post_gate_task([shared, thread = thread.get()](gate_shard&) {
            auto views = thread->views();
            const std::lock_guard lock(shared->mutex);
            shared->views.insert(shared->views.end(), views.begin(), views.end());
            ++shared->answers;
            shared->arrived.notify_one();
        });
    }
    std::unique_lock lock(shared->mutex);
    (void)shared->arrived.wait_for(lock, std::chrono::seconds(1), [&] { return shared->answers == threads_.size(); });
    return shared->views;
}

result<tls_report, start_error> running_proxy::reload_tls() {
    const auto contexts = surroundings_->tls.reload();
    if (!contexts) return start_error{contexts.error().text()};
    return report_of(*contexts);
}

show_answer running_proxy::answer(const sql::show_request& request) const {
    try {
        switch (request.subject) {
            case sql::show_subject::proxy_status: return status_table();
            case sql::show_subject::proxy_sessions: return sessions_table();
            default: break;
        }
        auto answer = surroundings_->options.answer_show(request);
        if (answer.done) return answer;
        const bool whole = !answer.columns.empty() &&
                           std::all_of(answer.rows.begin(), answer.rows.end(),
                                       [&](const auto& row) { return row.size() == answer.columns.size(); });
        if (whole || answer.error) return answer;
    } catch (const std::exception& failure) {
        spdlog::error("proxy: a statement for Sluice could not be answered: {}", failure.what());
    }
    show_answer failed;
    failed.error = show_error{1105, "HY000", "Sluice could not answer this statement"};
    return failed;
}

show_answer running_proxy::status_table() const {
    const auto now = statistics();
    show_answer table;
    table.columns = {"Variable_name", "Value"};
    const auto add = [&](const char* name, std::uint64_t value) {
        table.rows.push_back({name, std::to_string(value)});
    };
    add("sessions", now.sessions);
    add("sessions_in_login", now.sessions_in_login);
    add("sessions_total", now.sessions_total);
    add("connections_refused", now.connections_refused);
    add("server_unreachable", now.server_unreachable);
    add("logins_failed", now.logins_failed);
    add("statements", now.statements);
    add("statements_answered", now.statements_answered);
    add("statements_held", now.statements_held);
    add("statements_held_now", now.statements_held_now);
    add("holds_overflowed", now.holds_overflowed);
    add("holds_interrupted", now.holds_interrupted);
    add("release_turns", now.release_turns);
    add("snapshots_refused", now.snapshots_refused);
    return table;
}

show_answer running_proxy::sessions_table() const {
    show_answer table;
    table.columns = {"connection_id",  "user",       "client", "schema",     "state",
                     "in_transaction", "statements", "age_s",  "client_tls", "server_tls"};
    for (const auto& session : sessions()) {
        table.rows.push_back({std::to_string(session.connection_id), session.user, session.client, session.schema,
                              session.state, session.in_transaction ? "yes" : "no", std::to_string(session.statements),
                              std::to_string(session.age.count() / 1000), session.client_tls, session.server_tls});
    }
    return table;
}

}  // namespace

result<std::unique_ptr<proxy_server>, start_error> proxy_server::start(proxy_options options) {
    auto proxy = std::make_unique<running_proxy>(std::move(options));
    SLUICE_TRY_VOID(proxy->begin());
    return std::unique_ptr<proxy_server>(std::move(proxy));
}

}  // namespace sluice::proxy
