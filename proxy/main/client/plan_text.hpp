#pragma once

// How the finding of a dry run looks in a terminal. Pure function of the JSON that the HTTP API gives.

#include <boost/json/object.hpp>

#include <string>

namespace sluice {

[[nodiscard]] std::string plan_text(const boost::json::object& plan);

}  // namespace sluice
