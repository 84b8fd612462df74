// The bodies of a client's commands. Where a command is written too, what was parsed is written back the same.

#include "protocol/message/command.hpp"
#include "protocol/message/replication_command.hpp"
#include "protocol/message/statement_command.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/session_capabilities.hpp"

namespace sluice::fuzz {
namespace {

using protocol::capability_flags;
using protocol::command;

/// `written` must be the front of the payload: servers ignore what follows a command's fixed fields.
void check_front(byte_view payload, const byte_buffer& written) {
    FUZZ_CHECK(written.size() <= payload.size());
    FUZZ_CHECK(std::equal(written.begin(), written.end(), payload.begin()));
}

template <class Parsed, class Write>
void check_written(byte_view payload, const Parsed& parsed, const Write& write) {
    if (!parsed) return;
    byte_buffer written;
    write(written, *parsed);
    check_front(payload, written);
}

void check_query(byte_view payload, capability_flags capabilities) {
    const auto query = protocol::parse_query(payload, capabilities);
    if (!query) return;
    FUZZ_CHECK(query->sql_offset + query->sql.size() == payload.size());
    FUZZ_CHECK(query->sql == protocol::as_text(payload).substr(query->sql_offset));
    byte_buffer written;
    protocol::serialise_query(written, query->sql, capabilities);
    const auto again = protocol::parse_query(written, capabilities);
    FUZZ_CHECK(again.has_value() && again->sql == query->sql);
}

void check_replica_commands(byte_view payload) {
    if (const auto registration = protocol::parse_register_slave(payload)) {
        byte_buffer written;
        serialise(written, *registration);
        const auto again = protocol::parse_register_slave(written);
        FUZZ_CHECK(again.has_value() && again->host == registration->host && again->port == registration->port);
    }
    const auto write = [](byte_buffer& out, const auto& value) { serialise(out, value); };
    check_written(payload, protocol::parse_binlog_dump(payload), write);
    check_written(payload, protocol::parse_binlog_dump_gtid(payload), write);
}

void run(fuzz_input in) {
    const auto capabilities = session_capabilities(in);
    const auto payload = in.rest();
    const auto first = payload.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(payload.front());
    FUZZ_CHECK(protocol::is_known_command(first) ==
               (protocol::command_name(static_cast<command>(first)) != "COM_UNKNOWN"));
    check_query(payload, capabilities);
    check_replica_commands(payload);
    check_written(payload, protocol::parse_stmt_prepare(payload), protocol::serialise_stmt_prepare);
    check_written(payload, protocol::parse_stmt_close(payload), protocol::serialise_stmt_close);
    check_written(payload, protocol::parse_stmt_reset(payload), protocol::serialise_stmt_reset);
    check_written(payload, protocol::parse_init_db(payload), protocol::serialise_init_db);
    check_written(payload, protocol::parse_set_option(payload), protocol::serialise_set_option);
    check_written(payload, protocol::parse_process_kill(payload), protocol::serialise_process_kill);
    const auto write = [](byte_buffer& out, const auto& value) { serialise(out, value); };
    check_written(payload, protocol::parse_stmt_send_long_data(payload), write);
    check_written(payload, protocol::parse_stmt_fetch(payload), write);
    static_cast<void>(protocol::parse_stmt_bulk_execute(payload).has_value());
    if (const auto head = protocol::parse_stmt_execute(payload)) FUZZ_CHECK(payload.size() >= 10);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
