#include "migration/throttle/throttle_judge.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned http_ok = 200;

std::string in_seconds(std::chrono::nanoseconds time) {
    char text[48];
    std::snprintf(text, sizeof text, "%.6fs", std::chrono::duration<double>(time).count());
    return text;
}

std::string whole_seconds(std::chrono::nanoseconds time) {
    return std::to_string(std::chrono::duration_cast<seconds>(time).count()) + "s";
}

std::string lower(std::string_view text) {
    std::string all(text);
    std::transform(all.begin(), all.end(), all.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return all;
}

std::string until_text(milliseconds rest) {
    const std::time_t when = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + rest);
    std::tm broken{};
    ::gmtime_r(&when, &broken);
    char text[40];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000 UTC", &broken);
    return text;
}

/// A sample that is missing, old, or an error: why nothing can be said. `patience`: how old it may be.
template <class T>
std::string trouble_with(const throttle_sample<T>* sample, const throttle_signals& signals, throttle_time now,
                         milliseconds patience) {
    if (sample == nullptr) {
        const auto silent = now - signals.watching_since;
        return silent < patience ? std::string("waiting for the first answer")
                                 : "no answer for " + whole_seconds(silent);
    }
    if (!sample->value) return sample->error;
    if (now - sample->at > patience) return "no answer for " + whole_seconds(now - sample->at);
    return {};
}

template <class T>
std::string trouble_with(const std::optional<throttle_sample<T>>& sample, const throttle_signals& signals,
                         throttle_time now, milliseconds patience = signal_patience) {
    return trouble_with(sample ? &*sample : nullptr, signals, now, patience);
}

std::string in_milliseconds(std::chrono::microseconds time) {
    char text[48];
    std::snprintf(text, sizeof text, "%.1fms", std::chrono::duration<double, std::milli>(time).count());
    return text;
}

std::string judge_clients(const throttle_settings& settings, const throttle_signals& signals, throttle_time now) {
    constexpr int whole = 100;
    if (settings.client_latency_rise_percent == 0) return {};
    if (const std::string trouble = trouble_with(signals.clients, signals, now); !trouble.empty()) {
        return "client-latency: " + trouble;
    }
    const client_latency_figures& figures = *signals.clients->value;
    if (figures.is_measuring) return "client-latency: measuring how it is without the copy";
    if (!figures.p99 || !figures.baseline) return {};
    const auto risen = *figures.baseline * (whole + std::int64_t{settings.client_latency_rise_percent}) / whole;
    const auto limit = std::max<std::chrono::microseconds>(risen, settings.client_latency_floor);
    if (*figures.p99 < limit) return {};
    return "client-latency p99=" + in_milliseconds(*figures.p99) + " >= " + in_milliseconds(limit) + " (" +
           in_milliseconds(*figures.baseline) + " without the copy)";
}

std::string judge_http(const throttle_settings& settings, const throttle_signals& signals, throttle_time now) {
    if (settings.http_url.empty()) return {};
    const auto patience = signal_patience + settings.http_interval + settings.http_timeout;
    if (const std::string trouble = trouble_with(signals.http, signals, now, patience); !trouble.empty()) {
        // No answer yet is not an error of the other side.
        const bool answered = signals.http.has_value();
        return settings.ignore_http_errors && answered ? std::string() : "http=-1 (" + trouble + ")";
    }
    const unsigned status = *signals.http->value;
    return status == http_ok ? std::string() : http_status_text(settings.http_url, status);
}

std::string judge_replicas(const throttle_settings& settings, const throttle_signals& signals, throttle_time now) {
    for (const replica_address& replica : settings.control_replicas) {
        const std::string name = replica.text();
        const auto found = signals.replica_lags.find(name);
        const auto* sample = found == signals.replica_lags.end() ? nullptr : &found->second;
        const std::string trouble = trouble_with(sample, signals, now, signal_patience);
        if (!trouble.empty()) return std::string(name).append(" ").append(trouble);
        // What has happened since the look counts as lag as well: nothing newer is known.
        if (*sample->value > settings.max_lag)
            return std::string(name).append(" replica-lag=").append(in_seconds(*sample->value));
    }
    return {};
}

}  // namespace

std::string http_status_text(const std::string& url, unsigned status) {
    const bool freno = url.find("freno") != std::string::npos;
    const char* words = nullptr;
    switch (status) {
        case http_ok: words = "OK"; break;
        case 404: words = freno ? "freno: unknown metric" : "Not found"; break;
        case 417: words = freno ? "freno: access forbidden" : "Expectation failed"; break;
        case 429: words = freno ? "freno: threshold exceeded" : "Too many requests"; break;
        case 500: words = freno ? "freno: internal error" : "Internal server error"; break;
        default: break;
    }
    const std::string number = "http=" + std::to_string(status);
    return words == nullptr ? number : std::string(words) + " (" + number + ")";
}

