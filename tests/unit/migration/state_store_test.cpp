// The durable row: what would not fit its columns must not keep it from being stored.

#include "migration/engine/state_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/migration/check_scripted_session.hpp"

#include <string>

using namespace sluice::migration;

namespace {

std::string times(std::string_view piece, std::size_t count) {
    std::string text;
    while (count-- > 0) text += piece;
    return text;
}

std::string saved(const migration_snapshot& snapshot) {
    sluice::test::scripted_session session;
    REQUIRE(state_store("_sluice").save(session, snapshot));
    REQUIRE(session.statements.size() == 1);
    return session.statements.front();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("texts that are longer than their columns are cut between characters, and all others stored as they are") {
    migration_snapshot snapshot;
    snapshot.error = refuse("server_error", "");
    snapshot.leftovers = {"`s`.`_t_gho`", "`s`.`_t_ghc`"};
    SECTION("just as long as they may be") {
        snapshot.unique_key = times("ä", 1'021);
        snapshot.error->message = times("🐬", 16'383);
        const std::string sql = saved(snapshot);
        CHECK(contains(sql, "'" + snapshot.unique_key + "'"));
        CHECK(contains(sql, "'" + snapshot.error->message + "'"));
        CHECK(contains(sql, "'`s`.`_t_gho`, `s`.`_t_ghc`'"));
    }
    SECTION("longer") {
        snapshot.unique_key = times("ä", 1'022);
        snapshot.error->message = times("🐬", 16'384);
        snapshot.leftovers = {times("ü", 20'000)};
        const std::string sql = saved(snapshot);
        CHECK(contains(sql, "'" + times("ä", 1'021) + "...'"));
        CHECK(contains(sql, "'" + times("🐬", 16'383) + "...'"));
        CHECK(contains(sql, "'" + times("ü", 16'383) + "...'"));
    }
    SECTION("not UTF-8") {
        snapshot.error->message = "Incorrect value '\xE6\x97' for column 'v'";
        CHECK(contains(saved(snapshot), "Incorrect value ''?\?'' for column ''v''"));
    }
}
