#include "protocol/message/replication_command.hpp"

#include "protocol/message/command_body.hpp"

namespace sluice::protocol {

namespace {

wire_result<std::string_view> read_short_text(reader& in) {
    SLUICE_TRY(const auto size, in.u8());
    return in.text(size);
}

void write_short_text(writer& out, std::string_view text) {
    SLUICE_ASSERT(text.size() <= 0xFF);
    out.u8(static_cast<std::uint8_t>(text.size()));
    out.text(text);
}

}  // namespace

wire_result<register_slave> parse_register_slave(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::register_slave));
    register_slave registration;
    SLUICE_TRY(registration.server_id, in.u32());
    SLUICE_TRY(registration.host, read_short_text(in));
    SLUICE_TRY(registration.user, read_short_text(in));
    SLUICE_TRY(registration.password, read_short_text(in));
    SLUICE_TRY(registration.port, in.u16());
    SLUICE_TRY_VOID(in.skip(8));  // rank and source id, which servers ignore
    return registration;
}

void serialise(byte_buffer& buffer, const register_slave& registration) {
    auto out = begin_command(buffer, command::register_slave);
    out.u32(registration.server_id);
    write_short_text(out, registration.host);
    write_short_text(out, registration.user);
    write_short_text(out, registration.password);
    out.u16(registration.port);
    out.u32(0);  // rank
    out.u32(0);  // source id
}

wire_result<binlog_dump> parse_binlog_dump(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::binlog_dump));
    binlog_dump dump;
    SLUICE_TRY(dump.position, in.u32());
    SLUICE_TRY(dump.flags, in.u16());
    SLUICE_TRY(dump.server_id, in.u32());
    dump.file = in.rest_text();
    return dump;
}

void serialise(byte_buffer& buffer, const binlog_dump& dump) {
    auto out = begin_command(buffer, command::binlog_dump);
    out.u32(dump.position);
    out.u16(dump.flags);
    out.u32(dump.server_id);
    out.text(dump.file);
}

wire_result<binlog_dump_gtid> parse_binlog_dump_gtid(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::binlog_dump_gtid));
    binlog_dump_gtid dump;
    SLUICE_TRY(dump.flags, in.u16());
    SLUICE_TRY(dump.server_id, in.u32());
    SLUICE_TRY(const auto file_size, in.u32());
    SLUICE_TRY(dump.file, in.text(file_size));
    SLUICE_TRY(dump.position, in.u64());
    SLUICE_TRY(const auto set_size, in.u32());
    SLUICE_TRY(const auto set, in.bytes(set_size));
    dump.gtid_set.assign(set.begin(), set.end());
    return dump;
}

void serialise(byte_buffer& buffer, const binlog_dump_gtid& dump) {
    auto out = begin_command(buffer, command::binlog_dump_gtid);
    out.u16(dump.flags);
    out.u32(dump.server_id);
    out.u32(static_cast<std::uint32_t>(dump.file.size()));
    out.text(dump.file);
    out.u64(dump.position);
    out.u32(static_cast<std::uint32_t>(dump.gtid_set.size()));
    out.bytes(dump.gtid_set);
}

}  // namespace sluice::protocol
