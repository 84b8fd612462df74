#pragma once

// What the demo says at its end. Pure: values in, text out.

#include "bench/load/bookkeeping_load.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace sluice {

struct demo_findings {
    boost::json::object migration;  ///< as the HTTP API shows it
    load::load_report load;
    load::verification books;
    double seconds = 0;  ///< of the migration, from its creation to its end

    /// Completed, no client error, no wrong answer, books equal.
    [[nodiscard]] bool good() const;
};

[[nodiscard]] std::string report_text(const demo_findings& findings);

}  // namespace sluice
