#include "proxy/main/client/watch.hpp"

#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/exit_codes.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <thread>

namespace sluice {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds redraw_interval{200};
constexpr std::chrono::seconds line_interval{1};
constexpr std::chrono::seconds patience{10};

/// Where progress goes: one line drawn over and over, or lines.
class display {
public:
    display() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

    void show(const migration_progress& p) {
        if (terminal_) {
            // Back to the margin, the line, and the rest of the old one erased (ECMA-48, EL).
            std::cout << "\r" << bar_line(p, columns()) << "\x1b[K" << std::flush;
            drawn_ = true;
            return;
        }
        const std::string line = plain_line(p);
        const auto now = clock::now();
        const bool due = p.state != state_ || now - shown_at_ >= line_interval;
        if (!due || line == line_) return;
        std::cout << line << std::endl;
        state_ = p.state;
        line_ = line;
        shown_at_ = now;
    }

    void end_line() {
        if (drawn_) std::cout << "\n";
        drawn_ = false;
    }

private:
    [[nodiscard]] static std::size_t columns() {
        ::winsize size{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
        // Not the last column: some terminals go to the next line when it is filled.
        return known ? size.ws_col - std::size_t{1} : 79;
    }

    bool terminal_;
    bool drawn_ = false;
    std::string state_;
    std::string line_;
    clock::time_point shown_at_{};
};

}  // namespace

int watch_migration(admin_client& client, const std::string& id) {
    const auto path = migration_path(id);
    SLUICE_ASSERT(path.has_value());
    display screen;
    bool seen = false;
    clock::time_point heard_at = clock::now();
    for (;;) {
        auto answer = client.get(*path);
        if (answer.has_error()) {
            const request_failure& why = answer.error();
            // Whoever watches wants to go on watching while Sluice restarts, but a first failure is a wrong address.
            const bool may_return =
                seen && why.exit_code == exit_code::unreachable && clock::now() - heard_at < patience;
            if (!may_return) {
                screen.end_line();
                std::cerr << "sluice: " << why.message << "\n";
                return why.exit_code;
            }
            std::this_thread::sleep_for(redraw_interval);
            continue;
        }
        const auto progress = read_progress(*answer);
        if (!progress) {
            screen.end_line();
            std::cerr << "sluice: the admin port does not answer like Sluice\n";
            return exit_code::failure;
        }
        seen = true;
        heard_at = clock::now();
        screen.show(*progress);
        if (progress->completed() || progress->failed()) {
            screen.end_line();
            std::cout << ending_text(*answer) << std::endl;
            return progress->completed() ? exit_code::ok : exit_code::migration_failed;
        }
        std::this_thread::sleep_for(redraw_interval);
    }
}

}  // namespace sluice
