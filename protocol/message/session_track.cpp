#include "protocol/message/session_track.hpp"

#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t gtid_text_encoding = 0;

void append_entry(byte_buffer& buffer, session_track_type type, std::string_view data) {
    writer out(buffer);
    out.u8(static_cast<std::uint8_t>(type));
    out.lenenc_text(data);
}

}  // namespace

wire_result<std::optional<session_track_entry>> session_track_cursor::next() {
    if (reader_.empty()) return std::nullopt;
    SLUICE_TRY(const auto type, reader_.u8());
    SLUICE_TRY(const auto data, reader_.lenenc_text());
    return std::optional(session_track_entry{static_cast<session_track_type>(type), data});
}

wire_result<tracked_variables> parse_tracked_variables(std::string_view data) {
    reader in(data);
    tracked_variables variables;
    do {
        SLUICE_TRY(const auto name, in.lenenc_text());
        SLUICE_TRY(const auto value, in.lenenc_text());
        variables.emplace_back(name, value);
    } while (!in.empty());
    return variables;
}

wire_result<std::string_view> parse_tracked_text(std::string_view data) {
    reader in(data);
    SLUICE_TRY(const auto text, in.lenenc_text());
    if (!in.empty()) return wire_error{wire_errc::malformed, "tracker entry is longer than its text"};
    return text;
}

wire_result<std::string_view> parse_tracked_gtids(std::string_view data) {
    reader in(data);
    SLUICE_TRY(const auto encoding, in.u8());
    if (encoding != gtid_text_encoding) {
        return wire_error{wire_errc::unsupported, "tracked GTIDs come in an unknown encoding"};
    }
    return parse_tracked_text(in.rest_text());
}

wire_result<tracked_transaction_state> parse_tracked_transaction_state(std::string_view text) {
    constexpr std::string_view places = "TrRwWsSL";
    if (text.size() != places.size()) {
        return wire_error{wire_errc::malformed, "tracked transaction state is not eight characters"};
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
        const bool known = text[i] == places[i] || text[i] == '_' || (i == 0 && text[i] == 'I');
        if (!known) return wire_error{wire_errc::malformed, "tracked transaction state has an unknown character"};
    }
    tracked_transaction_state state;
    state.explicit_transaction = text[0] == 'T';
    state.implicit_transaction = text[0] == 'I';
    state.unsafe_read = text[1] == 'r';
    state.transactional_read = text[2] == 'R';
    state.unsafe_write = text[3] == 'w';
    state.transactional_write = text[4] == 'W';
    state.unsafe_statement = text[5] == 's';
    state.result_set_sent = text[6] == 'S';
    state.tables_locked = text[7] == 'L';
    return state;
}

void append_tracked_variable(byte_buffer& buffer, std::string_view name, std::string_view value) {
    byte_buffer data;
    writer out(data);
    out.lenenc_text(name);
    out.lenenc_text(value);
    append_entry(buffer, session_track_type::system_variables, as_text(data));
}

void append_tracked_text(byte_buffer& buffer, session_track_type type, std::string_view text) {
    byte_buffer data;
    writer(data).lenenc_text(text);
    append_entry(buffer, type, as_text(data));
}

void append_tracked_state_change(byte_buffer& buffer) { append_entry(buffer, session_track_type::state_change, "1"); }

void append_tracked_gtids(byte_buffer& buffer, std::string_view gtids) {
    byte_buffer data;
    writer out(data);
    out.u8(gtid_text_encoding);
    out.lenenc_text(gtids);
    append_entry(buffer, session_track_type::gtids, as_text(data));
}

void append_tracked_entry(byte_buffer& buffer, const session_track_entry& entry) {
    append_entry(buffer, entry.type, entry.data);
}

}  // namespace sluice::protocol
