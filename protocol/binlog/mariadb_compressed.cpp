#include "protocol/binlog/mariadb_compressed.hpp"

#include <zlib.h>

#include <algorithm>

namespace sluice::binlog {

namespace {

constexpr std::size_t growth_max = std::size_t{1} << 20;

struct inflater {
    z_stream stream{};
    int state = inflateInit(&stream);
    inflater() = default;
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    ~inflater() {
        if (state == Z_OK) inflateEnd(&stream);
    }
};

decode_error malformed(const char* what) {
    return {decode_errc::malformed, std::string("compressed part of an event: ") + what};
}

decode_result<void> inflate_stream(byte_view compressed, std::size_t plain_size, byte_buffer& plain) {
    inflater zlib;
    SLUICE_ASSERT(zlib.state == Z_OK);
    // zlib does not write to its input; its type only says so where ZLIB_CONST is set.
    zlib.stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
    zlib.stream.avail_in = static_cast<uInt>(compressed.size());
    int code = Z_OK;
    while (code != Z_STREAM_END) {
        const std::size_t before = plain.size();
        // One byte more than stated, so that a stream that holds more is noticed.
        const std::size_t room = std::min(growth_max, plain_size + 1 - before);
        plain.resize(before + room);
        zlib.stream.next_out = reinterpret_cast<Bytef*>(plain.data() + before);
        zlib.stream.avail_out = static_cast<uInt>(room);
        code = inflate(&zlib.stream, Z_NO_FLUSH);
        plain.resize(before + room - zlib.stream.avail_out);
        if (code != Z_OK && code != Z_STREAM_END) return malformed("no zlib stream");
        if (plain.size() > plain_size) return malformed("it is longer than it says");
        if (code == Z_OK && zlib.stream.avail_out != 0) return malformed("its zlib stream does not end");
    }
    if (plain.size() != plain_size || zlib.stream.avail_in != 0) return malformed("it is not as long as it says");
    return {};
}

}  // namespace

event_type uncompressed_type(event_type type) noexcept {
    switch (type) {
        case event_type::mariadb_query_compressed: return event_type::query;
        case event_type::mariadb_write_rows_compressed_v1: return event_type::write_rows_v1;
        case event_type::mariadb_update_rows_compressed_v1: return event_type::update_rows_v1;
        case event_type::mariadb_delete_rows_compressed_v1: return event_type::delete_rows_v1;
        case event_type::mariadb_write_rows_compressed: return event_type::write_rows;
        case event_type::mariadb_update_rows_compressed: return event_type::update_rows;
        case event_type::mariadb_delete_rows_compressed: return event_type::delete_rows;
        default: return type;
    }
}

decode_result<void> inflate_part(byte_view compressed, std::size_t plain_size_max, byte_buffer& plain) {
    plain.clear();
    if (compressed.empty()) return decode_error{decode_errc::truncated, "compressed part of an event: is missing"};
    const auto head = std::to_integer<unsigned>(compressed[0]);
    const std::size_t size_of_size = head & 0x07U;
    if ((head & 0x80U) == 0 || size_of_size < 1 || size_of_size > 4 || (head & 0x08U) != 0) {
        return malformed("its first byte");
    }
    if ((head & 0x70U) != 0) {
        return decode_error{decode_errc::unsupported, "compressed part of an event: an algorithm other than zlib"};
    }
    compressed = compressed.subspan(1);
    if (compressed.size() < size_of_size) {
        return decode_error{decode_errc::truncated, "compressed part of an event: ends too early"};
    }
    std::size_t plain_size = 0;
    for (std::size_t i = 0; i < size_of_size; ++i) {
        plain_size = plain_size << 8 | std::to_integer<std::size_t>(compressed[i]);
    }
    if (plain_size > plain_size_max) {
        return decode_error{decode_errc::too_large, "compressed part of an event: is larger than the limit"};
    }
    return inflate_stream(compressed.subspan(size_of_size), plain_size, plain);
}

}  // namespace sluice::binlog
