#pragma once

// The servers that the corpus runs against, one of each kind per process, and the direct runs that others are compared
// with. A rig belongs to one thread at a time.

#include "proxy/net/proxy_server.hpp"
#include "tests/integration/oracle/comparison.hpp"
#include "tests/integration/oracle/conversation.hpp"
#include "tests/support/mysql_server.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace sluice::test::oracle {

/// All three; $SLUICE_ORACLE_SERVER (mysql-9.7, mysql-5.6, mariadb-10.11) leaves only that one.
[[nodiscard]] std::vector<server_kind> servers();

class rig {
public:
    /// Started, and its tables and accounts made, when first asked for.
    [[nodiscard]] static rig& of(server_kind kind);

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] server_kind kind() const { return kind_; }
    /// Where MySQL 9.7 has put the certificate that it made for itself.
    [[nodiscard]] std::filesystem::path certificate_folder() const;
    /// In front of this server; the port of `options` is overwritten unless it is another than the default.
    [[nodiscard]] std::unique_ptr<proxy::proxy_server> start_proxy(proxy::proxy_options options) const;

    /// The server's own capabilities.
    [[nodiscard]] std::uint64_t offered() const { return offered_; }
    /// What the server offers through `port` and nothing else than it.
    [[nodiscard]] std::uint64_t offered_at(std::uint16_t port) const;
    /// True when the server itself speaks this transport.
    [[nodiscard]] bool speaks(const transport_kind& over) const;

    /// A run from a fresh start: the script's schema is made anew before it.
    [[nodiscard]] transcript run_fresh(const script& what, const run_options& how);
    /// The direct run in this mode, of which the capabilities are taken away that `offered` lacks; over `over` if the
    /// server speaks that, else plain. Made once.
    [[nodiscard]] const transcript& direct(const script& what, const mode& as, const transport_kind& over,
                                           std::uint64_t offered);

private:
    explicit rig(server_kind kind);
    void warm_up();

    server_kind kind_;
    mysql_server server_;
    sql_connection root_;
    std::uint64_t offered_ = 0;
    std::map<std::tuple<std::string, std::uint64_t, std::string>, transcript> direct_;
};

/// True when the script is meant for the mode.
[[nodiscard]] bool applies(const script& what, server_kind kind, const mode& as, std::uint64_t offered);

/// Collects what went wrong; its end shows the first ten ($SLUICE_ORACLE_ALL: all), and fails when nothing was
/// compared. Thread-safe, but for its end.
class findings {
public:
    void add(std::string difference);
    findings() = default;
    findings(const findings&) = delete;
    findings& operator=(const findings&) = delete;
    ~findings();

private:
    std::mutex lock_;
    std::vector<std::string> all_;
    std::size_t compared_ = 0;
};

/// The work for each server, side by side.
void on_every_server(findings& found, const std::function<void(rig&)>& work);

}  // namespace sluice::test::oracle
