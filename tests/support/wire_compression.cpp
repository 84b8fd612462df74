#include "tests/support/wire_compression.hpp"

#include <algorithm>

#include <zlib.h>
#include <zstd.h>

namespace sluice::test::wire {
namespace {

constexpr std::size_t header_size = 7;
constexpr std::size_t frame_size_max = 0xFFFFFF;
constexpr std::size_t worth_compressing = 50;  // bytes; every implementation has this limit

std::string squeeze(compression kind, std::string_view plain) {
    if (kind == compression::zstd) {
        std::string out(ZSTD_compressBound(plain.size()), '\0');
        const auto size = ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3);
        if (ZSTD_isError(size) != 0) throw error("zstd cannot compress");
        out.resize(size);
        return out;
    }
    auto size = compressBound(plain.size());
    std::string out(size, '\0');
    if (compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                 plain.size()) != Z_OK) {
        throw error("zlib cannot compress");
    }
    out.resize(size);
    return out;
}

void expand(compression kind, std::string_view squeezed, std::string& plain, std::size_t size) {
    const auto begin = plain.size();
    plain.resize(begin + size);
    std::size_t made = 0;
    if (kind == compression::zstd) {
        made = ZSTD_decompress(plain.data() + begin, size, squeezed.data(), squeezed.size());
        if (ZSTD_isError(made) != 0) throw error("a frame is no zstd");
    } else {
        uLongf there = size;
        if (uncompress(reinterpret_cast<Bytef*>(plain.data() + begin), &there,
                       reinterpret_cast<const Bytef*>(squeezed.data()), squeezed.size()) != Z_OK) {
            throw error("a frame is no zlib");
        }
        made = there;
    }
    if (made != size) throw error("a compressed frame announces another size than it has");
}

}  // namespace

void compressor::wrap(std::string_view plain, std::string& wire) {
    do {
        const auto part = plain.substr(0, frame_size_max);
        plain.remove_prefix(part.size());
        std::string inside(part);
        std::size_t size_before = 0;
        if (part.size() >= worth_compressing) {
            auto squeezed = squeeze(kind_, part);
            if (squeezed.size() < part.size()) {
                inside = std::move(squeezed);
                size_before = part.size();
            }
        }
        put_int(wire, inside.size(), 3);
        put_int(wire, sequence_++, 1);
        put_int(wire, size_before, 3);
        wire += inside;
    } while (!plain.empty());
}

void compressor::unwrap(std::string& wire, std::string& plain) {
    std::size_t used = 0;
    while (wire.size() - used >= header_size) {
        input header(std::string_view(wire).substr(used, header_size));
        const auto size = header.integer(3);
        sequence_ = static_cast<std::uint8_t>(header.integer(1) + 1);
        const auto size_before = header.integer(3);
        if (wire.size() - used - header_size < size) break;
        const auto inside = std::string_view(wire).substr(used + header_size, size);
        if (size_before == 0) {
            plain += inside;
        } else {
            ++frames_compressed_;
            expand(kind_, inside, plain, size_before);
        }
        used += header_size + size;
    }
    wire.erase(0, used);
}

}  // namespace sluice::test::wire
