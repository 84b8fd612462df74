#include "migration/throttle/throttler.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "migration/throttle/heartbeat_time.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds look_interval{1'000};
constexpr milliseconds replica_interval{250};
constexpr milliseconds heartbeat_default{100};
constexpr milliseconds reconnect_wait{500};

constexpr const char* server_listener = "server";
constexpr const char* query_listener = "query";
constexpr const char* http_listener = "http";
constexpr const char* heartbeat_writer = "heartbeat";
constexpr const char* client_listener = "clients";

constexpr std::size_t value_max = 1'000;

// What was under way when the holding back began has ended by then.
constexpr milliseconds settling_time{1'000};
// Without a look of the coordinator for so long nobody knows what the migration is at.
constexpr milliseconds judging_patience{2'000};

std::string status_statement(const throttle_settings& settings) {
    std::string names;
    for (const load_thresholds* all : {&settings.max_load, &settings.critical_load}) {
        for (const load_threshold& each : *all) names += (names.empty() ? "" : ", ") + quote_string(each.variable);
    }
    return "SHOW GLOBAL STATUS WHERE Variable_name IN (" + names + ")";
}

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return text;
}

/// A session that is opened anew after a failure.
class listening_session {
public:
    template <class Open>
    outcome<query_result> run(const std::string& sql, Open open) {
        if (!session_) {
            auto opened = open();
            if (!opened) return std::move(opened).error();
            session_ = std::move(opened).value();
        }
        auto ran = session_->run(sql);
        if (!ran) session_.reset();
        return ran;
    }

private:
    std::unique_ptr<sql_session> session_;
};

std::string words_of(const failure& why) {
    return why.message + (why.server_errno == 0 ? "" : " (error " + std::to_string(why.server_errno) + ")");
}

bool exists(const std::string& file) {
    std::error_code error;
    return !file.empty() && std::filesystem::exists(file, error);
}

}  // namespace

throttler::throttler(throttle_settings settings, sql_executor& executor, throttle_ports ports, table_name changelog)
    : executor_(executor), ports_(std::move(ports)), changelog_(std::move(changelog)), settings_(std::move(settings)) {
    signals_.watching_since = steady_clock::now();
    adjust();
}

throttler::~throttler() {
    {
        const std::lock_guard lock(mutex_);
        for (auto& [name, each] : listeners_) each->stop = true;
    }
    woken_.notify_all();
    for (auto& [name, each] : listeners_) each->thread.join();
}

void throttler::set(throttle_settings settings) {
    {
        const std::lock_guard lock(mutex_);
        // What is asked for anew has its time for a first answer.
        if (to_string(settings.max_load) != to_string(settings_.max_load) ||
            to_string(settings.critical_load) != to_string(settings_.critical_load)) {
            signals_.status.reset();
            signals_.watching_since = steady_clock::now();
        }
        if (settings.query != settings_.query) {
            signals_.query.reset();
            signals_.watching_since = steady_clock::now();
        }
        if (settings.http_url != settings_.http_url) {
            signals_.http.reset();
            signals_.watching_since = steady_clock::now();
        }
        if (settings.client_latency_rise_percent != 0 && settings_.client_latency_rise_percent == 0) {
            signals_.clients.reset();
            signals_.watching_since = steady_clock::now();
        }
        if (settings.control_replicas != settings_.control_replicas) {
            signals_.watching_since = steady_clock::now();
        }
        settings_ = std::move(settings);
    }
    adjust();
    woken_.notify_all();
}

void throttler::adjust() {
    const throttle_settings wanted = settings();
    std::map<std::string, void (throttler::*)(listener&, const std::string&)> names;
    if (!wanted.max_load.empty() || !wanted.critical_load.empty())
        names[server_listener] = &throttler::listen_to_server;
    if (!wanted.query.empty()) names[query_listener] = &throttler::ask_query;
    if (!wanted.http_url.empty()) names[http_listener] = &throttler::ask_http;
    for (const replica_address& replica : wanted.control_replicas) names[replica.text()] = &throttler::ask_replica;
    if (wanted.client_latency_rise_percent != 0) names[client_listener] = &throttler::listen_to_clients;
    if (wanted.heartbeat_interval > milliseconds(0) || !wanted.control_replicas.empty()) {
        names[heartbeat_writer] = &throttler::write_heartbeats;
    }
    std::vector<std::unique_ptr<listener>> ended;
    {
        const std::lock_guard lock(mutex_);
        for (auto each = listeners_.begin(); each != listeners_.end();) {
            if (names.contains(each->first)) {
                ++each;
                continue;
            }
            each->second->stop = true;
            signals_.replica_lags.erase(each->first);
            ended.push_back(std::move(each->second));
            each = listeners_.erase(each);
        }
    }
    woken_.notify_all();
    for (auto& each : ended) each->thread.join();
    for (const auto& [name, work] : names) {
        if (!listeners_.contains(name)) start(name, work);
    }
}

