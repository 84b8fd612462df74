#pragma once

// Secrets come from files (or the environment), never from the configuration itself.

#include "admin/refusal.hpp"
#include "protocol/result.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace sluice::admin {

/// Reads a secret: the file's only line, without the line end; 1 to 4096 bytes. The error, for the operator, says what
/// is wrong with the file: missing, not a regular file, accessible to every user of the machine, writable by its group,
/// empty, several lines.
[[nodiscard]] result<std::string, refusal> read_secret_file(const std::filesystem::path& file);

/// The token that a request must bring (`Authorization: Bearer …`, RFC 6750). Keeps only a digest.
class bearer_token {
public:
    explicit bearer_token(std::string_view token);

    /// read_secret_file(), then at least 16 characters of visible ASCII.
    [[nodiscard]] static result<bearer_token, refusal> from_file(const std::filesystem::path& file);

    /// Takes a header's value; its time does not depend on how much of the token is right.
    [[nodiscard]] bool accepts(std::string_view authorization) const noexcept;

private:
    std::array<unsigned char, 32> digest_{};
};

}  // namespace sluice::admin
