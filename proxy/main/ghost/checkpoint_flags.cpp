#include "proxy/main/ghost/checkpoint_flags.hpp"

#include "proxy/main/ghost/flag_ranges.hpp"

namespace sluice::ghost {

using migration::run_kind;

result<void, std::string> read_checkpoint_flags(const flag_values& flags, ghost_settings& settings) {
    migration::migration_spec& spec = settings.spec;
    const bool resume = flags.on("resume");
    const bool revert = flags.on("revert");
    const std::string old_table = flags.text("old-table");
    if (resume && revert) return std::string("--resume and --revert are mutually exclusive");
    if (revert && old_table.empty()) return std::string("--revert must be called with --old-table");
    if (!revert && !old_table.empty()) return std::string("--old-table requires --revert");
    if ((resume || revert) && settings.on_replica()) {
        return "--" + std::string(resume ? "resume" : "revert") +
               " is for migrations on a master, not for --test-on-replica or --migrate-on-replica";
    }
    if (!settings.via.empty()) {
        if (resume) {
            return std::string(
                "--resume: a served Sluice goes on with its migrations by itself when it starts again; `sluice list` "
                "shows them");
        }
        if (revert) {
            return std::string(
                "--revert: a served Sluice takes a migration back by `sluice revert ID`, where it was begun with "
                "keep_old_table_in_sync");
        }
        return {};
    }
    if (settings.on_replica() && flags.on("checkpoint")) {
        settings.notes.emplace_back("--checkpoint: not for a run on a replica alone, which begins again");
        return {};
    }
    spec.checkpoint_table = flags.on("checkpoint") || resume || revert;
    spec.options.checkpoint_interval_s = 0;
    if (spec.checkpoint_table) {
        spec.options.checkpoint_interval_s =
            static_cast<std::uint32_t>(flag_ranges(flags, settings.notes).number("checkpoint-seconds", 1, 86'400));
    }
    if (resume) spec.kind = run_kind::resume;
    if (revert) {
        spec.kind = run_kind::take_back;
        spec.options.old_table_name = old_table;
        spec.options.keep_old_table_in_sync = true;
    }
    return {};
}

}  // namespace sluice::ghost
