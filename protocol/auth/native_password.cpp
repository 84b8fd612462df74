#include "protocol/auth/native_password.hpp"

#include "protocol/auth/digest.hpp"

namespace sluice::protocol {

wire_result<std::string> native_password_response(std::string_view password, std::string_view scramble) {
    if (password.empty()) return std::string();
    SLUICE_TRY(auto answer, sha1({password}));
    SLUICE_TRY(const auto stored, sha1({answer}));
    SLUICE_TRY(const auto mask, sha1({scramble, stored}));
    xor_into(answer, mask);
    return answer;
}

}  // namespace sluice::protocol
