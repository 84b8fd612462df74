#pragma once

// Reads members of the admin port's answers. What is missing, or of another kind, is empty, 0, false or nullptr: an
// older server is shown with what it says.

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view name);
[[nodiscard]] std::uint64_t number_of(const boost::json::object& object, std::string_view name);
[[nodiscard]] bool flag_of(const boost::json::object& object, std::string_view name);
[[nodiscard]] const boost::json::object* object_of(const boost::json::object& object, std::string_view name);

}  // namespace sluice
