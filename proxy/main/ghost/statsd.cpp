#include "proxy/main/ghost/statsd.hpp"

#include "proxy/main/endpoint_text.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sluice::ghost {
namespace {

constexpr std::size_t datagram_bytes_max = 1'432;  // of a frame of 1500, less the headers of IPv6 and UDP, and some
constexpr std::string_view gauge = "g";
constexpr std::string_view count = "c";
constexpr std::string_view histogram = "h";

/// What stands between tags, and between a figure and its tags, cannot be within one.
std::string clean(std::string_view tag) {
    std::string text(tag);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == ',' || c == '|' || c == '#' || c == ' ' || c == '\n'; },
        '_');
    return text;
}

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : std::clamp(static_cast<double>(part) / static_cast<double>(whole), 0.0, 1.0);
}

struct address_list {
    ~address_list() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
    ::addrinfo* first = nullptr;
};

int datagram_socket(int family) { return ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

/// -1, and the error in errno.
int connected(int family, const ::sockaddr* to, ::socklen_t size) {
    const int made = datagram_socket(family);
    if (made < 0 || ::connect(made, to, size) == 0) return made;
    const int why = errno;
    ::close(made);
    errno = why;
    return -1;
}

result<int, std::string> connect_unix(const std::string& path) {
    ::sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path.size() >= sizeof to.sun_path) return "the path is too long: " + path;
    std::memcpy(to.sun_path, path.c_str(), path.size());
    const int made = connected(AF_UNIX, reinterpret_cast<const ::sockaddr*>(&to), sizeof to);
    if (made < 0) return std::string(std::strerror(errno));
    return made;
}

result<int, std::string> connect_udp(const std::string& address) {
    const auto where = parse_endpoint(address);
    if (!where) return std::string("it must be host:port or unix:///path");
    ::addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    address_list found;
    const int failed = ::getaddrinfo(where->host.c_str(), std::to_string(where->port).c_str(), &hints, &found.first);
    if (failed != 0) return std::string(::gai_strerror(failed));
    std::string why = "no address";
    for (const ::addrinfo* each = found.first; each != nullptr; each = each->ai_next) {
        const int made = connected(each->ai_family, each->ai_addr, each->ai_addrlen);
        if (made >= 0) return made;
        why = std::strerror(errno);
    }
    return why;
}

}  // namespace

std::string throttle_kind(std::string_view reason) {
    if (reason.find("http=") != std::string_view::npos) return "http";
    if (reason == "commanded by user") return "commanded-by-user";
    std::string_view word = reason.substr(0, reason.find_first_of(" =,"));
    if (word.ends_with(':')) word.remove_suffix(1);
    // A replica's address comes first.
    if (word.find(':') != std::string_view::npos) return "replica-lag";
    return clean(word);
}

run_metrics::run_metrics(const std::vector<std::string>& tags) {
    for (const std::string& tag : tags) tags_ += (tags_.empty() ? "" : ",") + clean(tag);
}

std::string run_metrics::line(std::string_view name, double value, std::string_view type,
                              const std::string& tag) const {
    char number[64];
    std::snprintf(number, sizeof number, "%.15g", value);
    std::string text = "gh_ost." + std::string(name) + ":" + number + "|" + std::string(type);
    if (tags_.empty() && tag.empty()) return text;
    return text + "|#" + tags_ + (tags_.empty() || tag.empty() ? "" : ",") + tag;
}

std::vector<std::string> run_metrics::startup() const { return {line("startup", 1, count)}; }

std::vector<std::string> run_metrics::lines(const run_view& view, time now) {
    const bool throttled = !view.throttled_by.empty() || view.paused;
    const std::string tag = throttled ? "throttled:true" : "throttled:false";
    const auto whole = [](std::uint64_t value) { return static_cast<double>(value); };
    std::vector<std::string> all{
        line("row_copy.rows_copied", whole(view.rows_copied), gauge),
        line("row_copy.rows_estimate", whole(view.copied() ? view.rows_copied : view.rows_estimate), gauge),
        line("dml.events_applied", whole(view.applied), gauge),
        line("binlog.backlog_size", whole(view.backlog), gauge),
        line("binlog.backlog_capacity", whole(view.backlog_max), gauge),
        line("binlog.backlog_utilization", share(view.backlog, view.backlog_max), gauge),
        line("lag.replication_seconds", view.lag_s, gauge, tag),
        line("lag.heartbeat_seconds", view.heartbeat_lag_s, gauge, tag),
        line("throttle.active", throttled ? 1 : 0, gauge),
    };
    add_throttle(all, view, now);
    add_cutover(all, view);
    return all;
}

// One event for each kind of reason, when it has ended.
void run_metrics::add_throttle(std::vector<std::string>& all, const run_view& view, time now) {
    std::string kind = throttle_kind(view.throttled_by);
    if (kind.empty() && view.paused) kind = "commanded-by-user";
    if (kind == throttled_by_) return;
    if (throttled_since_) {
        const std::string tag = "reason:" + throttled_by_;
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - *throttled_since_);
        all.push_back(line("throttle.duration_milliseconds", static_cast<double>(took.count()), histogram, tag));
        all.push_back(line("throttle.events_total", 1, count, tag));
    }
    throttled_since_.reset();
    if (!kind.empty()) throttled_since_ = now;
    throttled_by_ = std::move(kind);
}

void run_metrics::add_cutover(std::vector<std::string>& all, const run_view& view) {
    const bool ended = view.completed() || view.failed();
    // While one is under way it is not known what it will be.
    if (end_told_ || (!ended && view.state != "ready")) return;
    const std::uint64_t made = view.cutover_attempts;
    const std::uint64_t retries = ended && made > 0 ? made - 1 : made;
    const auto tell = [&](std::uint64_t attempts, const char* outcome) {
        if (attempts == 0) return;
        all.push_back(line("cut_over.attempts_total", static_cast<double>(attempts), count, outcome));
    };
    tell(retries - std::min(retries_told_, retries), "outcome:retry");
    retries_told_ = std::max(retries_told_, retries);
    if (!ended) return;
    if (made > retries_told_) tell(1, view.completed() ? "outcome:success" : "outcome:abort");
    end_told_ = true;
}

result<std::unique_ptr<statsd_sender>, std::string> statsd_sender::connect(const std::string& address) {
    constexpr std::string_view local = "unix://";
    auto made = address.starts_with(local) ? connect_unix(address.substr(local.size())) : connect_udp(address);
    if (!made) return "--statsd-addr " + address + ": " + made.error();
    return std::unique_ptr<statsd_sender>(new statsd_sender(*made));
}

statsd_sender::~statsd_sender() { ::close(socket_); }

void statsd_sender::send(const std::vector<std::string>& lines) const {
    std::string datagram;
    const auto flush = [&] {
        if (!datagram.empty()) (void)::send(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL);
        datagram.clear();
    };
    for (const std::string& each : lines) {
        if (datagram.size() + each.size() + 1 > datagram_bytes_max) flush();
        datagram += (datagram.empty() ? "" : "\n") + each;
    }
    flush();
}

}  // namespace sluice::ghost
