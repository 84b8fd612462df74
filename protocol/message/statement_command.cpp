#include "protocol/message/statement_command.hpp"

#include "protocol/message/column.hpp"
#include "protocol/message/command_body.hpp"

namespace sluice::protocol {

namespace {

wire_result<std::uint32_t> parse_statement_id(byte_view payload, command expected) {
    SLUICE_TRY(auto in, open_command(payload, expected));
    return in.u32();
}

}  // namespace

wire_result<std::string_view> parse_stmt_prepare(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::stmt_prepare));
    return in.rest_text();
}

void serialise_stmt_prepare(byte_buffer& buffer, std::string_view sql) {
    begin_command(buffer, command::stmt_prepare).text(sql);
}

wire_result<stmt_execute_head> parse_stmt_execute(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::stmt_execute));
    stmt_execute_head head;
    SLUICE_TRY(head.statement_id, in.u32());
    SLUICE_TRY(head.flags, in.u8());
    SLUICE_TRY(head.iterations, in.u32());
    return head;
}

void serialise_stmt_execute(byte_buffer& buffer, std::uint32_t statement_id, std::uint8_t flags,
                            std::span<const std::optional<std::string_view>> parameters,
                            capability_flags capabilities) {
    const bool named = has(capabilities, capability::query_attributes);
    auto out = begin_command(buffer, command::stmt_execute);
    out.u32(statement_id);
    out.u8(named ? static_cast<std::uint8_t>(flags | cursor_flag::parameter_count_available) : flags);
    out.u32(1);  // iterations
    if (named) out.lenenc_int(parameters.size());
    if (parameters.empty()) return;

    byte_buffer nulls((parameters.size() + 7) / 8);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!parameters[i]) nulls[i / 8] |= static_cast<std::byte>(1U << (i % 8));
    }
    out.bytes(nulls);
    out.u8(1);  // types follow
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        out.u16(static_cast<std::uint16_t>(column_type::var_string));
        if (named) out.lenenc_text("");
    }
    for (const auto& parameter : parameters) {
        if (parameter) out.lenenc_text(*parameter);
    }
}

wire_result<stmt_bulk_execute_head> parse_stmt_bulk_execute(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::mariadb_stmt_bulk_execute));
    stmt_bulk_execute_head head;
    SLUICE_TRY(head.statement_id, in.u32());
    SLUICE_TRY(head.flags, in.u16());
    return head;
}

wire_result<std::uint32_t> parse_stmt_close(byte_view payload) {
    return parse_statement_id(payload, command::stmt_close);
}

wire_result<std::uint32_t> parse_stmt_reset(byte_view payload) {
    return parse_statement_id(payload, command::stmt_reset);
}

void serialise_stmt_close(byte_buffer& buffer, std::uint32_t statement_id) {
    begin_command(buffer, command::stmt_close).u32(statement_id);
}

void serialise_stmt_reset(byte_buffer& buffer, std::uint32_t statement_id) {
    begin_command(buffer, command::stmt_reset).u32(statement_id);
}

wire_result<stmt_send_long_data> parse_stmt_send_long_data(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::stmt_send_long_data));
    stmt_send_long_data data;
    SLUICE_TRY(data.statement_id, in.u32());
    SLUICE_TRY(data.parameter, in.u16());
    data.data = in.rest();
    return data;
}

void serialise(byte_buffer& buffer, const stmt_send_long_data& data) {
    auto out = begin_command(buffer, command::stmt_send_long_data);
    out.u32(data.statement_id);
    out.u16(data.parameter);
    out.bytes(data.data);
}

wire_result<stmt_fetch> parse_stmt_fetch(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::stmt_fetch));
    stmt_fetch fetch;
    SLUICE_TRY(fetch.statement_id, in.u32());
    SLUICE_TRY(fetch.rows, in.u32());
    return fetch;
}

void serialise(byte_buffer& buffer, const stmt_fetch& fetch) {
    auto out = begin_command(buffer, command::stmt_fetch);
    out.u32(fetch.statement_id);
    out.u32(fetch.rows);
}

}  // namespace sluice::protocol