void throttler::start(const std::string& name, void (throttler::*work)(listener&, const std::string&)) {
    const std::lock_guard lock(mutex_);
    auto& made = listeners_[name] = std::make_unique<listener>();
    made->thread = std::thread([this, self = made.get(), name, work] { (this->*work)(*self, name); });
}

throttle_settings throttler::settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
}

bool throttler::resting() const {
    const std::lock_guard lock(mutex_);
    return resting_;
}

bool throttler::rest(listener& self, milliseconds time) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, time, [&self] { return self.stop; });
    // While everything rests nobody is asked anything; a stop ends that as well.
    woken_.wait(lock, [this, &self] { return self.stop || !resting_; });
    return !self.stop;
}

throttle_verdict throttler::judge() {
    throttle_settings wanted;
    throttle_signals heard;
    {
        const std::lock_guard lock(mutex_);
        wanted = settings_;
        heard = signals_;
    }
    heard.flag_file_exists = exists(wanted.flag_file) || exists(wanted.additional_flag_file);
    throttle_verdict verdict = judge_.judge(wanted, heard, steady_clock::now());
    {
        const std::lock_guard lock(mutex_);
        if (resting_ && !verdict.resting) {
            signals_ = {};
            signals_.watching_since = steady_clock::now();
            verdict.reason = "leaving hibernation";
        }
        resting_ = verdict.resting;
        judged_at_ = steady_clock::now();
        if (verdict.reason.empty()) {
            held_since_.reset();
        } else if (!held_since_) {
            held_since_ = judged_at_;
        }
    }
    woken_.notify_all();
    if (verdict.reason != last_reason_) {
        last_reason_ = verdict.reason;
        const std::lock_guard lock(mutex_);
        throttle_row_ = verdict.reason.empty() ? "done throttling" : verdict.reason.substr(0, value_max);
    }
    return verdict;
}

std::optional<milliseconds> throttler::lag() const {
    const std::lock_guard lock(mutex_);
    if (!signals_.heartbeat) return std::nullopt;
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - signals_.heartbeat->at);
}

client_latency_figures throttler::clients() const {
    const std::lock_guard lock(mutex_);
    const bool known = settings_.client_latency_rise_percent != 0 && signals_.clients && signals_.clients->value;
    return known ? *signals_.clients->value : client_latency_figures{};
}

void throttler::listen_to_server(listener& self, const std::string&) {
    listening_session session;
    do {
        const throttle_settings wanted = settings();
        if (wanted.max_load.empty() && wanted.critical_load.empty()) continue;
        const auto asked = steady_clock::now();
        auto answer = session.run(status_statement(wanted), [this] { return executor_.connect(); });
        throttle_sample<std::map<std::string, std::int64_t>> sample{asked, std::nullopt, {}};
        if (answer) {
            sample.value.emplace();
            for (const auto& row : answer->rows) {
                if (row.size() < 2 || !row[0] || !row[1]) continue;
                std::int64_t value = 0;
                // Only whole numbers can be compared; others stay unknown, and so throttle.
                const auto [end, error] = std::from_chars(row[1]->data(), row[1]->data() + row[1]->size(), value);
                if (error == std::errc{}) (*sample.value)[lower(*row[0])] = value;
            }
        } else {
            sample.error = words_of(answer.error());
        }
        const std::lock_guard lock(mutex_);
        signals_.status = std::move(sample);
    } while (rest(self, look_interval));
}

void throttler::ask_query(listener& self, const std::string&) {
    listening_session session;
    do {
        const std::string query = settings().query;
        if (query.empty()) continue;
        const auto asked = steady_clock::now();
        auto answer = session.run(query, [this] { return executor_.connect(); });
        throttle_sample<double> sample{asked, std::nullopt, {}};
        if (!answer) {
            sample.error = words_of(answer.error());
        } else if (answer->rows.empty() || answer->rows[0].empty() || !answer->rows[0][0]) {
            sample.error = "its answer is empty";
        } else {
            const std::string& text = *answer->rows[0][0];
            double value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error == std::errc{} && end == text.data() + text.size()) {
                sample.value = value;
            } else {
                sample.error = "its answer is no number";
            }
        }
        const std::lock_guard lock(mutex_);
        signals_.query = std::move(sample);
    } while (rest(self, look_interval));
}

