// A client that stops reading in the middle of a huge result until everything behind it stands still, and then reads
// on: what it gets is the whole result, each row once and in its place, over whatever carries it.

#include "tests/integration/proxy_fixture.hpp"
#include "tests/support/wire_login.hpp"

namespace sluice::test {
namespace {

using proxy::client_tls_mode;
using proxy::server_tls_mode;
using wire::compression;

struct carriers {
    const char* name;
    bool tls = false;
    compression from_client = compression::none;
    protocol::compression_algorithm to_server = protocol::compression_algorithm::none;
};

constexpr carriers every_way[] = {
    {"plain"},
    {"TLS", true},
    {"zlib", false, compression::zlib, protocol::compression_algorithm::zlib},
    {"TLS and zstd", true, compression::zstd, protocol::compression_algorithm::zstd},
};

proxy::proxy_options options_for(const carriers& way) {
    proxy::proxy_options options;
    options.io_threads = 1;
    options.tls.client.mode = client_tls_mode::preferred;
    if (way.tls) options.tls.server.mode = server_tls_mode::required;
    options.compression.to_server = way.to_server;
    return options;
}

class reader {
public:
    reader(std::uint16_t port, const carriers& way) : under_(port, 20s), stream_(under_) {
        wire::login as;
        as.user = app_user;
        as.password = app_password;
        as.capabilities = wire::flag::plugin_auth | wire::flag::deprecate_eof | wire::flag::transactions;
        as.tls = way.tls;
        as.compressed = way.from_client;
        const auto session = wire::log_in(under_, stream_, as);
        REQUIRE(session.logged_in);
        connection_id = session.greeted.connection_id;
    }
    void send(const std::string& statement) {
        under_.begin_command();
        stream_.send("\x03" + statement, 0);
    }
    void run(const std::string& statement) {
        send(statement);
        REQUIRE(stream_.receive().first() == 0);
    }
    /// The head of a result of one column.
    void receive_head() {
        REQUIRE(stream_.receive().payload == "\x01");
        (void)stream_.receive();
    }
    /// The next row's value; nothing at the end.
    std::optional<std::string> receive_value() {
        auto row = stream_.receive().payload;
        REQUIRE_FALSE(row.empty());
        const auto first = static_cast<unsigned char>(row[0]);
        if (first == 0xFE && row.size() < 0xFFFFFF) return std::nullopt;
        REQUIRE(first != 0xFF);
        const std::size_t head = first == 0xFD ? 4 : first == 0xFC ? 3 : 1;
        row.erase(0, head);
        return row;
    }
    std::string scalar(const std::string& statement) {
        send(statement);
        receive_head();
        const auto value = receive_value();
        REQUIRE(value);
        REQUIRE_FALSE(receive_value());
        return *value;
    }
    void set_receive_buffer(int bytes) { under_.set_receive_buffer(bytes); }

    std::uint32_t connection_id = 0;

private:
    wire::transport under_;
    wire::packet_stream stream_;
};

TEST_CASE("a client that stalls in a huge result gets all of it when it reads on") {
    constexpr unsigned row_count = 400;
    constexpr std::size_t noise_size = 128'000;  // of which no compression makes less
    auto root = connect(shared_server(server_kind::mysql_9_7));
    for (const auto& way : every_way) {
        INFO(way.name);
        const proxy_under_test proxied(server_kind::mysql_9_7, options_for(way));
        reader slow(proxied.port(), way);
        slow.run("SET SESSION group_concat_max_len = 1000000, @noise = NULL");
        slow.run(
            "SET @noise = (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 128) "
            "SELECT GROUP_CONCAT(RANDOM_BYTES(1000) SEPARATOR '') FROM n)");
        const auto noise = slow.scalar("SELECT @noise");
        REQUIRE(noise.size() == noise_size);

        slow.set_receive_buffer(4096);
        slow.send("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < " +
                  std::to_string(row_count) + ") SELECT CONCAT(LPAD(i, 8, '0'), @noise) FROM n");
        const std::string sent =
            "SELECT variable_value FROM performance_schema.status_by_thread JOIN performance_schema.threads "
            "USING (thread_id) WHERE variable_name = 'Bytes_sent' AND processlist_id = " +
            std::to_string(slow.connection_id);
        // It stands: looked at again and again, and while another client of the same thread gets as much as it has got.
        auto another = proxied.client();
        const std::string as_much = std::to_string(10 * noise_size);
        std::string before;
        int unchanged = 0;
        REQUIRE(eventually([&] {
            auto now = root.scalar(sent);
            unchanged = now == before ? unchanged + 1 : 0;
            before = std::move(now);
            if (unchanged < 10 || std::stoull(before) <= 10 * noise_size) return false;
            unchanged = 0;
            return another.query("SELECT REPEAT('x', " + as_much + ")").is_ok && root.scalar(sent) == before;
        }));
        // In the midst of it.
        CHECK(std::stoull(before) < row_count * noise_size / 2);

        slow.set_receive_buffer(1 << 20);
        slow.receive_head();
        unsigned expected = 0;
        unsigned wrong = 0;
        while (const auto value = slow.receive_value()) {
            ++expected;
            const auto number = std::to_string(expected);
            const bool is_right = value->size() == 8 + noise_size &&
                                  value->compare(0, 8, std::string(8 - number.size(), '0') + number) == 0 &&
                                  value->compare(8, noise_size, noise) == 0;
            if (!is_right) ++wrong;
        }
        CHECK(expected == row_count);
        CHECK(wrong == 0);
        CHECK(slow.scalar("SELECT 1") == "1");
    }
}

}  // namespace
}  // namespace sluice::test
