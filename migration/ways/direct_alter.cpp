#include "migration/ways/direct_alter.hpp"

#include "migration/cutover/statement_watch.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr unsigned query_interrupted = 1317;
constexpr unsigned lock_wait_timeout = 1205;
// Whoever has held the table for so long will not be gone within the bound.
constexpr milliseconds holder_age_max{1'000};

direct_outcome blocked(std::string why) {
    return {direct_end::blocked, refuse("lock_unavailable", std::move(why)), {}};
}

std::string describe(const gate_blocker& blocker) {
    return "connection " + std::to_string(blocker.connection_id) + " (" + blocker.client + ") " +
           (blocker.in_transaction ? "has had a transaction open on the table for "
                                   : "has been running a statement on it for ") +
           std::to_string(blocker.age.count() / 1000) + " s";
}

std::optional<std::string> long_holder(table_gate& gate, const direct_request& request) {
    auto holders = gate.blockers();
    const auto direct = request.lock_holders();
    holders.insert(holders.end(), direct.begin(), direct.end());
    const auto oldest =
        std::max_element(holders.begin(), holders.end(), [](const auto& a, const auto& b) { return a.age < b.age; });
    if (oldest == holders.end() || oldest->age <= holder_age_max) return std::nullopt;
    return describe(*oldest);
}

outcome<void> set_zone(reconnecting_session& session, const std::string& time_zone) {
    SLUICE_TRY_VOID(session.run("SET SESSION time_zone = " + quote_string(time_zone)));
    return {};
}

direct_outcome judge(failure why, bool killed) {
    if (why.code == "connection_lost" && why.then == disposition::retry) return {direct_end::lost, std::move(why), {}};
    if (killed || why.server_errno == query_interrupted || why.server_errno == lock_wait_timeout) {
        return blocked("the table's lock was not to be had in time");
    }
    // Numbers from 2000 to 2999 are the client library's own: the server has not answered.
    const bool answered = why.server_errno != 0 && (why.server_errno < 2000 || why.server_errno > 2999);
    return {answered ? direct_end::refused : direct_end::failed, std::move(why), {}};
}

}  // namespace

direct_outcome alter_directly(reconnecting_session& session, sql_executor& executor, table_gate& gate,
                              const direct_request& request) {
    if (const auto holder = long_holder(gate, request)) return blocked(*holder);
    if (auto connected = session.connect(); !connected) return {direct_end::failed, connected.error(), {}};
    auto killer = executor.connect();
    if (!killer) return {direct_end::failed, std::move(killer).error(), {}};
    statement_watch watch(std::move(killer).value(), session.connection_id());
    if (auto set = set_zone(session, request.time_zone); !set) return {direct_end::failed, set.error(), {}};

    const auto deadline = steady_clock::now() + request.wait_max;
    gate.close(deadline);
    direct_outcome made;
    // Most of the time may go here; the statement needs its share.
    if (!gate.wait_drained(deadline - request.wait_max / 3)) {
        made = blocked("statements or transactions on the table did not end in time");
    } else if (request.told_otherwise()) {
        made = {direct_end::called_off, refuse("given_up", "was told otherwise"), {}};
    } else {
        watch.arm(deadline);
        auto altered = session.run(request.statement);
        const bool killed = watch.disarm();
        if (altered) {
            made.end = direct_end::done;
        } else {
            made = judge(std::move(altered).error(), killed);
        }
        if (killed) (void)session.run("DO 0").has_error();  // takes a kill that came late
    }
    made.hold = gate.open(gate_opening::given_up);  // snapshots are the server's business here
    // The engine's sessions are in this zone from their beginning on.
    if (!set_zone(session, "+00:00")) (void)session.replace().has_error();
    return made;
}

}  // namespace sluice::migration
