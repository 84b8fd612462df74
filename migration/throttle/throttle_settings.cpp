#include "migration/throttle/throttle_settings.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::migration {
namespace {

constexpr std::uint16_t port_default = 3306;
constexpr double percent = 100.0;

bool may_be_host(std::string_view host) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_' || c == ':';
    });
}

result<replica_address, std::string> parse_replica(std::string_view text) {
    std::string wrong = "Invalid replica: " + std::string(text) + " (host or host:port)";
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return wrong;
        host = text.substr(1, end - 1);
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && rest[0] != ':') return wrong;
        if (!rest.empty()) port = rest.substr(1);
        if (!rest.empty() && port.empty()) return wrong;
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty()) return wrong;
    }
    if (!may_be_host(host)) return wrong;
    replica_address address{std::string(host), port_default};
    if (port.empty()) return address;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size() || address.port == 0) return wrong;
    return address;
}

}  // namespace

result<std::vector<replica_address>, std::string> parse_replicas(std::string_view text) {
    std::vector<replica_address> all;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        std::string_view one = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one.empty()) continue;
        SLUICE_TRY(replica_address address, parse_replica(one));
        if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(std::move(address));
    }
    return all;
}

std::string to_string(const std::vector<replica_address>& replicas) {
    std::string text;
    for (const replica_address& each : replicas) text += (text.empty() ? "" : ",") + each.text();
    return text;
}

throttle_settings throttle_settings_of(const migration_options& options) {
    throttle_settings settings;
    if (auto load = parse_load_thresholds(options.max_load)) settings.max_load = std::move(*load);
    if (auto load = parse_load_thresholds(options.critical_load)) settings.critical_load = std::move(*load);
    settings.critical_load_interval = options.critical_load_interval;
    settings.critical_load_rest = options.critical_load_rest;
    if (auto replicas = parse_replicas(options.control_replicas)) settings.control_replicas = std::move(*replicas);
    settings.max_lag = options.max_lag;
    settings.query = options.throttle_query;
    settings.http_url = options.throttle_http;
    settings.http_interval = options.throttle_http_interval;
    settings.http_timeout = options.throttle_http_timeout;
    settings.ignore_http_errors = options.throttle_http_ignore_errors;
    settings.flag_file = options.throttle_flag_file;
    settings.additional_flag_file = options.throttle_additional_flag_file;
    settings.nice_ratio = static_cast<double>(options.nice_percent) / percent;
    settings.heartbeat_interval = options.heartbeat_interval;
    settings.client_latency_rise_percent = options.max_client_latency_rise_percent;
    settings.client_latency_floor = options.min_client_latency;
    settings.client_latency_window = options.client_latency_window;
    return settings;
}

}  // namespace sluice::migration
