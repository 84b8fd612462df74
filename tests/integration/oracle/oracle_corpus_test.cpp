// The corpus covers the protocol, and docs/wire.md shows the masks as they are.

#include "tests/integration/oracle/masks.hpp"
#include "tests/integration/oracle/rig.hpp"
#include "tests/support/catch.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace sluice::test::oracle {
namespace {

// The type in a column's definition; six texts and a length stand before the fixed part.
int type_of(const std::string& definition, std::uint64_t capabilities) {
    wire::input from(definition);
    for (int i = 0; i < 6; ++i) (void)from.lenenc_text();
    if ((capabilities & wire::flag::mariadb_extended_metadata) != 0) (void)from.lenenc_text();
    (void)from.lenenc();
    (void)from.take(6);
    return static_cast<int>(from.integer(1));
}

struct coverage {
    std::set<int> commands;
    std::set<int> text_types;
    std::set<int> binary_types;
};

void add(coverage& to, const transcript& direct) {
    to.commands.insert(direct.commands.begin(), direct.commands.end());
    for (const auto& reply : direct.replies) {
        std::set<int> types;
        for (const auto& packet : reply.packets) {
            if (packet.what == role::column) types.insert(type_of(packet.packet.payload, direct.capabilities));
            if (packet.what == role::text_row) to.text_types.insert(types.begin(), types.end());
            if (packet.what == role::binary_row) to.binary_types.insert(types.begin(), types.end());
        }
    }
}

TEST_CASE("the corpus has every command, and every type as text and as binary") {
    if (std::getenv("SLUICE_ORACLE_SCRIPT") != nullptr || std::getenv("SLUICE_ORACLE_SERVER") != nullptr) return;
    coverage covered;
    for (const auto kind : servers()) {
        auto& server = rig::of(kind);
        for (const auto& script : corpus()) {
            for (const auto& as : modes()) {
                if (!as.is_main || script.is_large || !applies(script, kind, as, server.offered())) continue;
                add(covered, server.direct(script, as, {}, server.offered()));
            }
        }
    }
    for (int command = 0; command <= 0x20; ++command) {
        INFO("command " << command);
        CHECK(covered.commands.count(command) == 1);
    }
    CHECK(covered.commands.count(0xFA) == 1);  // MariaDB's COM_STMT_BULK_EXECUTE
    // Those in which servers send columns (manual: "Column Type"); ENUM and SET travel as CHAR, the blobs as BLOB, and
    // NEWDATE, VARCHAR, ENUM, SET and the sizes of blobs are internal.
    for (const int type : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 242, 245, 246, 252, 253, 254, 255}) {
        INFO("type " << type);
        CHECK(covered.text_types.count(type) == 1);
        CHECK(covered.binary_types.count(type) == 1);
    }
}

TEST_CASE("docs/wire.md lists what differs") {
    std::ostringstream wanted;
    wanted << "| Field | Where | Why |\n|---|---|---|\n";
    for (const auto& rule : mask_rules()) {
        wanted << "| " << rule.name << " | " << rule.where << " | " << rule.reason << " |\n";
    }
    wanted << "\n| Capability | | Why |\n|---|---|---|\n";
    for (const auto& rule : capability_rules()) {
        const bool removed = rule.kind == capability_rule::direction::removed;
        wanted << "| " << rule.name << " | " << (removed ? "may be removed" : "may be added") << " | " << rule.reason
               << " |\n";
    }
    std::ifstream page(SLUICE_ORACLE_PAGE);
    std::stringstream text;
    text << page.rdbuf();
    INFO("The page should hold:\n" << wanted.str());
    CHECK(text.str().find(wanted.str()) != std::string::npos);
}

}  // namespace
}  // namespace sluice::test::oracle
