#include "migration/checkpoint/former_workers.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace sluice::migration {
namespace {

constexpr std::size_t places = 32;         // as many as copy_workers and apply_workers allow
constexpr unsigned no_such_thread = 1094;  // it went by itself in between
constexpr std::chrono::minutes patience{1};
constexpr std::chrono::milliseconds poll{20};

std::string holders_query(const std::string& run) {
    std::string sql = "SELECT IS_USED_LOCK('" + life_lock_of(run, 'i', 0) + "')";
    for (const char kind : {'c', 'a'}) {
        for (std::size_t place = 0; place < places; ++place) {
            sql += ", IS_USED_LOCK('" + life_lock_of(run, kind, place) + "')";
        }
    }
    return sql;
}

}  // namespace

std::string life_lock_of(const std::string& run, char kind, std::size_t place) {
    return "sluice:life:" + run + ":" + kind + std::to_string(place);
}

std::string lock_of_table(const table_name& table) {
    // FNV-1a of 64 bits: names of locks have at most 64 characters, and compare without regard to letter case.
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : table.schema + '\0' + table.table) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return "sluice:table:" + std::to_string(hash);
}

outcome<void> end_former_workers(sql_session& session, const std::string& run, clock& time) {
    const std::string query = holders_query(run);
    const auto until = time.now() + patience;
    while (true) {
        SLUICE_TRY(const query_result holders, session.run(query));
        bool is_one_left = false;
        for (const cell& holder : holders.rows.empty() ? std::vector<cell>{} : holders.rows[0]) {
            if (!holder) continue;
            is_one_left = true;
            auto killed = session.run("KILL " + *holder);
            if (!killed && killed.error().server_errno != no_such_thread) return std::move(killed).error();
        }
        if (!is_one_left) return {};
        if (time.now() > until) {
            failure lives = refuse("former_worker_lives",
                                   "a connection of the process that was at work before could not be ended on the "
                                   "server in a minute");
            lives.then = disposition::retry;
            return lives;
        }
        time.sleep_for(poll);
    }
}

}  // namespace sluice::migration