std::optional<throttle_judge::met> throttle_judge::first_met(const load_thresholds& thresholds,
                                                             const throttle_signals& signals) {
    for (const load_threshold& each : thresholds) {
        const auto found = signals.status->value->find(lower(each.variable));
        if (found != signals.status->value->end() && found->second >= each.limit) {
            return met{each.variable, found->second, each.limit};
        }
    }
    return std::nullopt;
}

std::optional<throttle_verdict> throttle_judge::judge_critical(const throttle_settings& settings,
                                                               const throttle_signals& signals, throttle_time now) {
    const auto critical = first_met(settings.critical_load, signals);
    const bool looked_again =
        critical_since_ && signals.status->at >= *critical_since_ + settings.critical_load_interval;
    if (!critical) {
        if (looked_again) critical_since_.reset();
        return std::nullopt;
    }
    const std::string text =
        critical->variable + "=" + std::to_string(critical->value) + ", >=" + std::to_string(critical->limit);
    throttle_verdict verdict;
    if (settings.critical_load_rest > milliseconds(0)) {
        rests_until_ = now + settings.critical_load_rest;
        rests_until_text_ = until_text(settings.critical_load_rest);
        critical_since_.reset();
        verdict.reason = "critical-load-hibernate until " + rests_until_text_;
        verdict.resting = true;
        return verdict;
    }
    verdict.reason = "critical-load " + text;
    if (settings.critical_load_interval == milliseconds(0)) {
        verdict.end = refuse("critical_load", "critical-load met: " + text);
    } else if (!critical_since_) {
        critical_since_ = signals.status->at;
    } else if (looked_again) {
        verdict.end =
            refuse("critical_load", "critical-load met again after " +
                                        std::to_string(settings.critical_load_interval.count()) + " millis: " + text);
    }
    return verdict;
}

throttle_verdict throttle_judge::judge(const throttle_settings& settings, const throttle_signals& signals,
                                       throttle_time now) {
    throttle_verdict verdict;
    if (rests_until_ && now < *rests_until_) {
        verdict.reason = "critical-load-hibernate until " + rests_until_text_;
        verdict.resting = true;
        return verdict;
    }
    rests_until_.reset();

    const bool wants_status = !settings.max_load.empty() || !settings.critical_load.empty();
    const std::string no_status = wants_status ? trouble_with(signals.status, signals, now) : std::string();
    if (wants_status && no_status.empty()) {
        if (auto critical = judge_critical(settings, signals, now)) return std::move(*critical);
    }
    const auto hold_back = [&verdict](std::string why) {
        verdict.reason = std::move(why);
        return verdict;
    };
    if (settings.commanded) return hold_back("commanded by user");
    if (signals.flag_file_exists) return hold_back("flag-file");
    if (!no_status.empty()) {
        const auto& first = settings.max_load.empty() ? settings.critical_load : settings.max_load;
        return hold_back("max-load " + first.front().variable + ": " + no_status);
    }
    if (wants_status) {
        for (const load_thresholds* all : {&settings.critical_load, &settings.max_load}) {
            for (const load_threshold& each : *all) {
                const bool known = signals.status->value->contains(lower(each.variable));
                if (!known) return hold_back("max-load " + each.variable + ": the server has no such status variable");
            }
        }
        if (const auto load = first_met(settings.max_load, signals)) {
            return hold_back("max-load " + load->variable + "=" + std::to_string(load->value) +
                             " >= " + std::to_string(load->limit));
        }
    }
    if (!settings.query.empty()) {
        if (std::string trouble = trouble_with(signals.query, signals, now); !trouble.empty()) {
            return hold_back("throttle-query: " + trouble);
        }
        if (*signals.query->value > 0) return hold_back("throttle-query");
    }
    if (std::string why = judge_http(settings, signals, now); !why.empty()) return hold_back(std::move(why));
    if (settings.heartbeat_interval > milliseconds(0) || !settings.control_replicas.empty()) {
        // A heartbeat that cannot be written is the loss of every lag there is.
        const auto age = now - (signals.heartbeat ? signals.heartbeat->at : signals.watching_since);
        if (age > std::max<milliseconds>(settings.max_lag, 3 * settings.heartbeat_interval)) {
            return hold_back("lag=" + in_seconds(age));
        }
    }
    if (std::string why = judge_replicas(settings, signals, now); !why.empty()) return hold_back(std::move(why));
    if (std::string why = judge_clients(settings, signals, now); !why.empty()) return hold_back(std::move(why));
    return verdict;
}

}  // namespace sluice::migration
