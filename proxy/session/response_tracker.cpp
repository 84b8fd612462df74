#include "proxy/session/response_tracker.hpp"

#include <algorithm>

#include "protocol/message/eof.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/ok.hpp"
#include "protocol/message/prepared.hpp"
#include "protocol/message/response.hpp"
#include "protocol/message/session_track.hpp"

namespace sluice::session {

using protocol::byte_view;
using protocol::command_reply;

namespace {

constexpr std::uint8_t ok_byte = 0x00;
constexpr std::uint8_t file_byte = 0xFB;
constexpr std::uint8_t terminator_byte = 0xFE;
constexpr std::uint8_t err_byte = 0xFF;
constexpr std::size_t eof_size = 5;

std::uint8_t first_of(byte_view payload) noexcept {
    return payload.empty() ? ok_byte : std::to_integer<std::uint8_t>(payload.front());
}

}  // namespace

reply_step response_tracker::on_bytes(byte_view bytes) {
    std::size_t at = 0;
    std::size_t packet_begin = 0;
    bool begun_here = false;
    for (;;) {
        auto said = verdict::go_on;
        switch (part_) {
            case part::header:
                at += skip_rows(bytes.subspan(at));
                if (header_filled_ == 0) {
                    packet_begin = at;
                    begun_here = true;
                }
                while (header_filled_ < header_bytes_.size() && at < bytes.size()) {
                    header_bytes_[header_filled_++] = bytes[at++];
                }
                if (header_filled_ < header_bytes_.size()) return {at, reply_event::more, std::nullopt};
                said = on_header();
                break;
            case part::first_byte:
                if (at == bytes.size()) return {at, reply_event::more, std::nullopt};
                said = on_first_byte(std::to_integer<std::uint8_t>(bytes[at]));
                break;
            case part::capture:
                collect(bytes, at);
                if (part_ == part::capture) return {at, reply_event::more, std::nullopt};
                break;
            case part::rest: {
                const auto skipped = std::min<std::size_t>(payload_left_, bytes.size() - at);
                at += skipped;
                payload_left_ -= static_cast<std::uint32_t>(skipped);
                if (payload_left_ != 0) return {at, reply_event::more, std::nullopt};
                part_ = part::header;
                if (!header_.continues()) said = std::exchange(pending_, verdict::go_on);
                break;
            }
        }
        if (said == verdict::file_refused) {
            reply_step step{packet_begin, reply_event::file_refused, std::nullopt};
            if (begun_here) step.refused_sequence = header_.sequence;
            return step;
        }
        if (said != verdict::go_on) return finish(said, at);
    }
}

// Rows are most of all traffic: whole ones are stepped over here, everything else is left to the slow path.
std::size_t response_tracker::skip_rows(byte_view bytes) noexcept {
    std::size_t at = 0;
    if (state_ != state::rows || header_filled_ != 0 || header_.continues() || queue_.empty()) return 0;
    while (bytes.size() - at > protocol::frame_header_size) {
        const auto size =
            protocol::decode_frame_header(bytes.subspan(at).first<protocol::frame_header_size>()).payload_size;
        const auto first = std::to_integer<std::uint8_t>(bytes[at + protocol::frame_header_size]);
        if (size == 0 || size == protocol::frame_payload_size_max || first >= terminator_byte) break;
        if (bytes.size() - at - protocol::frame_header_size < size) break;
        at += protocol::frame_header_size + size;
    }
    return at;
}

response_tracker::verdict response_tracker::on_header() {
    const bool is_continuation = header_.continues();
    header_ = protocol::decode_frame_header(header_bytes_);
    header_filled_ = 0;
    payload_left_ = header_.payload_size;
    if (is_continuation) {
        part_ = part::rest;
        return verdict::go_on;
    }
    captured_.clear();
    if (header_.payload_size != 0) {
        part_ = part::first_byte;
        return verdict::go_on;
    }
    part_ = part::rest;
    if (queue_.empty()) return verdict::broken;
    pending_ = on_packet({});
    return verdict::go_on;
}

response_tracker::verdict response_tracker::on_first_byte(std::uint8_t first) {
    part_ = part::rest;
    if (queue_.empty()) return on_unasked(first);
    // A server that gives up while the file is still on its way.
    if (state_ == state::file) state_ = state::head;
    switch (state_) {
        case state::head: return on_first_byte_of_head(first);
        case state::rows:
            if (first == err_byte || is_terminator(first)) part_ = part::capture;
            return verdict::go_on;
        case state::columns:
        case state::parameters:
        case state::prepared_columns:
            if (first == err_byte) {
                part_ = part::capture;
            } else {
                pending_ = on_definition();
            }
            return verdict::go_on;
        default: part_ = part::capture; return verdict::go_on;
    }
}

response_tracker::verdict response_tracker::on_unasked(std::uint8_t first) noexcept {
    if (first != err_byte) return verdict::broken;
    pending_ = verdict::unsolicited;
    return verdict::go_on;
}

response_tracker::verdict response_tracker::on_first_byte_of_head(std::uint8_t first) {
    auto& reply = queue_.front();
    // A reply begins with sequence id 1; the server says what nobody asked for with 0.
    if (first == err_byte && first_result_ && header_.sequence == 0 && numbered_) return on_unasked(first);
    const auto shape = protocol::reply_of(reply.command);
    if (shape == command_reply::endless && first != err_byte) return verdict::stream_begun;
    if (shape == command_reply::fetch || shape == command_reply::field_list) {
        state_ = state::rows;
        return on_first_byte(first);
    }
    if (shape == command_reply::result && first == file_byte) {
        const bool offered = protocol::has(capabilities_, protocol::capability::local_files);
        if (!offered || !reply.local_infile_asked) return verdict::file_refused;
    }
    part_ = part::capture;
    return verdict::go_on;
}

// The terminator of rows: any length with DEPRECATE_EOF (trackers), shorter than 9 bytes without; a first byte 0xFE
// otherwise begins a row whose first column is 16 MiB or longer.
bool response_tracker::is_terminator(std::uint8_t first) const noexcept {
    if (first != terminator_byte) return false;
    return deprecates_eof() ? !header_.continues() : header_.payload_size < 9;
}

void response_tracker::collect(byte_view bytes, std::size_t& at) {
    const auto wanted = capture_wanted();
    const auto there = bytes.size() - at;
    if (captured_.empty() && there >= wanted) {
        const auto payload = bytes.subspan(at, wanted);
        at += wanted;
        payload_left_ -= static_cast<std::uint32_t>(wanted);
        part_ = part::rest;
        pending_ = on_packet(payload);
        return;
    }
    const auto taken = bytes.subspan(at, std::min(wanted - captured_.size(), there));
    captured_.insert(captured_.end(), taken.begin(), taken.end());
    at += taken.size();
    payload_left_ -= static_cast<std::uint32_t>(taken.size());
    if (captured_.size() < wanted) return;
    part_ = part::rest;
    pending_ = on_packet(captured_);
    captured_ = {};
}

response_tracker::verdict response_tracker::on_packet(byte_view payload) {
    if (is_progress(payload)) {
        first_result_ = false;  // reports are numbered too: their ids may wrap before the reply proper begins
        return verdict::go_on;
    }
    if (state_ == state::head) return on_head(payload);
    if (payload.empty()) return verdict::broken;
    if (first_of(payload) == err_byte) return on_err(payload);
    switch (state_) {
        case state::columns_end: return on_columns_end(payload);
        case state::rows: return on_terminator(payload);
        case state::parameters_end: return after_parameters();
        case state::prepared_columns_end: return verdict::reply_over;
        default: return verdict::broken;
    }
}

response_tracker::verdict response_tracker::on_head(byte_view payload) {
    const auto shape = protocol::reply_of(queue_.front().command);
    if (shape == command_reply::bare_text && first_of(payload) != err_byte) return verdict::reply_over;
    if (payload.empty()) return verdict::broken;
    const auto first = first_of(payload);
    if (first == err_byte) return on_err(payload);
    switch (shape) {
        case command_reply::result: return on_result_head(payload);
        case command_reply::prepare: return on_prepare_head(payload);
        case command_reply::ok_or_err:
        case command_reply::eof_or_err:
        case command_reply::unknown:
            if (first == ok_byte) return on_ok(payload);
            if (first == terminator_byte) return on_terminator(payload);
            return verdict::reply_over;
        default: return verdict::broken;
    }
}

response_tracker::verdict response_tracker::on_result_head(byte_view payload) {
    switch (first_of(payload)) {
        case ok_byte: return on_ok(payload);
        case file_byte:
            state_ = state::file;
            first_result_ = false;  // sequence ids go on behind the file, and may wrap
            return verdict::go_on;
        case terminator_byte: return verdict::broken;
        default: break;
    }
    const auto head = protocol::parse_result_set_head(payload, capabilities_);
    if (!head || head->column_count == 0) return verdict::broken;
    definitions_left_ = head->column_count;
    state_ = state::columns;
    // Definitions that the client does not want, or has kept from the last time. Their EOF comes all the same.
    if (!head->metadata_follows) state_ = deprecates_eof() ? state::rows : state::columns_end;
    return verdict::go_on;
}

response_tracker::verdict response_tracker::on_prepare_head(byte_view payload) {
    const auto head = protocol::parse_prepare_ok(payload, capabilities_);
    if (!head) return verdict::broken;
    ended_.statement_id = head->statement_id;
    prepared_columns_ = head->column_count;
    definitions_left_ = head->parameter_count;
    definitions_follow_ = head->metadata_follows.value_or(true);
    if (definitions_left_ == 0) return after_parameters();
    state_ = state::parameters;
    return definitions_follow_ ? verdict::go_on : after_definitions();
}

response_tracker::verdict response_tracker::after_parameters() noexcept {
    definitions_left_ = prepared_columns_;
    if (definitions_left_ == 0) return verdict::reply_over;
    state_ = state::prepared_columns;
    return definitions_follow_ ? verdict::go_on : after_definitions();
}

response_tracker::verdict response_tracker::on_definition() noexcept {
    return --definitions_left_ != 0 ? verdict::go_on : after_definitions();
}

response_tracker::verdict response_tracker::after_definitions() noexcept {
    switch (state_) {
        case state::columns: state_ = deprecates_eof() ? state::rows : state::columns_end; break;
        case state::parameters:
            if (deprecates_eof()) return after_parameters();
            state_ = state::parameters_end;
            break;
        default:
            if (deprecates_eof()) return verdict::reply_over;
            state_ = state::prepared_columns_end;
            break;
    }
    return verdict::go_on;
}

response_tracker::verdict response_tracker::on_columns_end(byte_view payload) {
    const auto eof = protocol::parse_eof(payload);
    if (!eof) return verdict::broken;
    adopt(eof->status);
    // 5.6 forgets to say behind a CALL's OUT parameters that an OK follows; it says so here.
    constexpr protocol::status_flags announced =
        protocol::server_status::ps_out_params | protocol::server_status::more_results_exist;
    more_announced_ = (status_ & announced) == announced;
    // An opened cursor's rows come with COM_STMT_FETCH.
    if (queue_.front().cursor_asked && (status_ & protocol::server_status::cursor_exists) != 0) return result_over();
    state_ = state::rows;
    return verdict::go_on;
}

response_tracker::verdict response_tracker::on_ok(byte_view payload) {
    if (const auto ok = protocol::parse_ok(payload, capabilities_)) {
        adopt(ok->status);
        if (!ok->session_state.empty()) adopt_trackers(ok->session_state);
    } else {
        const auto status = protocol::peek_ok_status(payload);
        if (!status) return verdict::broken;
        adopt(*status);
        ended_.changes.incomplete = true;
    }
    return result_over();
}

response_tracker::verdict response_tracker::on_terminator(byte_view payload) {
    // Some commands end with a plain EOF even where DEPRECATE_EOF is negotiated; an OK has at least 7 bytes.
    if (payload.size() > eof_size) return on_ok(payload);
    if (const auto eof = protocol::parse_eof(payload)) adopt(eof->status);
    return result_over();
}

// MariaDB tells how far it has come by what looks like an ERR, and ends nothing by it.
bool response_tracker::is_progress(byte_view payload) const noexcept {
    return protocol::has(capabilities_, protocol::capability::mariadb_progress) &&
           protocol::is_progress_report(payload);
}

response_tracker::verdict response_tracker::on_err(byte_view payload) {
    ended_.failed = true;
    more_announced_ = false;
    if (const auto err = protocol::parse_err(payload)) ended_.error_code = err->code;
    return verdict::reply_over;
}

response_tracker::verdict response_tracker::result_over() noexcept {
    const bool may_have_more = protocol::reply_of(queue_.front().command) == command_reply::result;
    ++ended_.results;
    const bool has_more = (status_ & protocol::server_status::more_results_exist) != 0 || more_announced_;
    more_announced_ = false;
    if (!may_have_more || !has_more) return verdict::reply_over;
    state_ = state::head;
    first_result_ = false;
    return verdict::go_on;
}

void response_tracker::adopt_trackers(std::string_view session_state) {
    protocol::session_track_cursor entries(session_state);
    for (;;) {
        const auto next = entries.next();
        if (!next) {
            ended_.changes.incomplete = true;
            return;
        }
        if (!next->has_value()) return;
        const auto& entry = **next;
        if (entry.type == protocol::session_track_type::schema) {
            if (const auto schema = protocol::parse_tracked_text(entry.data)) ended_.changes.schema = *schema;
        } else if (entry.type == protocol::session_track_type::system_variables) {
            const auto variables = protocol::parse_tracked_variables(entry.data);
            if (!variables) continue;
            for (const auto& [name, value] : *variables) {
                if (name == "character_set_client") ended_.changes.character_set_client = value;
                if (name == "sql_mode") ended_.changes.sql_mode = value;
            }
        }
    }
}

reply_step response_tracker::finish(verdict what, std::size_t consumed) {
    switch (what) {
        case verdict::reply_over:
            ended_.expected = queue_.pop();
            state_ = state::head;
            first_result_ = true;
            return {consumed, reply_event::reply_ended, std::nullopt};
        case verdict::stream_begun: return {consumed, reply_event::stream_begun, std::nullopt};
        case verdict::unsolicited: return {consumed, reply_event::unsolicited_error, std::nullopt};
        default: return {consumed, reply_event::broken, std::nullopt};
    }
}

}  // namespace sluice::session
