// Everything that a server says in a reply. What was parsed, written again and parsed again is the same value.

#include "protocol/message/auth.hpp"
#include "protocol/message/column.hpp"
#include "protocol/message/eof.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/ok.hpp"
#include "protocol/message/prepared.hpp"
#include "protocol/message/response.hpp"
#include "protocol/message/row.hpp"
#include "protocol/message/session_track.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/session_capabilities.hpp"

#include <type_traits>

namespace sluice::fuzz {
namespace {

using protocol::capability_flags;

void check_session_state(std::string_view state) {
    protocol::session_track_cursor cursor(state);
    byte_buffer copy;
    std::size_t entries = 0;
    for (;;) {
        const auto next = cursor.next();
        if (!next) return;
        if (!next->has_value()) break;
        const auto entry = **next;
        FUZZ_CHECK(++entries <= state.size());
        touch(entry.data);
        protocol::append_tracked_entry(copy, entry);
        if (const auto variables = protocol::parse_tracked_variables(entry.data)) {
            for (const auto& [name, value] : *variables) touch(name), touch(value);
        }
        if (const auto text = protocol::parse_tracked_text(entry.data)) {
            touch(*text);
            static_cast<void>(protocol::parse_tracked_transaction_state(*text).has_value());
        }
        if (const auto gtids = protocol::parse_tracked_gtids(entry.data)) touch(*gtids);
        static_cast<void>(protocol::parse_tracked_state_change(entry.data));
    }
    FUZZ_CHECK(copy.size() <= state.size());
    if (copy.size() == state.size()) FUZZ_CHECK(protocol::as_text(copy) == state);
}

void check_ok(byte_view payload, capability_flags capabilities) {
    const auto ok = protocol::parse_ok(payload, capabilities);
    const auto head = payload.first(std::min(payload.size(), protocol::ok_status_end_max));
    const auto status = protocol::peek_ok_status(head);
    if (!ok) return;
    FUZZ_CHECK(status.has_value() && *status == ok->status);
    check_session_state(ok->session_state);
    byte_buffer written;
    serialise(written, *ok, capabilities);
    const auto again = protocol::parse_ok(written, capabilities);
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(again->is_terminator == ok->is_terminator && again->affected_rows == ok->affected_rows);
    FUZZ_CHECK(again->last_insert_id == ok->last_insert_id && again->status == ok->status);
    FUZZ_CHECK(again->warnings == ok->warnings && again->info == ok->info);
    FUZZ_CHECK(again->session_state == ok->session_state);
}

void check_err(byte_view payload) {
    static_cast<void>(protocol::is_progress_report(payload));
    const auto err = protocol::parse_err(payload);
    if (!err) return;
    byte_buffer written;
    serialise(written, *err, protocol::capability::protocol_41);
    const auto again = protocol::parse_err(written);
    FUZZ_CHECK(again.has_value() && again->code == err->code && again->message == err->message);
    FUZZ_CHECK(again->sqlstate == (err->sqlstate.empty() ? "HY000" : err->sqlstate));
}

void check_eof(byte_view payload) {
    const auto eof = protocol::parse_eof(payload);
    if (!eof) return;
    byte_buffer written;
    serialise(written, *eof);
    FUZZ_CHECK(std::equal(written.begin(), written.end(), payload.begin()));
}

void check_auth(byte_view payload) {
    const auto same = [&](const auto& parsed) {
        if (!parsed) return;
        byte_buffer written;
        serialise(written, *parsed);
        FUZZ_CHECK(std::equal(written.begin(), written.end(), payload.begin(), payload.end()));
    };
    if (const auto request = protocol::parse_auth_switch_request(payload)) {
        touch(request->scramble());
        same(request);
    }
    same(protocol::parse_auth_more_data(payload));
    same(protocol::parse_auth_next_factor(payload));
}

void check_column(byte_view payload, capability_flags capabilities) {
    const auto column = protocol::parse_column_definition(payload, capabilities);
    if (!column) return;
    byte_buffer written;
    serialise(written, *column, capabilities);
    FUZZ_CHECK(written.size() <= payload.size());
    const auto again = protocol::parse_column_definition(written, capabilities);
    FUZZ_CHECK(again.has_value());
    byte_buffer rewritten;
    serialise(rewritten, *again, capabilities);
    FUZZ_CHECK(rewritten == written);
}

void check_prepared(byte_view payload, capability_flags capabilities) {
    const auto ok = protocol::parse_prepare_ok(payload, capabilities);
    if (!ok) return;
    byte_buffer written;
    serialise(written, *ok);
    const auto again = protocol::parse_prepare_ok(written, capabilities);
    FUZZ_CHECK(again.has_value() && again->statement_id == ok->statement_id);
    FUZZ_CHECK(again->column_count == ok->column_count && again->parameter_count == ok->parameter_count);
    FUZZ_CHECK(again->warnings == ok->warnings && again->metadata_follows == ok->metadata_follows);
}

void check_text_row(fuzz_input& in) {
    const std::size_t columns = in.u8();
    const auto payload = in.rest();
    const auto row = protocol::parse_text_row(payload, columns);
    if (!row) return;
    FUZZ_CHECK(row->size() == columns);
    byte_buffer written;
    protocol::append_text_row(written, *row);
    const auto again = protocol::parse_text_row(written, columns);
    FUZZ_CHECK(again.has_value() && *again == *row);
}

void check_binary_row(fuzz_input& in) {
    std::vector<protocol::column_definition> columns(in.u8() % 12U);
    for (auto& column : columns) {
        column.type = static_cast<protocol::column_type>(in.u8());
        column.flags = in.flag() ? protocol::column_flag::unsigned_number : std::uint16_t{0};
    }
    const auto payload = in.rest();
    const auto row = protocol::parse_binary_row(payload, columns);
    if (!row) return;
    FUZZ_CHECK(row->size() == columns.size());
    for (const auto& value : *row) {
        if (const auto* text = std::get_if<std::string_view>(&value)) touch(*text);
    }
}

void check_classification(fuzz_input& in, capability_flags capabilities) {
    const auto is_continuation = in.flag();
    const auto payload = in.rest();
    const auto size = static_cast<std::uint32_t>(payload.size());
    const auto first = payload.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(payload.front());
    const auto head = protocol::classify_response_head(size, first);
    FUZZ_CHECK(head.has_value() != payload.empty());
    const auto phase = protocol::classify_row_phase(size, first, is_continuation, capabilities);
    FUZZ_CHECK(phase.has_value() == (is_continuation || !payload.empty()));
    if (const auto set = protocol::parse_result_set_head(payload, capabilities)) FUZZ_CHECK(set->column_count > 0);
    if (const auto file = protocol::parse_local_infile(payload)) touch(*file);
}

void run(fuzz_input in) {
    const auto kind = in.u8() % 10;
    const auto capabilities = session_capabilities(in);
    switch (kind) {
        case 0: return check_ok(in.rest(), capabilities);
        case 1: return check_err(in.rest());
        case 2: return check_eof(in.rest());
        case 3: return check_auth(in.rest());
        case 4: return check_column(in.rest(), capabilities);
        case 5: return check_prepared(in.rest(), capabilities);
        case 6: return check_text_row(in);
        case 7: return check_binary_row(in);
        case 8: {
            const auto state = in.rest();
            return check_session_state(protocol::as_text(state));
        }
        default: return check_classification(in, capabilities);
    }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
