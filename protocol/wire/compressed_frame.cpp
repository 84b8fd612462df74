#include "protocol/wire/compressed_frame.hpp"

#include <algorithm>

#define ZLIB_CONST  // zlib's input pointers are then to const
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace sluice::protocol {

namespace {

// The largest window that a frame of 16 MiB can use.
constexpr int zstd_window_log_max = 24;
constexpr std::size_t zstd_magic_size = 4;
// A context that has grown beyond this is not kept for the next frame: most connections never see a second such frame.
constexpr std::size_t kept_context_size_max = 4 * 1024 * 1024;

wire_error malformed(const char* what) noexcept { return {wire_errc::malformed, what}; }

}  // namespace

struct compressed_frame_decoder::inflater {
    struct moved {
        std::size_t consumed = 0;
        std::size_t produced = 0;
        bool ended = false;
    };
    inflater() = default;
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    virtual ~inflater() = default;
    virtual void begin() = 0;
    virtual wire_result<moved> go_on(byte_view input, std::span<std::byte> output) = 0;
    [[nodiscard]] virtual bool is_large() const noexcept { return false; }

    struct by_zlib;
    struct by_zstd;
};

struct compressed_frame_decoder::inflater::by_zlib final : inflater {
    by_zlib() { SLUICE_ASSERT(inflateInit(&stream) == Z_OK); }
    by_zlib(const by_zlib&) = delete;
    by_zlib& operator=(const by_zlib&) = delete;
    ~by_zlib() override { inflateEnd(&stream); }

    void begin() override { SLUICE_ASSERT(inflateReset(&stream) == Z_OK); }

    wire_result<moved> go_on(byte_view input, std::span<std::byte> output) override {
        stream.next_in = reinterpret_cast<const Bytef*>(input.data());
        stream.avail_in = static_cast<uInt>(input.size());
        stream.next_out = reinterpret_cast<Bytef*>(output.data());
        stream.avail_out = static_cast<uInt>(output.size());
        const int outcome = inflate(&stream, Z_SYNC_FLUSH);
        if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) {
            return malformed("compressed frame: not a zlib stream");
        }
        return moved{input.size() - stream.avail_in, output.size() - stream.avail_out, outcome == Z_STREAM_END};
    }

    z_stream stream{};
};

struct compressed_frame_decoder::inflater::by_zstd final : inflater {
    by_zstd() : context(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
        SLUICE_ASSERT(context != nullptr);
        SLUICE_ASSERT(!ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, zstd_window_log_max)));
    }

    void begin() override {
        SLUICE_ASSERT(!ZSTD_isError(ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only)));
        at_begin = true;
    }

    wire_result<moved> go_on(byte_view input, std::span<std::byte> output) override {
        // A frame that is there as a whole would be decompressed in one pass, which ignores the limit on the window:
        // what is accepted would depend on the pieces. The magic number alone is not a whole frame.
        if (at_begin) input = input.first(std::min<std::size_t>(input.size(), zstd_magic_size));
        at_begin = false;
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        ZSTD_outBuffer out{output.data(), output.size(), 0};
        const auto outcome = ZSTD_decompressStream(context.get(), &out, &in);
        if (ZSTD_isError(outcome) != 0) {
            if (ZSTD_getErrorCode(outcome) == ZSTD_error_frameParameter_windowTooLarge) {
                return wire_error{wire_errc::too_large, "compressed frame: its zstd window is too large"};
            }
            return malformed("compressed frame: not a zstd frame");
        }
        return moved{in.pos, out.pos, outcome == 0};
    }

    [[nodiscard]] bool is_large() const noexcept override {
        return ZSTD_sizeof_DCtx(context.get()) > kept_context_size_max;
    }

    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context;
    bool at_begin = true;
};

compressed_frame_decoder::compressed_frame_decoder(compression_algorithm algorithm) : algorithm_(algorithm) {
    SLUICE_ASSERT(algorithm != compression_algorithm::none);
}
compressed_frame_decoder::~compressed_frame_decoder() = default;
compressed_frame_decoder::compressed_frame_decoder(compressed_frame_decoder&&) noexcept = default;
compressed_frame_decoder& compressed_frame_decoder::operator=(compressed_frame_decoder&&) noexcept = default;

