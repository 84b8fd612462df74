#pragma once

// Catch2 under either of its two major versions: Debian 12 has 2.13, newer distributions have 3.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
