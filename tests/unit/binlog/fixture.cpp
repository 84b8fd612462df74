#include "tests/unit/binlog/fixture.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <zlib.h>

namespace sluice::binlog::test {

namespace {

std::string load_text(const std::string& file) {
    std::ifstream in(std::filesystem::path(SLUICE_FIXTURES) / file, std::ios::binary);
    INFO(file);
    REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        ++i;
        out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
    }
    return out;
}

}  // namespace

byte_buffer load_bytes(const std::string& file) { return protocol::to_buffer(load_text(file)); }

std::vector<std::vector<std::string>> load_table(const std::string& file) {
    const auto text = load_text(file);
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> line;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\t' && text[i] != '\n') continue;
        line.push_back(unescaped(std::string_view(text).substr(begin, i - begin)));
        begin = i + 1;
        if (text[i] == '\n') lines.push_back(std::exchange(line, {}));
    }
    return lines;
}

recorded_log load_recorded_log(const std::string& name) {
    recorded_log log;
    log.name = name;
    log.bytes = load_bytes(std::string(name).append(".binlog"));
    constexpr std::size_t magic_size = 4;
    auto rest = byte_view(log.bytes).subspan(magic_size);
    while (!rest.empty()) {
        const auto header = event_header::decode(rest);
        REQUIRE(header);
        REQUIRE(header->event_size <= rest.size());
        log.events.push_back(rest.first(header->event_size));
        rest = rest.subspan(header->event_size);
    }
    for (const auto& line : load_table(std::string(name).append(".events"))) {
        log.shown.push_back({std::stoull(line.at(0)), line.at(1), std::stoull(line.at(3)), line.at(4)});
    }
    return log;
}

std::vector<recorded_log> all_recorded_logs() {
    std::vector<std::string> names;
    const std::filesystem::path root(SLUICE_FIXTURES);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() != ".binlog") continue;
        names.push_back(std::filesystem::relative(entry.path(), root).replace_extension().string());
    }
    std::sort(names.begin(), names.end());
    std::vector<recorded_log> logs;
    for (const auto& name : names) logs.push_back(load_recorded_log(name));
    return logs;
}

decode_result<std::size_t> drain(event_decoder& decoder, byte_view event) {
    SLUICE_TRY_VOID(decoder.feed(event));
    std::size_t count = 0;
    while (true) {
        SLUICE_TRY(const auto decoded, decoder.next());
        if (!decoded) return count;
        ++count;
        const auto* rows = std::get_if<rows_event>(&decoded->body);
        if (rows == nullptr) continue;
        auto cursor = rows->rows();
        while (true) {
            SLUICE_TRY(const bool has_row, cursor.next());
            if (!has_row) break;
        }
    }
}

std::vector<decoded_event> decode_all(const recorded_log& log, event_decoder& decoder) {
    std::vector<decoded_event> all;
    for (const auto event : log.events) {
        const auto fed = decoder.feed(event);
        INFO((fed ? "" : fed.error().what));
        REQUIRE(fed);
        while (true) {
            auto decoded = decoder.next();
            INFO((decoded ? "" : decoded.error().what));
            REQUIRE(decoded);
            if (!*decoded) break;
            all.push_back(std::move(**decoded));
        }
    }
    return all;
}

void for_each_row(const recorded_log& log,
                  const std::function<void(const decoded_event&, const rows_event&, const row_cursor&)>& take) {
    event_decoder decoder;
    for (const auto bytes : log.events) {
        REQUIRE(decoder.feed(bytes));
        while (true) {
            const auto event = decoder.next();
            REQUIRE(event);
            if (!*event) break;
            const auto* rows = std::get_if<rows_event>(&(**event).body);
            if (rows == nullptr) continue;
            auto cursor = rows->rows();
            while (true) {
                const auto has_row = cursor.next();
                REQUIRE(has_row);
                if (!*has_row) break;
                take(**event, *rows, cursor);
            }
            CHECK_FALSE(cursor.before().exists());
            CHECK_FALSE(cursor.after().exists());
        }
    }
}

byte_buffer make_event(event_type type, byte_view body, std::uint16_t flags, std::uint32_t end_position) {
    byte_buffer event;
    protocol::writer to(event);
    to.u32(1'700'000'000);
    to.u8(static_cast<std::uint8_t>(type));
    to.u32(7);
    to.u32(static_cast<std::uint32_t>(event_header::size + body.size()));
    to.u32(end_position);
    to.u16(flags);
    to.bytes(body);
    return event;
}

byte_buffer shortened(byte_view event, std::size_t body_size, checksum_algorithm checksum) {
    const auto header = event_header::decode(event);
    REQUIRE(header);
    const bool is_summed = checksum == checksum_algorithm::crc32;
    byte_buffer made(event.begin(), event.begin() + static_cast<std::ptrdiff_t>(event_header::size + body_size));
    const auto size = static_cast<std::uint32_t>(made.size() + (is_summed ? checksum_size : 0));
    for (std::size_t i = 0; i < 4; ++i) made[9 + i] = static_cast<std::byte>(size >> (8 * i) & 0xFF);
    if (is_summed) {
        const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(made.data()), made.size());
        protocol::writer(made).u32(static_cast<std::uint32_t>(crc));
    }
    return made;
}

byte_buffer bytes_of(std::initializer_list<int> values) {
    byte_buffer bytes;
    for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

}  // namespace sluice::binlog::test
