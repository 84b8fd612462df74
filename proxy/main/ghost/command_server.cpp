#include "proxy/main/ghost/command_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <spdlog/spdlog.h>

#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace sluice::ghost {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t line_bytes_max = 64 * 1024;
constexpr std::chrono::seconds patience{30};

/// One connection: reads a line, writes the answer, ends.
template <class Socket>
class conversation : public std::enable_shared_from_this<conversation<Socket>> {
public:
    conversation(Socket socket, const std::function<std::string(std::string_view)>& answer)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), answer_(answer) {}

    void begin() {
        auto self = this->shared_from_this();
        timer_.expires_after(patience);
        timer_.async_wait([self](error_code error) {
            if (!error) self->close();
        });
        asio::async_read_until(socket_, asio::dynamic_buffer(line_, line_bytes_max), '\n',
                               [self](error_code error, std::size_t) {
                                   // A line without its end, from one who has said all, counts as well.
                                   if (error && (error != asio::error::eof || self->line_.empty()))
                                       return self->close();
                                   self->reply();
                               });
    }

private:
    void reply() {
        std::string_view line = line_;
        line = line.substr(0, line.find('\n'));
        if (line.ends_with('\r')) line.remove_suffix(1);
        text_ = answer_(line);
        auto self = this->shared_from_this();
        asio::async_write(socket_, asio::buffer(text_), [self](error_code, std::size_t) { self->close(); });
    }
    void close() {
        timer_.cancel();
        error_code ignored;
        socket_.shutdown(Socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

    Socket socket_;
    asio::steady_timer timer_;
    const std::function<std::string(std::string_view)>& answer_;
    std::string line_;
    std::string text_;
};

template <class Acceptor>
void accept_next(Acceptor& acceptor, const std::function<std::string(std::string_view)>& answer) {
    using socket = typename Acceptor::protocol_type::socket;
    acceptor.async_accept([&acceptor, &answer](error_code error, socket taken) {
        if (error == asio::error::operation_aborted) return;
        if (!error) std::make_shared<conversation<socket>>(std::move(taken), answer)->begin();
        accept_next(acceptor, answer);
    });
}

}  // namespace

struct command_server::core {
    asio::io_context io{1};
    std::function<std::string(std::string_view)> answer;
    std::string socket_file;
    std::optional<asio::local::stream_protocol::acceptor> local;
    std::optional<asio::ip::tcp::acceptor> tcp;
    std::thread thread;

    result<void, std::string> listen_local(const command_server_options& options) {
        if (options.drop_socket_file) ::unlink(options.socket_file.c_str());
        error_code error;
        local.emplace(io);
        if (options.socket_file.size() >= 108) return "socket file " + options.socket_file + ": its name is too long";
        local->open(asio::local::stream_protocol(), error);
        if (!error) local->bind(asio::local::stream_protocol::endpoint(options.socket_file), error);
        if (!error) local->listen(asio::socket_base::max_listen_connections, error);
        if (error) {
            return "listen unix " + options.socket_file + ": bind: " + error.message() +
                   "; if no other run uses it, remove it or give --initially-drop-socket-file";
        }
        socket_file = options.socket_file;
        spdlog::info("Listening on unix socket file: {}", socket_file);
        return {};
    }

    result<void, std::string> listen_tcp(std::uint16_t port) {
        error_code error;
        tcp.emplace(io);
        tcp->open(asio::ip::tcp::v6(), error);
        const bool v6 = !error;
        if (v6) tcp->set_option(asio::ip::v6_only(false), error);
        if (!v6) tcp->open(asio::ip::tcp::v4(), error);
        tcp->set_option(asio::socket_base::reuse_address(true), error);
        tcp->bind({v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), port}, error);
        if (!error) tcp->listen(asio::socket_base::max_listen_connections, error);
        if (error) return "listen tcp :" + std::to_string(port) + ": bind: " + error.message();
        spdlog::info("Listening on tcp port: {}", port);
        return {};
    }
};

result<std::unique_ptr<command_server>, std::string> command_server::start(
    const command_server_options& options, std::function<std::string(std::string_view line)> answer) {
    auto self = std::make_unique<core>();
    self->answer = std::move(answer);
    std::unique_ptr<command_server> made(new command_server(std::move(self)));
    core& here = *made->self_;
    if (!options.socket_file.empty()) SLUICE_TRY_VOID(here.listen_local(options));
    if (options.tcp_port != 0) SLUICE_TRY_VOID(here.listen_tcp(options.tcp_port));
    if (here.local) accept_next(*here.local, here.answer);
    if (here.tcp) accept_next(*here.tcp, here.answer);
    here.thread = std::thread([&here] { here.io.run(); });
    return made;
}

command_server::command_server(std::unique_ptr<core> self) : self_(std::move(self)) {}

command_server::~command_server() {
    self_->io.stop();
    if (self_->thread.joinable()) self_->thread.join();
    if (self_->socket_file.empty()) return;
    spdlog::info("Removing socket file: {}", self_->socket_file);
    ::unlink(self_->socket_file.c_str());
}

}  // namespace sluice::ghost
