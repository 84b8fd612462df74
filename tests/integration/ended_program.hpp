#pragma once

// Runs a client program and keeps what it says.

#include "bench/throwaway/child_process.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sluice::test {

struct ended_program {
    int status = 0;
    std::string output;  ///< standard output and error
};

/// One at a time. The launch's `output` is set here.
inline ended_program run_to_end(throwaway::launch launch) {
    const auto output = shared_server(server_kind::mysql_9_7).folder() / "program-output";
    std::filesystem::remove(output);
    launch.output = output;
    ended_program ended;
    ended.status = throwaway::run(launch);
    std::ostringstream text;
    text << std::ifstream(output).rdbuf();
    ended.output = text.str();
    return ended;
}

}  // namespace sluice::test