wire_result<compressed_frame_decoder::progress> compressed_frame_decoder::decode(byte_view input,
                                                                                 std::span<std::byte> output) {
    progress total;
    for (;;) {
        const auto rest = input.subspan(total.consumed);
        if (!in_frame_) {
            const auto wanted = std::min(compressed_header_size - header_filled_, rest.size());
            std::copy_n(rest.begin(), wanted, header_bytes_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
            header_filled_ += wanted;
            total.consumed += wanted;
            if (header_filled_ < compressed_header_size) return total;
            if (total.produced != 0 && decode_compressed_header(header_bytes_).sequence == 0) return total;
            SLUICE_TRY_VOID(begin_frame());
            continue;
        }
        const auto room = output.subspan(total.produced);
        progress step;
        if (header_.is_stored()) {
            step = copy_stored(rest, room);
        } else if (!stream_ended_) {
            SLUICE_TRY(step, inflate_some(rest, room));
        }
        total.consumed += step.consumed;
        total.produced += step.produced;
        if (left_ == 0 && (header_.is_stored() || stream_ended_)) {
            end_frame();
            continue;
        }
        if (step.consumed == 0 && step.produced == 0) return total;
    }
}

wire_result<void> compressed_frame_decoder::begin_frame() {
    header_ = decode_compressed_header(header_bytes_);
    header_filled_ = 0;
    in_frame_ = true;
    stream_ended_ = false;
    owes_output_ = false;
    left_ = header_.size;
    plain_left_ = header_.plain_size;
    ++frames_;
    if (header_.is_stored()) return {};
    if (left_ == 0) return malformed("compressed frame: empty, but not what it inflates to");
    if (inflater_ == nullptr) {
        if (algorithm_ == compression_algorithm::zstd) {
            inflater_ = std::make_unique<inflater::by_zstd>();
        } else {
            inflater_ = std::make_unique<inflater::by_zlib>();
        }
    }
    inflater_->begin();
    return {};
}

compressed_frame_decoder::progress compressed_frame_decoder::copy_stored(byte_view input,
                                                                         std::span<std::byte> output) noexcept {
    const auto size = std::min({input.size(), output.size(), std::size_t{left_}});
    std::copy_n(input.begin(), size, output.begin());
    left_ -= static_cast<std::uint32_t>(size);
    return {size, size};
}

wire_result<compressed_frame_decoder::progress> compressed_frame_decoder::inflate_some(byte_view input,
                                                                                       std::span<std::byte> output) {
    // When all is out that was announced, only the stream's end may follow; a byte of room shows whether it does.
    std::array<std::byte, 1> beyond{};
    const bool all_out = plain_left_ == 0;
    const auto room =
        all_out ? std::span<std::byte>(beyond) : output.first(std::min<std::size_t>(output.size(), plain_left_));
    if (room.empty() || (input.empty() && !owes_output_)) return progress{};
    SLUICE_TRY(const auto moved, inflater_->go_on(input.first(std::min<std::size_t>(input.size(), left_)), room));
    if (all_out && moved.produced != 0) return malformed("compressed frame: inflates to more than its header says");
    left_ -= static_cast<std::uint32_t>(moved.consumed);
    plain_left_ -= static_cast<std::uint32_t>(moved.produced);
    stream_ended_ = moved.ended;
    owes_output_ = !moved.ended && moved.produced == room.size();
    if (moved.ended) {
        if (plain_left_ != 0) return malformed("compressed frame: inflates to less than its header says");
        if (left_ != 0) return malformed("compressed frame: bytes behind the end of its stream");
    } else if (left_ == 0 && !owes_output_) {
        return malformed("compressed frame: its stream does not end");
    }
    return progress{moved.consumed, moved.produced};
}

void compressed_frame_decoder::end_frame() {
    in_frame_ = false;
    if (inflater_ != nullptr && inflater_->is_large()) inflater_.reset();
}

struct compressed_frame_encoder::deflater {
    deflater() = default;
    deflater(const deflater&) = delete;
    deflater& operator=(const deflater&) = delete;
    virtual ~deflater() = default;
    [[nodiscard]] virtual std::size_t bound(std::size_t plain_size) = 0;
    /// Bytes written to `room`, which is at least bound() long.
    [[nodiscard]] virtual std::size_t deflate_all(byte_view plain, std::span<std::byte> room) = 0;

    struct by_zlib;
    struct by_zstd;
};

struct compressed_frame_encoder::deflater::by_zlib final : deflater {
    by_zlib() { SLUICE_ASSERT(deflateInit(&stream, zlib_level_default) == Z_OK); }
    by_zlib(const by_zlib&) = delete;
    by_zlib& operator=(const by_zlib&) = delete;
    ~by_zlib() override { deflateEnd(&stream); }

    std::size_t bound(std::size_t plain_size) override { return deflateBound(&stream, plain_size); }

    std::size_t deflate_all(byte_view plain, std::span<std::byte> room) override {
        SLUICE_ASSERT(deflateReset(&stream) == Z_OK);
        stream.next_in = reinterpret_cast<const Bytef*>(plain.data());
        stream.avail_in = static_cast<uInt>(plain.size());
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        SLUICE_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
        return room.size() - stream.avail_out;
    }

    z_stream stream{};
};

struct compressed_frame_encoder::deflater::by_zstd final : deflater {
    explicit by_zstd(int level) : context(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
        SLUICE_ASSERT(context != nullptr);
        SLUICE_ASSERT(!ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level)));
    }

    std::size_t bound(std::size_t plain_size) override { return ZSTD_compressBound(plain_size); }

    std::size_t deflate_all(byte_view plain, std::span<std::byte> room) override {
        const auto size = ZSTD_compress2(context.get(), room.data(), room.size(), plain.data(), plain.size());
        SLUICE_ASSERT(!ZSTD_isError(size));
        return size;
    }

    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context;
};

