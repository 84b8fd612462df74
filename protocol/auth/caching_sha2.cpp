#include "protocol/auth/caching_sha2.hpp"

#include "protocol/auth/digest.hpp"

namespace sluice::protocol {

wire_result<std::string> caching_sha2_response(std::string_view password, std::string_view scramble) {
    if (password.empty()) return std::string();
    SLUICE_TRY(auto answer, sha256({password}));
    SLUICE_TRY(const auto stored, sha256({answer}));
    SLUICE_TRY(const auto mask, sha256({stored, scramble}));
    xor_into(answer, mask);
    return answer;
}

std::string mask_password(std::string_view password, std::string_view scramble) {
    std::string masked(password);
    masked.push_back('\0');
    xor_into(masked, scramble);
    return masked;
}

wire_result<std::string> unmask_password(std::string_view masked, std::string_view scramble) {
    std::string password(masked);
    xor_into(password, scramble);
    if (password.empty() || password.find('\0') != password.size() - 1) {
        return wire_error{wire_errc::malformed, "decrypted password does not end in its only NUL"};
    }
    password.pop_back();
    return password;
}

}  // namespace sluice::protocol
