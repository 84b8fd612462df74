#pragma once

// A dry run's finding as the HTTP API gives it. Pure function.

#include "migration/model/alter_forecast.hpp"

#include <boost/json/object.hpp>

namespace sluice::admin {

[[nodiscard]] boost::json::object to_json(const migration::alter_forecast& forecast);

}  // namespace sluice::admin
