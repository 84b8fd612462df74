#include "migration/check/preconditions.hpp"
#include "migration/relations/plan_relations.hpp"

namespace sluice::migration {

outcome<void> check_foreign_keys(const check_subject& subject) {
    relations_plan plan;
    return plan_foreign_keys({subject.session, subject.spec, subject.alter, subject.facts}, plan);
}

}  // namespace sluice::migration
