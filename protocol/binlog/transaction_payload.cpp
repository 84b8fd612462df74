#include "protocol/binlog/transaction_payload.hpp"

#include "protocol/binlog/event_cursor.hpp"

#include <algorithm>
#include <cstring>

#include <zstd.h>

namespace sluice::binlog {

decode_result<transaction_payload_event> transaction_payload_event::decode(byte_view body) {
    constexpr std::uint64_t end_mark = 0;
    constexpr std::uint64_t size_field = 1;
    constexpr std::uint64_t compression_field = 2;
    constexpr std::uint64_t uncompressed_size_field = 3;
    event_cursor cursor(body);
    transaction_payload_event event;
    std::uint64_t payload_size = 0;
    std::uint64_t compression = static_cast<std::uint64_t>(payload_compression::none);
    while (cursor.ok()) {
        const auto type = cursor.lenenc_int();
        if (!cursor.ok() || type == end_mark) break;
        event_cursor value(cursor.lenenc_bytes());
        if (type == size_field) payload_size = value.lenenc_int();
        if (type == compression_field) compression = value.lenenc_int();
        if (type == uncompressed_size_field) event.uncompressed_size = value.lenenc_int();
        if (!value.ok()) cursor.fail();
    }
    event.payload = cursor.bytes(payload_size);
    if (!cursor.ok()) return cursor.error("transaction payload");
    if (compression != static_cast<std::uint64_t>(payload_compression::zstd) &&
        compression != static_cast<std::uint64_t>(payload_compression::none)) {
        return decode_error{decode_errc::unsupported, "transaction payload: unknown compression"};
    }
    event.compression = static_cast<payload_compression>(compression);
    return event;
}

struct payload_reader::state {
    explicit state(payload_limits given) : limits(given), context(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
        SLUICE_ASSERT(context != nullptr);
        SLUICE_ASSERT(!ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, limits.window_log_max)));
    }

    /// Makes at least `wanted` bytes available from begin on, fewer at the end of the payload.
    decode_result<void> fill(std::size_t wanted);
    decode_result<void> decompress_some();

    payload_limits limits;
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context;
    bool is_compressed = false;
    byte_view input;
    std::uint64_t produced = 0;  // bytes out of the current payload
    bool is_frame_open = false;  // the compressed stream still owes output or the end of its frame
    byte_buffer buffer;
    std::size_t begin = 0;  // what is valid in buffer: [begin, end)
    std::size_t end = 0;
};

decode_result<void> payload_reader::state::decompress_some() {
    // The buffer doubles only when it is full of bytes that really came out: a claimed size alone buys no memory.
    constexpr std::size_t first_size = 64 * 1024;
    if (begin > 0) {
        std::memmove(buffer.data(), buffer.data() + begin, end - begin);
        end -= begin;
        begin = 0;
    }
    if (end == buffer.size()) buffer.resize(std::max(first_size, buffer.size() * 2));
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{buffer.data(), buffer.size(), end};
    const auto outcome = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(outcome) != 0) {
        return decode_error{decode_errc::malformed,
                            std::string("transaction payload: zstd: ") + ZSTD_getErrorName(outcome)};
    }
    is_frame_open = outcome != 0;
    const bool has_moved = in.pos > 0 || out.pos > end;
    produced += out.pos - end;
    end = out.pos;
    input = input.subspan(in.pos);
    if (produced > limits.payload_size_max) {
        return decode_error{decode_errc::too_large, "transaction payload: decompresses to more than the limit"};
    }
    if (!has_moved) return decode_error{decode_errc::truncated, "transaction payload: compressed data end too early"};
    return {};
}

decode_result<void> payload_reader::state::fill(std::size_t wanted) {
    while (end - begin < wanted && (!input.empty() || is_frame_open)) SLUICE_TRY_VOID(decompress_some());
    return {};
}

payload_reader::payload_reader(payload_limits limits) : state_(std::make_unique<state>(limits)) {}
payload_reader::~payload_reader() = default;
payload_reader::payload_reader(payload_reader&&) noexcept = default;
payload_reader& payload_reader::operator=(payload_reader&&) noexcept = default;

decode_result<void> payload_reader::begin(const transaction_payload_event& event) {
    constexpr std::size_t kept_size_max = 1024 * 1024;
    if (state_->buffer.size() > kept_size_max) byte_buffer().swap(state_->buffer);
    ZSTD_DCtx_reset(state_->context.get(), ZSTD_reset_session_only);
    state_->is_compressed = event.compression == payload_compression::zstd;
    state_->input = event.payload;
    state_->produced = 0;
    state_->is_frame_open = false;
    state_->begin = 0;
    state_->end = 0;
    if (event.payload.size() > state_->limits.payload_size_max) {
        return decode_error{decode_errc::too_large, "transaction payload: larger than the limit"};
    }
    return {};
}

decode_result<std::optional<byte_view>> payload_reader::next() {
    auto& s = *state_;
    if (s.is_compressed) SLUICE_TRY_VOID(s.fill(event_header::size));
    const auto available = [&s] {
        return s.is_compressed ? byte_view(s.buffer).subspan(s.begin, s.end - s.begin) : s.input;
    };
    if (available().empty()) return std::optional<byte_view>{};
    SLUICE_TRY(const auto header, event_header::decode(available()));
    if (header.event_size > s.limits.event_size_max) {
        return decode_error{decode_errc::too_large, "transaction payload: an inner event is larger than the limit"};
    }
    if (s.is_compressed) SLUICE_TRY_VOID(s.fill(header.event_size));
    if (available().size() < header.event_size) {
        return decode_error{decode_errc::truncated, "transaction payload: ends within an event"};
    }
    const auto event = available().first(header.event_size);
    if (s.is_compressed) {
        s.begin += event.size();
    } else {
        s.input = s.input.subspan(event.size());
    }
    return std::optional<byte_view>(event);
}

}  // namespace sluice::binlog
