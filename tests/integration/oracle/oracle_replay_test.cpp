// Every script's bytes, recorded directly, through the proxy's pure session: whole, cut at each byte boundary, and in
// pieces of several sizes.

#include "tests/integration/oracle/replay.hpp"
#include "tests/integration/oracle/rig.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

namespace sluice::test::oracle {
namespace {

// A passage is cut at each of its boundaries as long as it is not longer than this; of a longer one, at those around
// the beginnings of its packets.
constexpr std::size_t cut_everywhere_max = 16 * 1024;
constexpr std::size_t cuts_max = 2048;

std::size_t first_packet_size(std::string_view bytes) { return 4 + wire::input(bytes).integer(3); }

std::vector<std::size_t> cuts_of(std::string_view bytes) {
    std::vector<std::size_t> cuts;
    if (bytes.size() <= cut_everywhere_max) {
        for (std::size_t at = 1; at < bytes.size(); ++at) cuts.push_back(at);
        return cuts;
    }
    constexpr std::size_t around = 8;
    for (std::size_t begin = 0; begin < bytes.size() && cuts.size() < cuts_max;) {
        const auto from = std::max<std::size_t>(begin, 3) - 2;
        for (auto at = from; at < std::min(begin + around, bytes.size()); ++at) {
            if (cuts.empty() || at > cuts.back()) cuts.push_back(at);
        }
        begin += first_packet_size(bytes.substr(begin));
    }
    return cuts;
}

// What goes out is what came in, but for the greeting and the answer to it, in which capabilities are taken away.
std::string change_of_bytes(const std::vector<wire::passage>& record, const replayed& whole) {
    std::string of_client;
    std::string of_server;
    for (const auto& one : record) (one.from_client ? of_client : of_server) += one.bytes;
    // Sluice serves a key of its own; with the recorded password under the server's, the exchange ends otherwise.
    if (of_server.find("BEGIN PUBLIC KEY") != std::string::npos) return {};
    const auto differ = [&](std::string_view in, std::string_view out) {
        in.remove_prefix(first_packet_size(in));
        out.remove_prefix(first_packet_size(out));
        // Behind an end that Sluice follows too, nothing is passed on.
        return in.substr(0, whole.ended ? out.size() : in.size()) != out;
    };
    if (differ(of_server, whole.to_client)) return "the server's bytes do not all reach the client as they are\n";
    if (!of_client.empty() && differ(of_client, whole.to_server)) {
        return "the client's bytes do not all reach the server as they are\n";
    }
    return {};
}

std::string end_of(const script& what, const transcript& direct, const replayed& whole) {
    const bool closed = !direct.replies.empty() && direct.replies.back().closed;
    if (whole.blind != what.is_blind) return whole.blind ? "the stream is not followed\n" : "the stream is followed\n";
    if (whole.ended || closed || whole.blind || whole.idle) return {};
    return "a reply is awaited that has come: " + whole.facts.back() + "\n";
}

std::string difference_of(const replayed& whole, const replayed& cut) {
    if (whole == cut) return {};
    if (whole.to_client != cut.to_client) return "other bytes go to the client";
    if (whole.to_server != cut.to_server) return "other bytes go to the server";
    for (std::size_t i = 0; i < whole.facts.size(); ++i) {
        if (whole.facts[i] != cut.facts[i]) {
            return "after passage " + std::to_string(i) + ": whole: " + whole.facts[i] + "; cut: " + cut.facts[i];
        }
    }
    return "another end";
}

std::string cut_in_every_way(const std::vector<wire::passage>& record, const replayed& whole) {
    std::vector<std::vector<std::size_t>> cuts;
    std::size_t most = 0;
    for (const auto& one : record) {
        cuts.push_back(cuts_of(one.bytes));
        most = std::max(most, cuts.back().size());
    }
    // Run r cuts every passage at its r-th place.
    for (std::size_t r = 0; r < most; ++r) {
        const auto cut = replay(record, [&](std::size_t index, std::size_t) {
            return r < cuts[index].size() ? std::vector<std::size_t>{cuts[index][r]} : std::vector<std::size_t>{};
        });
        const auto wrong = difference_of(whole, cut);
        if (!wrong.empty()) return "cut at place " + std::to_string(r) + " of each passage: " + wrong + "\n";
    }
    for (const std::size_t piece : {1, 2, 3, 5, 7, 11, 64, 1000, 4095}) {
        const auto cut = replay(
            record, [&](std::size_t, std::size_t size) { return std::vector<std::size_t>(size / piece, piece); });
        const auto wrong = difference_of(whole, cut);
        if (!wrong.empty()) return "in pieces of " + std::to_string(piece) + ": " + wrong + "\n";
    }
    return {};
}

TEST_CASE("recorded sessions, however they are cut", "[pieces]") {
    findings found;
    on_every_server(found, [&](rig& server) {
        const auto proxied = server.start_proxy({});
        const auto offered = server.offered_at(proxied->port());
        for (const auto& script : corpus()) {
            if (script.is_large || script.is_cold || !script.is_replayed) continue;
            for (const auto& as : modes()) {
                if (!as.is_main || !applies(script, server.kind(), as, offered)) continue;
                const setting where{script, server.kind(), as.name, "replayed"};
                const auto& direct = server.direct(script, as, {}, offered);
                const auto whole = replay(direct.record, [](auto, auto) { return std::vector<std::size_t>{}; });
                auto wrong = change_of_bytes(direct.record, whole);
                if (wrong.empty()) wrong = end_of(script, direct, whole);
                if (wrong.empty()) wrong = cut_in_every_way(direct.record, whole);
                if (!wrong.empty()) {
                    wrong = script.name + ", " + as.name + ": " + wrong + how_to_repeat(where);
                }
                found.add(std::move(wrong));
            }
        }
    });
}

}  // namespace
}  // namespace sluice::test::oracle
