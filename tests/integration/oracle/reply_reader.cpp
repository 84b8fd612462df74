#include "tests/integration/oracle/reply_reader.hpp"

namespace sluice::test::oracle {
namespace {

namespace flag = wire::flag;

constexpr std::uint16_t more_results = 0x0008;
constexpr std::uint16_t cursor_exists = 0x0040;
constexpr std::uint16_t output_parameters = 0x1000;
constexpr std::size_t frame_max = 0xFFFFFF;
constexpr std::uint16_t progress_code = 0xFFFF;

}  // namespace

const char* to_string(role what) {
    switch (what) {
        case role::greeting: return "greeting";
        case role::authentication: return "authentication";
        case role::ok: return "OK";
        case role::eof: return "EOF";
        case role::err: return "ERR";
        case role::progress: return "progress report";
        case role::file_wish: return "wish for a file";
        case role::count: return "column count";
        case role::column: return "column definition";
        case role::text_row: return "text row";
        case role::binary_row: return "binary row";
        case role::prepared: return "prepared";
        case role::text: return "text";
        case role::other: break;
    }
    return "packet";
}

const seen_packet& reply_reader::next(std::vector<seen_packet>& into) {
    for (;;) {
        into.push_back({stream_.receive(), role::other});
        auto& came = into.back();
        if (!came.packet.is_err()) return came;
        came.what = role::err;
        wire::input err(came.packet.payload);
        (void)err.integer(1);
        if (!has(flag::mariadb_progress) || err.integer(2) != progress_code) return came;
        came.what = role::progress;
    }
}

std::uint16_t reply_reader::status_of(const seen_packet& packet) const {
    wire::input from(packet.packet.payload);
    (void)from.integer(1);
    if (packet.what == role::eof) {
        (void)from.integer(2);
    } else {
        (void)from.lenenc();
        (void)from.lenenc();
    }
    return static_cast<std::uint16_t>(from.integer(2));
}

void reply_reader::read(reply_kind kind, std::vector<seen_packet>& into, std::size_t packets) {
    switch (kind) {
        case reply_kind::none: return;
        case reply_kind::result: return read_results(false, into);
        case reply_kind::binary_result: return read_results(true, into);
        case reply_kind::prepare: return read_prepare(into);
        case reply_kind::fetch: (void)read_rows(role::binary_row, into); return;
        case reply_kind::field_list: (void)read_rows(role::column, into); return;
        case reply_kind::endless:
            while (packets-- != 0 && next(into).what != role::err) {
            }
            return;
        default: break;
    }
    (void)next(into);
    auto& came = into.back();
    if (came.what == role::err) return;
    if (kind == reply_kind::text) {
        came.what = role::text;
    } else if (came.packet.first() == 0) {
        came.what = role::ok;
    } else if (came.packet.first() == 0xFE) {
        came.what = came.packet.payload.size() <= 5 ? role::eof : role::ok;
    }
}

void reply_reader::read_results(bool binary, std::vector<seen_packet>& into) {
    for (;;) {
        (void)next(into);
        auto& head = into.back();
        if (head.what == role::err) return;
        if (head.packet.first() == 0x00) {
            head.what = role::ok;
        } else if (head.packet.first() == 0xFB) {
            head.what = role::file_wish;
            send_file();
            continue;
        } else {
            of_parameters_ = 0;
            if (!read_result_set(binary, into)) return;
            // Of output parameters only the EOF behind the definitions says that more follow.
            if ((of_parameters_ & more_results) != 0) continue;
        }
        if ((status_of(into.back()) & more_results) == 0) return;
    }
}

void reply_reader::send_file() {
    std::uint8_t sequence = stream_.next_sequence();
    if (!files.empty()) {
        for (const auto& packet : files.front()) stream_.send(packet, sequence++);
        files.pop_front();
    }
    stream_.send("", sequence);
}

// False after an ERR.
bool reply_reader::read_result_set(bool binary, std::vector<seen_packet>& into) {
    into.back().what = role::count;
    wire::input head(into.back().packet.payload);
    const auto columns = head.lenenc();
    const bool may_lack_definitions = has(flag::optional_metadata) || has(flag::mariadb_cache_metadata);
    const bool has_definitions = !may_lack_definitions || head.integer(1) != 0;
    if (has_definitions && !read_definitions(columns, into)) return false;
    if (!has(flag::deprecate_eof)) {
        // The EOF behind the definitions comes even when they do not.
        (void)next(into);
        if (into.back().what == role::err) return false;
        into.back().what = role::eof;
        const auto status = status_of(into.back());
        if (binary && (status & cursor_exists) != 0) return true;
        if ((status & output_parameters) != 0) of_parameters_ = status;
    }
    return read_rows(binary ? role::binary_row : role::text_row, into);
}

bool reply_reader::read_definitions(std::uint64_t count, std::vector<seen_packet>& into) {
    while (count-- != 0) {
        (void)next(into);
        if (into.back().what == role::err) return false;
        into.back().what = role::column;
    }
    return true;
}

// Up to the terminator, which may be an ERR: then false.
bool reply_reader::read_rows(role row, std::vector<seen_packet>& into) {
    for (;;) {
        (void)next(into);
        auto& came = into.back();
        if (came.what == role::err) return false;
        const bool modern = has(flag::deprecate_eof);
        const auto size = came.packet.payload.size();
        if (came.packet.first() == 0xFE && (modern ? size < frame_max : size < 9)) {
            came.what = modern ? role::ok : role::eof;
            return true;
        }
        came.what = row;
    }
}

void reply_reader::read_prepare(std::vector<seen_packet>& into) {
    (void)next(into);
    if (into.back().what == role::err) return;
    into.back().what = role::prepared;
    wire::input head(into.back().packet.payload);
    (void)head.integer(5);
    const auto columns = head.integer(2);
    const auto parameters = head.integer(2);
    (void)head.integer(3);
    const bool may_lack_definitions = has(flag::optional_metadata) && !head.at_end();
    const bool has_definitions = !may_lack_definitions || head.integer(1) != 0;
    for (const auto count : {parameters, columns}) {
        if (count == 0) continue;
        if (has_definitions && !read_definitions(count, into)) return;
        if (has(flag::deprecate_eof)) continue;
        (void)next(into);
        if (into.back().what == role::err) return;
        into.back().what = role::eof;
    }
}

}  // namespace sluice::test::oracle