void throttler::ask_http(listener& self, const std::string&) {
    milliseconds interval{0};
    do {
        const throttle_settings wanted = settings();
        interval = wanted.http_interval;
        if (wanted.http_url.empty()) continue;
        const auto asked = steady_clock::now();
        throttle_sample<unsigned> sample{asked, std::nullopt, {}};
        if (!ports_.http) {
            sample.error = "nobody here can ask it";
        } else if (auto status = ports_.http->head(wanted.http_url, wanted.http_timeout)) {
            sample.value = *status;
        } else {
            sample.error = status.error().message;
        }
        const std::lock_guard lock(mutex_);
        if (settings_.http_url == wanted.http_url) signals_.http = std::move(sample);
    } while (rest(self, interval));
}

void throttler::ask_replica(listener& self, const std::string& name) {
    listening_session session;
    const std::string statement =
        "SELECT value FROM " + quote_table(changelog_) + " WHERE hint = 'heartbeat' AND id <= 255";
    const auto address = parse_replicas(name);
    SLUICE_ASSERT(address && address->size() == 1);
    do {
        const auto asked = steady_clock::now();
        throttle_sample<milliseconds> sample{asked, std::nullopt, {}};
        if (!ports_.replicas) {
            sample.error = "nobody here can ask it";
        } else {
            auto answer = session.run(
                statement, [&] { return ports_.replicas->connect(address->front().host, address->front().port); });
            const bool has_row = answer && !answer->rows.empty() && !answer->rows[0].empty() && answer->rows[0][0];
            const auto written = has_row ? parse_heartbeat(*answer->rows[0][0]) : std::nullopt;
            if (!answer) {
                sample.error = words_of(answer.error());
            } else if (!written) {
                sample.error = has_row ? "the heartbeat is no time" : "has no heartbeat yet";
            } else {
                sample.value = std::chrono::duration_cast<milliseconds>(system_clock::now() - *written);
            }
        }
        const std::lock_guard lock(mutex_);
        if (!self.stop) signals_.replica_lags[name] = std::move(sample);
    } while (rest(self, replica_interval));
}

void throttler::listen_to_clients(listener& self, const std::string&) {
    const std::unique_ptr<latency_watch> watch = ports_.clients ? ports_.clients->watch() : nullptr;
    client_latency latency;
    throttle_time seen{};
    do {
        const auto asked = steady_clock::now();
        throttle_sample<client_latency_figures> sample{asked, std::nullopt, {}};
        auto report = watch ? watch->read() : refuse("no_proxy", "there is no proxy in this run");
        const std::lock_guard lock(mutex_);
        if (report) {
            const bool rested =
                held_since_ && seen >= *held_since_ + settling_time && asked - judged_at_ < judging_patience;
            latency.add(*report, rested, settings_.client_latency_window, asked);
            seen = asked;
            sample.value = latency.figures();
        } else {
            sample.error = words_of(report.error());
        }
        if (!self.stop) signals_.clients = std::move(sample);
    } while (rest(self, look_interval));
}

void throttler::write_heartbeats(listener& self, const std::string&) {
    listening_session session;
    const auto write = [&](const changelog_hint& hint, const std::string& value) {
        return session.run(write_changelog_statement(changelog_, hint, value), [this] { return executor_.connect(); })
            .has_value();
    };
    milliseconds interval{0};
    do {
        interval = settings().heartbeat_interval;
        if (interval == milliseconds(0)) interval = heartbeat_default;
        std::optional<std::string> reason;
        {
            const std::lock_guard lock(mutex_);
            reason = throttle_row_;
        }
        const auto written = steady_clock::now();
        const bool all =
            write(heartbeat_hint, heartbeat_text(system_clock::now())) && (!reason || write(throttle_hint, *reason));
        if (!all) {
            interval = std::max(interval, reconnect_wait);
            continue;
        }
        const std::lock_guard lock(mutex_);
        signals_.heartbeat = {written, milliseconds(0), {}};
        if (throttle_row_ == reason) throttle_row_.reset();
    } while (rest(self, interval));
}

}  // namespace sluice::migration
