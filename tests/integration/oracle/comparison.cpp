#include "tests/integration/oracle/comparison.hpp"

#include "tests/integration/oracle/masks.hpp"

#include <algorithm>
#include <optional>

namespace sluice::test::oracle {
namespace {

std::string place(const setting& where) {
    std::string text = where.what.name;
    for (const std::string& part : {std::string(".txt, "), std::string(throwaway::to_string(where.kind)),
                                    std::string(", mode "), where.mode, std::string(", "), where.way}) {
        text += part;
    }
    return text;
}

std::string shortened(std::string text) {
    constexpr std::size_t shown = 200;
    if (text.size() > shown) text.replace(shown, std::string::npos, "...");
    return text;
}

std::string shown(const seen_packet& packet) {
    return std::string(to_string(packet.what)) + ", sequence id " + std::to_string(packet.packet.sequence) + "\n" +
           wire::hex_dump(packet.packet.payload, 0, 0, 8);
}

std::string last_packets(const transcript& of) {
    std::string text;
    if (of.replies.empty()) return text;
    for (const auto& packet : of.replies.back().packets) text += shown(packet);
    return text;
}

std::size_t first_difference(const std::string& a, const std::string& b) {
    const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(in_a - a.begin());
}

std::string compare_packet(const seen_packet& direct, const reply* direct_reply, const transcript& direct_run,
                           const seen_packet& through, const reply* through_reply, const transcript& through_run,
                           std::optional<unsigned> sequence_shift) {
    if (direct.what != through.what) {
        return std::string("direct: ") + to_string(direct.what) + ", through the proxy: " + to_string(through.what) +
               "\ndirect:\n" + wire::hex_dump(direct.packet.payload, 0) + "through the proxy:\n" +
               wire::hex_dump(through.packet.payload, 0);
    }
    if (sequence_shift &&
        static_cast<std::uint8_t>(direct.packet.sequence + *sequence_shift) != through.packet.sequence) {
        return "sequence id " + std::to_string(direct.packet.sequence) + " directly, " +
               std::to_string(through.packet.sequence) + " through the proxy\n";
    }
    std::string a;
    std::string b;
    try {
        a = without_own_fields(direct, direct_reply, direct_run);
        b = without_own_fields(through, through_reply, through_run);
    } catch (const wire::error& wrong) {
        return std::string(wrong.what()) + "\n";
    }
    if (a == b) return {};
    const auto at = first_difference(a, b);
    return std::string(to_string(direct.what)) + " differs at byte " + std::to_string(at) + "\ndirect (" +
           std::to_string(a.size()) + " bytes):\n" + wire::hex_dump(a, at) + "through the proxy (" +
           std::to_string(b.size()) + " bytes):\n" + wire::hex_dump(b, at);
}

std::string compare_login(const transcript& direct, const transcript& through) {
    // The request for TLS is a packet more.
    const unsigned shift = through.over_tls && !direct.over_tls ? 1 : 0;
    const auto count = std::min(direct.login.size(), through.login.size());
    for (std::size_t i = 0; i < count; ++i) {
        const auto wrong =
            compare_packet(direct.login[i], nullptr, direct, through.login[i], nullptr, through, i == 0 ? 0 : shift);
        if (!wrong.empty()) return "login, packet " + std::to_string(i) + ": " + wrong;
    }
    if (direct.login.size() != through.login.size()) {
        return "login: " + std::to_string(direct.login.size()) + " packets directly, " +
               std::to_string(through.login.size()) + " through the proxy\n";
    }
    if (direct.capabilities != through.capabilities && direct.logged_in) {
        const auto transport = capability_named("ssl") | capability_named("compress") | capability_named("zstd");
        const auto differ = (direct.capabilities ^ through.capabilities) & ~transport;
        if (differ != 0) return "login: the sessions differ in " + capability_names(differ) + "\n";
    }
    return capability_difference(direct.greeted.capabilities, through.greeted.capabilities);
}

std::string compare_reply(const reply& direct, const transcript& direct_run, const reply& through,
                          const transcript& through_run) {
    const auto count = std::min(direct.packets.size(), through.packets.size());
    std::optional<unsigned> shift = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto wrong =
            compare_packet(direct.packets[i], &direct, direct_run, through.packets[i], &through, through_run, shift);
        if (!wrong.empty()) return "packet " + std::to_string(i) + ": " + wrong;
        // A compressed server counts on from its frames, whose sizes are its own, once it has flushed.
        const auto what = direct.packets[i].what;
        const bool flushed = what == role::ok || what == role::eof || what == role::file_wish;
        if (through_run.is_compressed && flushed) shift.reset();
    }
    if (direct.packets.size() != through.packets.size()) {
        return std::to_string(direct.packets.size()) + " packets directly, " + std::to_string(through.packets.size()) +
               " through the proxy\n";
    }
    if (direct.closed != through.closed) {
        return std::string("the connection is ") + (direct.closed ? "closed directly" : "closed through the proxy") +
               " only\n";
    }
    return {};
}

}  // namespace

std::string how_to_repeat(const setting& where) {
    return "  alone: SLUICE_ORACLE_SCRIPT=" + where.what.name + " SLUICE_ORACLE_MODE=" + where.mode +
           " SLUICE_ORACLE_SERVER=" + throwaway::to_string(where.kind) + " integration_oracle\n";
}

std::string difference(const setting& where, const transcript& direct, const transcript& through) {
    const auto told = [&](const std::string& what) { return place(where) + ":\n" + what + how_to_repeat(where); };
    if (const auto wrong = compare_login(direct, through); !wrong.empty()) return told(wrong);
    const auto count = std::min(direct.replies.size(), through.replies.size());
    for (std::size_t i = 0; i < count; ++i) {
        const auto wrong = compare_reply(direct.replies[i], direct, through.replies[i], through);
        if (wrong.empty()) continue;
        std::string what = "line " + std::to_string(direct.replies[i].line) + ": ";
        what += shortened(direct.replies[i].text) + "\n" + wrong;
        if (!through.broken.empty()) what += "through the proxy: " + through.broken + "\n";
        return told(what);
    }
    if (direct.broken != through.broken) {
        return told("direct: " + direct.broken + "\nthrough the proxy: " + through.broken + "\n");
    }
    if (direct.replies.size() != through.replies.size()) {
        return told(std::to_string(direct.replies.size()) + " replies directly, " +
                    std::to_string(through.replies.size()) + " through the proxy\n");
    }
    return {};
}

std::string unexpected(const setting& where, const transcript& direct) {
    const auto told = [&](const std::string& what) { return place(where) + ":\n" + what + how_to_repeat(where); };
    if (!direct.broken.empty()) {
        return told("direct: " + direct.broken + "\n" + last_packets(direct));
    }
    if (direct.logged_in == where.what.is_refused) {
        const auto& said = direct.login.back().packet.payload;
        return told(std::string("direct: the login is ") + (direct.logged_in ? "let in" : "refused") + "\n" +
                    wire::hex_dump(said, 0));
    }
    for (const auto& reply : direct.replies) {
        if (reply.expected == outcome::either || reply.failed() == (reply.expected == outcome::fails)) continue;
        std::string what = "direct: line " + std::to_string(reply.line) + ": " + shortened(reply.text) +
                           (reply.failed() ? " fails\n" : " does not fail\n");
        for (const auto& packet : reply.packets) what += shown(packet);
        return told(what);
    }
    return {};
}

}  // namespace sluice::test::oracle
