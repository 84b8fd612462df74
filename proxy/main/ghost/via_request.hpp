#pragma once

// What the line of `sluice gh-ost --via` asks a running Sluice for, in the words of its HTTP API.

#include "migration/model/option_fields.hpp"
#include "proxy/main/ghost/ghost_settings.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <string_view>

namespace sluice::ghost {

/// The options that flags of gh-ost decide, given or left out: they are always sent, whatever that Sluice has in
/// [migration], since consents (to drop the old table, to lose foreign keys) may be configured there that this line
/// does not give. All others are as that Sluice is configured.
[[nodiscard]] std::span<const std::string_view> options_of_flags() noexcept;

/// The body of POST /v1/migrations.
[[nodiscard]] boost::json::object via_request(const ghost_settings& settings);

[[nodiscard]] boost::json::value json_of(const migration::option_field& field,
                                         const migration::migration_options& options);

/// Takes over what an answer says of the options of a migration. What is missing, or cannot be, stays as it was.
void read_options(const boost::json::object& shown, migration::migration_options& options);

}  // namespace sluice::ghost
