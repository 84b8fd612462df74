#include "migration/copy/chunk_sizer.hpp"
#include "tests/support/catch.hpp"

using sluice::migration::chunk_sizer;
using namespace std::chrono_literals;

TEST_CASE("the chunk size is steered to the target time, growing by steps and shrinking at once") {
    chunk_sizer sizer(1000, 0, 200ms);
    sizer.took(1000, 20ms);
    CHECK(sizer.rows() == 1500);
    sizer.took(1500, 200ms);
    CHECK(sizer.rows() == 1500);
    sizer.took(1500, 2000ms);
    CHECK(sizer.rows() == 150);
}

TEST_CASE("a chunk that held few rows says nothing about the time of a full one") {
    chunk_sizer sizer(1000, 0, 200ms);
    sizer.took(10, 1us);
    CHECK(sizer.rows() == 1000);
    sizer.took(0, 1us);
    CHECK(sizer.rows() == 1000);
}

TEST_CASE("the size stays within its bounds") {
    chunk_sizer sizer(1000, 0, 200ms);
    for (int i = 0; i < 100; ++i) sizer.took(sizer.rows(), 1us);
    CHECK(sizer.rows() == chunk_sizer::rows_max);
    for (int i = 0; i < 100; ++i) sizer.failed();
    CHECK(sizer.rows() == chunk_sizer::rows_min);
}

TEST_CASE("a fixed size does not move") {
    chunk_sizer sizer(1000, 77, 200ms);
    sizer.took(77, 5000ms);
    sizer.failed();
    CHECK(sizer.rows() == 77);
}
