// How the members of a group meet. Each is a thread; who does not come must not keep the others, and who comes too late
// must not wait for a round that cannot begin without it.

#include "migration/cutover/cutover_group.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>

using namespace sluice;
using namespace sluice::migration;
using std::chrono::milliseconds;

namespace {

/// A server that has no table `_b_gho`, and otherwise what an attempt asks for at its beginning.
class scripted_session final : public sql_session {
public:
    outcome<query_result> run(std::string_view sql) override {
        const auto has = [sql](std::string_view part) { return sql.find(part) != std::string_view::npos; };
        query_result answer;
        if (has("_LOCK(")) answer.rows.push_back({"1"});
        if (has("information_schema.tables") && has("'_a_gho'")) answer.rows.push_back({"", "1", "0", "0", "0"});
        if (has("`_b_gho` LIMIT 0")) return refuse("no_such_table", "Table 'test._b_gho' doesn't exist");
        return answer;
    }
    [[nodiscard]] std::uint64_t connection_id() const override { return 1; }
};

class scripted_executor final : public sql_executor {
public:
    outcome<std::unique_ptr<sql_session>> connect() override {
        return std::unique_ptr<sql_session>(std::make_unique<scripted_session>());
    }
};

/// One migration, as far as its group knows it.
class member {
public:
    member(cutover_group& group, std::string id, const std::string& table) : group_(group), id_(std::move(id)) {
        plan_.original = {"test", table};
        plan_.ghost = {"test", "_" + table + "_gho"};
        plan_.old_table = {"test", "_" + table + "_del"};
        plan_.rename_under_lock = true;
        gate_ = open_traffic_gate()->watch({"test", table}, {});
        group_.join(id_, plan_.original);
    }

    /// Asks until the answer is `wanted`, as a migration does that waits for its moment.
    void ready_until(bool wanted) {
        const group_part part{&plan_, &ledger_, gate_.get(), &stop, [this] { return abort.load(); }};
        test::wait_until("ready() of " + id_, [&] { return *group_.ready(id_, part) == wanted; });
    }
    std::future<cutover_outcome> attempt(std::uint32_t number = 1) {
        return std::async(std::launch::async, [this, number] { return group_.attempt(id_, number, executor_); });
    }
    cutover_outcome call_off(const std::string& why) { return group_.call_off(id_, 1, why); }
    void leave(const std::string& why) { group_.leave(id_, why); }

    std::atomic<bool> stop{false};
    std::atomic<bool> abort{false};

private:
    cutover_group& group_;
    std::string id_;
    migration_plan plan_;
    work_ledger ledger_{work_ledger_options{}};
    std::unique_ptr<table_gate> gate_;
    scripted_executor executor_;
};

/// Of two, where nobody ends a round but by what the test does; presence_max apart.
struct two_members {
    explicit two_members(milliseconds presence_max) : group("books", 2, {.presence_max = presence_max}) {}

    /// ready() has said true to both.
    void assemble() {
        auto first = std::async(std::launch::async, [this] { a.ready_until(true); });
        b.ready_until(true);
        first.get();
    }

    cutover_group group;
    member a{group, "1", "a"};
    member b{group, "2", "b"};
};

bool comes(std::future<cutover_outcome>& of) { return of.wait_for(test::wait_limit) == std::future_status::ready; }

void check_untried(std::future<cutover_outcome>& of, const std::string& because) {
    const cutover_outcome made = of.get();
    CHECK(made.end == cutover_end::given_up);
    CHECK_FALSE(made.tried);
    CHECK(made.report.steps.empty());
    CHECK(made.report.given_up_because.find(because) != std::string::npos);
}

constexpr milliseconds soon{50};
constexpr milliseconds never = std::chrono::hours(1);

}  // namespace

TEST_CASE("a member of a group that comes behind the end of its round is told so, and does not wait for the next") {
    const bool first_is_late = GENERATE(false, true);
    two_members both(soon);
    both.assemble();
    member& early = first_is_late ? both.b : both.a;
    member& late = first_is_late ? both.a : both.b;
    auto alone = early.attempt();
    REQUIRE(comes(alone));
    check_untried(alone, "did not come");
    early.ready_until(false);  // the other is not there
    auto behind = late.attempt();
    const bool came = comes(behind);
    if (!came) early.leave("is not to keep the test");
    REQUIRE(came);
    check_untried(behind, "did not come");
    both.assemble();  // and both can be ready again
}

TEST_CASE("a member that was told to end does not wait for the others of its group") {
    two_members both(never);
    both.assemble();
    auto waiting = both.b.attempt();
    SECTION("abort") { both.b.abort = true; }
    SECTION("stop") { both.b.stop = true; }
    REQUIRE(comes(waiting));
    check_untried(waiting, "told otherwise");
}

TEST_CASE("a member that leaves a group, or cannot take part, behind ready() ends the round for the others at once") {
    two_members both(never);
    both.assemble();
    auto waiting = both.b.attempt();
    SECTION("it leaves") {
        both.a.leave("failed (lost)");
        REQUIRE(comes(waiting));
        check_untried(waiting, "migration 1 of `test`.`a` failed (lost)");
    }
    SECTION("it calls it off") {
        CHECK_FALSE(both.a.call_off("the disk is full").tried);
        REQUIRE(comes(waiting));
        check_untried(waiting, "migration 1 of `test`.`a`: the disk is full");
        both.assemble();
    }
    SECTION("it begins anew") {
        both.group.join("1", {"test", "a"});
        REQUIRE(comes(waiting));
        check_untried(waiting, "begins anew");
    }
}

TEST_CASE("a member of a group whose ghost is lost has failed, and the attempt is given up for the others") {
    two_members both(never);
    both.assemble();
    auto first = both.a.attempt(3);
    auto second = both.b.attempt(1);
    REQUIRE(comes(first));
    REQUIRE(comes(second));
    const cutover_outcome of_a = first.get();
    const cutover_outcome of_b = second.get();
    CHECK(of_b.end == cutover_end::failed);
    CHECK(of_b.why->code == "no_such_table");
    CHECK(of_b.report.number == 1);
    CHECK(of_a.end == cutover_end::given_up);
    CHECK(of_a.tried);
    CHECK(of_a.report.number == 3);
    CHECK(of_a.report.given_up_because.find("migration 2 of `test`.`b` failed: ") == 0);
}
