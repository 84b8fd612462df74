// The runner's main(), and what it does with the log of the code under test: the last lines are shown where an
// assertion fails, and nothing where all goes well. SLUICE_TEST_LOG=1 shows everything as it comes.

#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#endif

#include "tests/support/catch.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using listener_base = Catch::EventListenerBase;
constexpr bool wants_answer = false;
#else
using listener_base = Catch::TestEventListenerBase;
constexpr bool wants_answer = true;  // to "what comes is not to be kept"
#endif
using answer = std::conditional_t<wants_answer, bool, void>;

/// The last lines of the log. Thread-safe.
class last_lines : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::deque<std::string> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(lines_, {});
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        lines_.emplace_back(line.data(), line.size());
        if (lines_.size() > 300) lines_.pop_front();
    }

    void flush_() override {}

private:
    std::deque<std::string> lines_;
};

class log_of_failures : public listener_base {
public:
    using listener_base::listener_base;

    void testRunStarting(const Catch::TestRunInfo& info) override {
        listener_base::testRunStarting(info);
        if (std::getenv("SLUICE_TEST_LOG") != nullptr) return;
        lines_ = std::make_shared<last_lines>();
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("", lines_));
    }

    void sectionStarting(const Catch::SectionInfo& info) override {
        listener_base::sectionStarting(info);
        if (lines_) lines_->take();
    }

    answer assertionEnded(const Catch::AssertionStats& stats) override {
        if (lines_ && !stats.assertionResult.isOk()) {
            for (const auto& line : lines_->take()) std::cerr << line;
        }
        return answer(true);
    }

private:
    std::shared_ptr<last_lines> lines_;
};

CATCH_REGISTER_LISTENER(log_of_failures)

}  // namespace
