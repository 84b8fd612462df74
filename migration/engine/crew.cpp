#include "migration/engine/crew.hpp"

#include "migration/apply/apply_worker.hpp"

#include <exception>
#include <utility>

namespace sluice::migration {
namespace {

// The root of every worker thread: an exception (a tripped assertion, no memory) ends the migration, not the process.
template <class Work>
std::thread start(work_ledger& ledger, Work work) {
    return std::thread([&ledger, work = std::move(work)]() mutable {
        try {
            work();
        } catch (const std::exception& error) {
            ledger.fail(refuse("internal_error", std::string("the engine stopped itself: ") + error.what()));
        }
    });
}

}  // namespace

crew::crew(const migration_plan& plan, work_ledger& ledger, sql_executor& executor,
           std::function<outcome<void>(sql_session&)> may_work)
    : plan_(plan), ledger_(ledger), executor_(executor), may_work_(std::move(may_work)) {}

crew::~crew() { join_all(); }

void crew::start_reader(stream_reader& reader) {
    others_.push_back(start(ledger_, [&reader] { reader.run(); }));
}

void crew::start_apply() {
    for (std::size_t i = 0; i < plan_.options.apply_workers; ++i) {
        others_.push_back(start(ledger_, [this, i] { apply_worker(plan_, ledger_, executor_, i, may_work_).run(); }));
    }
}

void crew::start_copy(chunk_planner& planner) {
    for (std::size_t i = 0; i < plan_.options.copy_workers; ++i) {
        copy_.push_back(start(
            ledger_, [this, &planner, i] { copy_worker(plan_, ledger_, planner, executor_, i, may_work_).run(); }));
    }
}

void crew::join_copy() {
    for (std::thread& thread : copy_) thread.join();
    copy_.clear();
}

void crew::join_all() {
    ledger_.stop();
    join_copy();
    for (std::thread& thread : others_) thread.join();
    others_.clear();
}

}  // namespace sluice::migration
