#include "proxy/net/compression.hpp"

#include <algorithm>

namespace sluice::proxy {

using protocol::byte_view;

compression::compression(protocol::compression_algorithm algorithm, int zstd_level, byte_view read_ahead,
                         byte_view unsent)
    : decoder_(algorithm),
      encoder_(algorithm, zstd_level),
      input_(read_ahead.begin(), read_ahead.end()),
      end_(read_ahead.size()),
      may_have_more_(!read_ahead.empty()),
      frame_(unsent.begin(), unsent.end()) {}

protocol::wire_result<std::size_t> compression::take(std::span<std::byte> into) {
    SLUICE_ASSERT(!into.empty());
    SLUICE_TRY(const auto step, decoder_.decode(byte_view(input_).subspan(begin_, end_ - begin_), into));
    begin_ += step.consumed;
    SLUICE_ASSERT(step.produced != 0 || begin_ == end_);
    may_have_more_ = begin_ != end_ || decoder_.owes_output();
    if (begin_ == end_) {
        // An idle session keeps no buffer.
        input_ = {};
        begin_ = end_ = 0;
    }
    return step.produced;
}

std::span<std::byte> compression::room() noexcept {
    SLUICE_ASSERT(end_ == 0);
    input_.resize(input_size);
    return input_;
}

void compression::received(std::size_t size) noexcept {
    SLUICE_ASSERT(end_ == 0 && size <= input_.size());
    end_ = size;
    may_have_more_ = true;
}

void compression::sent(std::size_t size) noexcept {
    SLUICE_ASSERT(size <= frame_.size() - sent_);
    sent_ += size;
    if (sent_ != frame_.size()) return;
    frame_ = {};
    sent_ = 0;
}

std::size_t compression::accept(byte_view plain) {
    SLUICE_ASSERT(frame_.empty());
    const auto part = plain.first(std::min(plain.size(), frame_plain_size_max));
    if (!part.empty()) encoder_.append(frame_, part);
    return part.size();
}

}  // namespace sluice::proxy
