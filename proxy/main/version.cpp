#include "proxy/main/version.hpp"

namespace sluice {

std::string_view version() noexcept { return SLUICE_VERSION; }

}  // namespace sluice