compressed_frame_encoder::compressed_frame_encoder(compression_algorithm algorithm, int zstd_level)
    : algorithm_(algorithm), zstd_level_(std::clamp(zstd_level, 1, zstd_level_max)) {
    SLUICE_ASSERT(algorithm != compression_algorithm::none);
}
compressed_frame_encoder::~compressed_frame_encoder() = default;
compressed_frame_encoder::compressed_frame_encoder(compressed_frame_encoder&&) noexcept = default;
compressed_frame_encoder& compressed_frame_encoder::operator=(compressed_frame_encoder&&) noexcept = default;

void compressed_frame_encoder::append(byte_buffer& out, byte_view plain) {
    SLUICE_ASSERT(!plain.empty() && plain.size() <= compressed_frame_size_max);
    const auto begin = out.size();
    out.resize(begin + compressed_header_size);
    const bool compressed = plain.size() >= compressed_plain_size_min && append_compressed(out, plain);
    if (!compressed) out.insert(out.end(), plain.begin(), plain.end());
    const auto put_u24 = [&](std::size_t at, std::size_t value) {
        for (std::size_t i = 0; i < 3; ++i) out[begin + at + i] = static_cast<std::byte>((value >> (8 * i)) & 0xFF);
    };
    put_u24(0, out.size() - begin - compressed_header_size);
    out[begin + 3] = static_cast<std::byte>(next_sequence_++);
    put_u24(4, compressed ? plain.size() : 0);
}

bool compressed_frame_encoder::append_compressed(byte_buffer& out, byte_view plain) {
    if (deflater_ == nullptr) {
        if (algorithm_ == compression_algorithm::zstd) {
            deflater_ = std::make_unique<deflater::by_zstd>(zstd_level_);
        } else {
            deflater_ = std::make_unique<deflater::by_zlib>();
        }
    }
    const auto begin = out.size();
    out.resize(begin + deflater_->bound(plain.size()));
    const auto size = deflater_->deflate_all(plain, std::span(out).subspan(begin));
    out.resize(size < plain.size() ? begin + size : begin);
    return size < plain.size();
}

}  // namespace sluice::protocol
