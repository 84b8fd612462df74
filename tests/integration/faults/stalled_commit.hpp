#pragma once

// A commit that stalls between the binary log and the engine: its event is out, its change is not visible to anybody.
// Semi-synchronous replication with the wait point AFTER_SYNC and no replica does it; every later commit of the server
// stalls behind it.

#include "tests/support/eventually.hpp"
#include "tests/support/mysql_server.hpp"

#include <future>
#include <stdexcept>
#include <string>

namespace sluice::test {

class stalled_commit {
public:
    /// Runs the statement and returns once its commit stalls. Once per server at a time; not on MySQL 5.6.
    stalled_commit(const mysql_server& server, const std::string& statement)
        : root_(connect(server)), writer_(connect(server, "test")) {
        if (server.options().kind == server_kind::mysql_9_7) {
            prefix_ = "rpl_semi_sync_source_";
            // 1125: it is there already.
            root_.error_of("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'");
        }
        root_.exec("SET GLOBAL " + prefix_ + "wait_point = AFTER_SYNC");
        root_.exec("SET GLOBAL " + prefix_ + "timeout = 600000");
        root_.exec("SET GLOBAL " + prefix_ + "enabled = ON");
        done_ = std::async(std::launch::async, [this, statement] { writer_.exec(statement); });
        const bool stalls = eventually([this] {
            return root_.scalar("SELECT COUNT(*) FROM information_schema.processlist WHERE id = " +
                                std::to_string(writer_.connection_id()) +
                                " AND state LIKE 'Waiting for semi-sync ACK%'") == "1";
        });
        if (stalls) return;
        release();
        throw std::runtime_error("its commit does not stall: " + statement);
    }
    ~stalled_commit() {
        if (done_.valid()) root_.error_of("SET GLOBAL " + prefix_ + "enabled = OFF");
    }
    stalled_commit(const stalled_commit&) = delete;
    stalled_commit& operator=(const stalled_commit&) = delete;

    void release() {
        root_.exec("SET GLOBAL " + prefix_ + "enabled = OFF");
        done_.get();
    }

private:
    std::string prefix_ = "rpl_semi_sync_master_";
    sql_connection root_;
    sql_connection writer_;
    std::future<void> done_;
};

}  // namespace sluice::test
