#include "migration/check/preconditions.hpp"
#include "migration/relations/plan_relations.hpp"

namespace sluice::migration {

outcome<void> check_triggers(const check_subject& subject) {
    relations_plan plan;
    return plan_triggers({subject.session, subject.spec, subject.alter, subject.facts}, plan);
}

}  // namespace sluice::migration
