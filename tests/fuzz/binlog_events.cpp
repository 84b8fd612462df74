// A dump stream, event by event: rows walked to their ends, every value that may be a key decoded, every view read
// while it is said to be valid. The input chooses whether sizes and checksums are put right for it.

#include "protocol/binlog/event_decoder.hpp"
#include "protocol/binlog/value/key_value.hpp"
#include "protocol/wire/writer.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <zlib.h>

namespace sluice::fuzz {
namespace {

using namespace binlog;

void read_image(const row_image& image, const table_map& table) {
    if (!image.exists()) return;
    FUZZ_CHECK(image.size() == table.columns.size());
    for (std::size_t i = 0; i < image.size(); ++i) {
        const auto& cell = image[i];
        touch(cell.bytes);
        if (cell.state != cell_state::value) continue;
        for (const bool is_unsigned : {false, true}) {
            auto type = table.columns[i].type;
            type.is_unsigned = is_unsigned;
            const auto value = decode_key_value(type, cell.bytes);
            if (!value) continue;
            FUZZ_CHECK(may_be_key(type.type) && !value->is_null() && *value == *value);
            FUZZ_CHECK(!key_kind_name(value->kind).empty());
        }
    }
}

void read_rows(const rows_event& event) {
    FUZZ_CHECK(event.table != nullptr);
    auto cursor = event.rows();
    // A row without columns takes no bytes; the cursor itself must end.
    for (std::size_t rows = 0;; ++rows) {
        const auto more = cursor.next();
        if (!more || !*more) return;
        FUZZ_CHECK(rows <= event.row_data.size());
        FUZZ_CHECK(cursor.before().exists() == (event.kind != rows_kind::write));
        FUZZ_CHECK(cursor.after().exists() == (event.kind != rows_kind::remove));
        read_image(cursor.before(), *event.table);
        read_image(cursor.after(), *event.table);
    }
}

void read_table(const table_map& table) {
    FUZZ_CHECK(table.same_shape(table) && table.columns.size() <= table_map::column_count_max);
    const auto fits = [&](const auto& list) { return list.empty() || list.size() == table.columns.size(); };
    const auto& metadata = table.metadata;
    FUZZ_CHECK(fits(metadata.column_names) && fits(metadata.collation_ids) && fits(metadata.member_collation_ids));
    FUZZ_CHECK(fits(metadata.members) && fits(metadata.geometry_types) && fits(metadata.vector_dimensions));
    for (const auto& part : metadata.primary_key) FUZZ_CHECK(part.column < table.columns.size());
}

void read_event(const decoded_event& event) {
    FUZZ_CHECK(!event_type_name(event.header.type).empty());
    if (const auto* table = std::get_if<table_map_event>(&event.body)) {
        FUZZ_CHECK(table->table != nullptr);
        read_table(*table->table);
    } else if (const auto* rows = std::get_if<rows_event>(&event.body)) {
        read_rows(*rows);
    } else if (const auto* query = std::get_if<query_event>(&event.body)) {
        touch(query->schema);
        touch(query->statement);
    } else if (const auto* text = std::get_if<rows_query_event>(&event.body)) {
        touch(text->statement);
    } else if (const auto* prepare = std::get_if<xa_prepare_event>(&event.body)) {
        touch(prepare->to_string());
    } else if (const auto* previous = std::get_if<previous_gtids_event>(&event.body)) {
        touch(previous->gtids.to_string());
    }
}

/// The rest of the stream as one uncompressed transaction payload.
byte_buffer as_payload(byte_view events, std::uint8_t checksum) {
    byte_buffer event(event_header::size);
    event[4] = std::byte{static_cast<std::uint8_t>(event_type::transaction_payload)};
    protocol::writer out(event);
    byte_buffer size;
    protocol::writer(size).lenenc_int(events.size());
    out.u8(1);
    out.lenenc_bytes(size);
    out.u8(2);
    out.lenenc_bytes(protocol::as_bytes(std::string_view("\xFC\xFF\x00", 3)));
    out.u8(0);
    out.bytes(events);
    if (checksum != 0) out.u32(0);
    return event;
}

/// Most mutations would end at a wrong size or checksum.
void put_right(byte_buffer& event, bool size, bool checksum) {
    const auto store = [&](std::size_t at, std::uint32_t value) {
        for (std::size_t i = 0; i < 4; ++i) event[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xFFU);
    };
    constexpr std::size_t size_at = 9;
    if (size && event.size() >= event_header::size) store(size_at, static_cast<std::uint32_t>(event.size()));
    if (!checksum || event.size() < event_header::size + checksum_size) return;
    const auto summed = static_cast<uInt>(event.size() - checksum_size);
    store(summed, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(event.data()), summed)));
}

bool decode(event_decoder& decoder, const byte_buffer& event) {
    if (!decoder.feed(event)) return false;
    for (;;) {
        const auto next = decoder.next();
        if (!next) return false;
        if (!next->has_value()) return true;
        read_event(**next);
    }
}

void run(fuzz_input in) {
    const unsigned choices = in.u8();
    const bool sums = (choices & 1U) != 0;
    const bool right_sizes = (choices & 2U) == 0;
    const bool right_sums = (choices & 4U) == 0;
    const bool in_payload = (choices & 8U) != 0;
    decoder_options options;
    options.checksum = sums ? checksum_algorithm::crc32 : checksum_algorithm::none;
    options.event_size_max = 1U << 20U;
    options.payload = {1U << 20U, 1U << 20U, 20};
    options.table_maps_max = 4;
    if ((choices & 16U) != 0)
        options.wants_table = [](std::string_view, std::string_view table) { return table != "t"; };
    event_decoder decoder(std::move(options));
    decoder.begin_at({"binlog.000001", 4});
    byte_buffer inner;
    while (!in.empty()) {
        // An own buffer for each event: views that outlive it are found out.
        auto event = in.bytes(in.u16());
        put_right(event, right_sizes, sums && right_sums && !in_payload);
        if (in_payload) {
            inner.insert(inner.end(), event.begin(), event.end());
        } else if (!decode(decoder, event)) {
            return;
        }
    }
    if (!in_payload) return;
    auto event = as_payload(inner, sums ? 1 : 0);
    put_right(event, true, sums);
    static_cast<void>(decode(decoder, event));
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
