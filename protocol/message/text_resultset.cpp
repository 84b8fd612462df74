#include "protocol/message/text_resultset.hpp"

#include "protocol/message/column.hpp"
#include "protocol/message/eof.hpp"
#include "protocol/message/row.hpp"
#include "protocol/wire/frame.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

// What a status tells about the session rather than about the statement that brought it.
constexpr status_flags lasting_status = server_status::in_trans | server_status::autocommit |
                                        server_status::no_backslash_escapes | server_status::in_trans_readonly |
                                        server_status::ansi_quotes;

constexpr std::uint32_t varchar_length_max = 4 * 1024;  // bytes; a display hint, longer values are allowed
constexpr std::uint32_t bigint_width_max = 20;

column_definition definition_of(const text_column& column) {
    column_definition definition;
    definition.name = column.name;
    if (column.type == text_column_type::bigint) {
        definition.type = column_type::long_long;
        definition.character_set = collation_binary;
        definition.length = bigint_width_max;
        definition.flags = column_flag::binary;
    } else {
        definition.length = varchar_length_max;
    }
    return definition;
}

// Frames packets one after the other, each serialised into the same scratch buffer.
class packet_sequence {
public:
    packet_sequence(byte_buffer& out, std::uint8_t sequence) noexcept : out_(&out), sequence_(sequence) {}

    template <class Write>
    void add(Write&& write) {
        scratch_.clear();
        write(scratch_);
        sequence_ = append_framed(*out_, scratch_, sequence_);
    }
    [[nodiscard]] std::uint8_t sequence() const noexcept { return sequence_; }

private:
    byte_buffer* out_;
    byte_buffer scratch_;
    std::uint8_t sequence_;
};

void write_head(byte_buffer& buffer, std::size_t column_count, capability_flags capabilities) {
    writer out(buffer);
    out.lenenc_int(column_count);
    const bool announces_metadata = has(capabilities, capability::optional_resultset_metadata) ||
                                    has(capabilities, capability::mariadb_cache_metadata);
    if (announces_metadata) out.u8(1);
}

}  // namespace

std::uint8_t append_text_resultset(byte_buffer& out, const text_resultset& set, capability_flags capabilities,
                                   status_flags status, std::uint8_t sequence) {
    SLUICE_ASSERT(!set.columns.empty());
    const bool deprecate_eof = has(capabilities, capability::deprecate_eof);
    const auto lasting = static_cast<status_flags>(status & lasting_status);
    const eof_packet eof{0, lasting};
    packet_sequence packets(out, sequence);

    packets.add([&](byte_buffer& to) { write_head(to, set.columns.size(), capabilities); });
    for (const auto& column : set.columns) {
        packets.add([&](byte_buffer& to) { serialise(to, definition_of(column), capabilities); });
    }
    if (!deprecate_eof) packets.add([&](byte_buffer& to) { serialise(to, eof); });
    for (const auto& row : set.rows) {
        SLUICE_ASSERT(row.size() == set.columns.size());
        const text_row views(row.begin(), row.end());
        packets.add([&](byte_buffer& to) { append_text_row(to, views); });
    }
    packets.add([&](byte_buffer& to) {
        if (deprecate_eof) {
            ok_packet terminator;
            terminator.is_terminator = true;
            terminator.status = lasting;
            serialise(to, terminator, capabilities);
        } else {
            serialise(to, eof);
        }
    });
    return packets.sequence();
}

std::uint8_t append_err_reply(byte_buffer& out, const err_packet& err, capability_flags capabilities,
                              std::uint8_t sequence) {
    packet_sequence packets(out, sequence);
    packets.add([&](byte_buffer& to) { serialise(to, err, capabilities); });
    return packets.sequence();
}

std::uint8_t append_ok_reply(byte_buffer& out, const ok_packet& ok, capability_flags capabilities,
                             std::uint8_t sequence) {
    packet_sequence packets(out, sequence);
    packets.add([&](byte_buffer& to) { serialise(to, ok, capabilities); });
    return packets.sequence();
}

}  // namespace sluice::protocol
