// A statement that was prepared before the swap has the new definition after it: the server prepares it again by
// itself, and says so in the result's own metadata, which must come through.

#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "tests/integration/whole/wait_for_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/raw_client.hpp"

#include "protocol/message/column.hpp"
#include "protocol/message/prepared.hpp"
#include "protocol/message/response.hpp"
#include "protocol/message/row.hpp"
#include "protocol/message/statement_command.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::test;

namespace {

namespace json = boost::json;

/// Column names, and the rows' numbers.
struct binary_result {
    std::vector<std::string> names;
    std::vector<std::vector<std::int64_t>> rows;

    bool operator==(const binary_result&) const = default;
};

/// A SELECT without parameters, by the binary protocol.
class prepared_select {
public:
    prepared_select(raw_client& client, const std::string& text) : client_(client) {
        client_.send_command(protocol::command::stmt_prepare, text);
        const auto head = protocol::parse_prepare_ok(client_.receive_packet().payload, client_.capabilities());
        REQUIRE(head);
        id_ = head->statement_id;
        REQUIRE(head->parameter_count == 0);
        for (int n = 0; n < head->column_count; ++n) (void)client_.receive_packet();
        skip_eof();
    }

    binary_result execute() {
        protocol::byte_buffer command;
        protocol::serialise_stmt_execute(command, id_, 0, {}, client_.capabilities());
        client_.send_packet(command);
        const auto first = client_.receive_packet();
        INFO(first.text());
        REQUIRE(first.first_byte() != 0xFF);
        const auto head = protocol::parse_result_set_head(first.payload, client_.capabilities());
        REQUIRE(head);
        REQUIRE(head->metadata_follows);
        binary_result result;
        std::vector<protocol::column_definition> columns;
        for (std::uint64_t n = 0; n < head->column_count; ++n) {
            auto column = protocol::parse_column_definition(client_.receive_packet().payload, client_.capabilities());
            REQUIRE(column);
            result.names.push_back(column->name);
            columns.push_back(std::move(column).value());
        }
        skip_eof();
        while (true) {
            const auto packet = client_.receive_packet();
            if (packet.first_byte() == 0xFE) return result;
            const auto values = protocol::parse_binary_row(packet.payload, columns);
            REQUIRE(values);
            auto& row = result.rows.emplace_back();
            for (const auto& value : *values) row.push_back(std::get<std::int64_t>(value));
        }
    }

private:
    void skip_eof() {
        if (!protocol::has(client_.capabilities(), protocol::capability::deprecate_eof)) (void)client_.receive_packet();
    }

    raw_client& client_;
    std::uint32_t id_ = 0;
};

}  // namespace

TEST_CASE("SELECT * that was prepared before a swap has the new column after it") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    const mysql_server server = start_server(kind);
    connect(server, "test").exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
    connect(server, "test").exec("INSERT INTO t VALUES (1, 10), (2, 20)");
    served_sluice sluice(SLUICE_PROGRAM, server.port());
    raw_client client(sluice.port());
    client.login(app_user, app_password, "test");
    prepared_select executed_before(client, "SELECT * FROM t ORDER BY id");
    prepared_select never_executed(client, "SELECT * FROM t ORDER BY id");
    CHECK(executed_before.execute() == binary_result{{"id", "v"}, {{1, 10}, {2, 20}}});

    auto made = sluice.admin().post(
        "/v1/migrations", json::serialize(json::object{{"schema", "test"},
                                                       {"table", "t"},
                                                       {"alter", "ADD COLUMN extra INT NOT NULL DEFAULT 7 AFTER id"},
                                                       {"options", json::object{{"hold_interval_ms", 200}}}}));
    if (!made) FAIL(made.error().message);
    wait_for_state(sluice, read_progress(*made)->id, "completed");

    const binary_result expected{{"id", "extra", "v"}, {{1, 7, 10}, {2, 7, 20}}};
    CHECK(executed_before.execute() == expected);
    CHECK(never_executed.execute() == expected);
}
