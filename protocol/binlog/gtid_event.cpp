#include "protocol/binlog/gtid_event.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

namespace {

constexpr std::uint8_t statement_changes_flag = 1;

/// The optional tail: commit timestamps of 7 bytes whose top bit announces a second one, the transaction's size, and
/// versions of 4 bytes under the same rule. Older servers end the event before any of them.
void read_tail(event_cursor& cursor, transaction_facts& facts) {
    if (cursor.remaining() < 7) return;
    const auto u56 = [&cursor] {
        const std::uint64_t low = cursor.u32();
        const std::uint64_t middle = cursor.u16();
        return low | middle << 32 | std::uint64_t{cursor.u8()} << 48;
    };
    constexpr std::uint64_t second_timestamp = std::uint64_t{1} << 55;
    const auto immediate = u56();
    facts.immediate_commit_us = immediate & ~second_timestamp;
    facts.original_commit_us = (immediate & second_timestamp) != 0 ? u56() : facts.immediate_commit_us;
    if (cursor.empty()) return;
    facts.transaction_size = cursor.lenenc_int();
    if (cursor.remaining() < 4) return;
    constexpr std::uint32_t second_version = std::uint32_t{1} << 31;
    const auto version = cursor.u32();
    facts.immediate_server_version = version & ~second_version;
    facts.original_server_version = (version & second_version) != 0 ? cursor.u32() : facts.immediate_server_version;
}

// The serialization library's integers: the number of trailing one bits of the first byte says how many bytes follow;
// the value's low bits share the first byte.
std::uint64_t varlen_unsigned(event_cursor& cursor) {
    const unsigned first = cursor.u8();
    unsigned extra = 0;
    while (extra < 8 && (first >> extra & 1) != 0) ++extra;
    std::uint64_t value = extra >= 7 ? 0 : first >> (extra + 1);
    const unsigned shift = extra >= 7 ? 0 : 7 - extra;
    for (unsigned i = 0; i < extra; ++i) value |= std::uint64_t{cursor.u8()} << (shift + 8 * i);
    return value;
}

std::int64_t varlen_signed(event_cursor& cursor) {
    const auto raw = varlen_unsigned(cursor);
    const auto magnitude = static_cast<std::int64_t>(raw >> 1);
    return (raw & 1) != 0 ? -magnitude - 1 : magnitude;
}

enum class field_id : std::uint8_t {
    flags,
    server,
    number,
    tag,
    last_committed,
    sequence_number,
    immediate_commit,
    original_commit,
    transaction_size,
    immediate_version,
    original_version,
    commit_group_ticket,
    count,
};

struct tagged_reader {
    gtid_event event;
    bool has_original_commit = false;
    bool has_original_version = false;

    void read_field(field_id field, event_cursor& cursor) {
        auto& facts = event.facts;
        switch (field) {
            case field_id::flags:
                facts.may_have_statement_changes = (varlen_unsigned(cursor) & statement_changes_flag) != 0;
                break;
            case field_id::server:
                // An array of bytes, each of which is a variable-length integer of its own.
                for (auto& byte : event.id.source.server.bytes) {
                    const auto value = varlen_unsigned(cursor);
                    if (value > 0xFF) cursor.fail();
                    byte = static_cast<std::uint8_t>(value);
                }
                break;
            case field_id::number: event.id.number = static_cast<std::uint64_t>(varlen_signed(cursor)); break;
            case field_id::tag: event.id.source.tag = cursor.text(varlen_unsigned(cursor)); break;
            case field_id::last_committed: facts.last_committed = varlen_signed(cursor); break;
            case field_id::sequence_number: facts.sequence_number = varlen_signed(cursor); break;
            case field_id::immediate_commit: facts.immediate_commit_us = varlen_unsigned(cursor); break;
            case field_id::original_commit:
                facts.original_commit_us = varlen_unsigned(cursor);
                has_original_commit = true;
                break;
            case field_id::transaction_size: facts.transaction_size = varlen_unsigned(cursor); break;
            case field_id::immediate_version:
                facts.immediate_server_version = static_cast<std::uint32_t>(varlen_unsigned(cursor));
                break;
            case field_id::original_version:
                facts.original_server_version = static_cast<std::uint32_t>(varlen_unsigned(cursor));
                has_original_version = true;
                break;
            case field_id::commit_group_ticket: static_cast<void>(varlen_unsigned(cursor)); break;
            case field_id::count: cursor.fail(); break;
        }
    }
};

decode_result<void> check_number(std::uint64_t number) {
    if (number == 0 || number > gtid_number_max) {
        return decode_error{decode_errc::malformed, "GTID event: impossible transaction number"};
    }
    return {};
}

}  // namespace

decode_result<gtid_event_fields> gtid_event_fields::decode(byte_view body) {
    event_cursor cursor(body);
    gtid_event_fields fields;
    fields.facts.may_have_statement_changes = (cursor.u8() & statement_changes_flag) != 0;
    const auto server = cursor.bytes(uuid::size);
    fields.number = cursor.u64();
    if (!cursor.ok()) return cursor.error("GTID event");
    fields.server = uuid::from_bytes(server);
    // 5.6 ends here; 5.7 adds a type code (always 2) and the logical clock.
    constexpr std::uint8_t logical_clock = 2;
    if (!cursor.empty() && cursor.u8() == logical_clock) {
        fields.facts.last_committed = static_cast<std::int64_t>(cursor.u64());
        fields.facts.sequence_number = static_cast<std::int64_t>(cursor.u64());
        read_tail(cursor, fields.facts);
    }
    if (!cursor.ok()) return cursor.error("GTID event");
    return fields;
}

decode_result<gtid_event> gtid_event::decode(byte_view body) {
    SLUICE_TRY(const auto fields, gtid_event_fields::decode(body));
    SLUICE_TRY_VOID(check_number(fields.number));
    return gtid_event{{{fields.server, {}}, fields.number}, fields.facts};
}

decode_result<gtid_event> gtid_event::decode_tagged(byte_view body) {
    event_cursor cursor(body);
    const auto serialization_version = cursor.u8() >> 1;
    const auto message_size = varlen_unsigned(cursor);
    const auto last_needed_field = varlen_unsigned(cursor);
    if (!cursor.ok()) return cursor.error("tagged GTID event");
    if (serialization_version != 1 || last_needed_field >= static_cast<std::uint64_t>(field_id::count)) {
        return decode_error{decode_errc::unsupported, "tagged GTID event: written by a newer kind of server"};
    }
    if (message_size > body.size()) return decode_error{decode_errc::truncated, "tagged GTID event: ends too early"};
    tagged_reader reader;
    while (cursor.ok() && !cursor.empty()) {
        const auto field = varlen_unsigned(cursor);
        // Fields after the last needed one may be new to us; without their types they cannot be stepped over.
        if (field >= static_cast<std::uint64_t>(field_id::count)) break;
        reader.read_field(static_cast<field_id>(field), cursor);
    }
    if (!cursor.ok()) return cursor.error("tagged GTID event");
    auto& event = reader.event;
    SLUICE_TRY_VOID(check_number(event.id.number));
    if (!event.id.source.tag.empty() && !is_gtid_tag(event.id.source.tag)) {
        return decode_error{decode_errc::malformed, "tagged GTID event: impossible tag"};
    }
    if (!reader.has_original_commit) event.facts.original_commit_us = event.facts.immediate_commit_us;
    if (!reader.has_original_version) event.facts.original_server_version = event.facts.immediate_server_version;
    return std::move(event);
}

}  // namespace sluice::binlog
