#pragma once

// Two command lines of gh-ost as operators' scripts have them; only what differs from server to server is put in.

#include <string>
#include <vector>

namespace sluice::test {

struct line_server {
    std::string host;
    std::string port;
    std::string user;
    std::string password;
};

inline std::vector<std::string> first_ghost_line(const line_server& at) {
    return {"-execute",
            "-allow-on-master",
            "-assume-rbr",
            "-ok-to-drop-table",
            "-default-retries",
            "120",
            "-cut-over-lock-timeout-seconds",
            "10",
            "-host",
            at.host,
            "-port",
            at.port,
            "-user",
            at.user,
            "-password",
            at.password,
            "-database",
            "my_db",
            "-table",
            "a",
            "-alter",
            "engine=innodb",
            "--chunk-size=10"};
}

inline std::vector<std::string> second_ghost_line(const line_server& at, const std::string& replica,
                                                  const std::string& panic_file, const std::string& flag_file) {
    return {"--max-load=Threads_running=25",
            "--critical-load=Threads_running=1000",
            "--chunk-size=1000",
            "--throttle-control-replicas=" + replica,
            "--max-lag-millis=1500",
            "--user=" + at.user,
            "--password=" + at.password,
            "--host=" + at.host,
            "--port=" + at.port,
            "--database=icps2",
            "--allow-on-master",
            "--table=cps_transactions_copy2",
            "--verbose",
            "--alter=drop index index_transsource",
            "--switch-to-rbr",
            "--allow-master-master",
            "--cut-over=default",
            "--exact-rowcount",
            "--concurrent-rowcount",
            "--heartbeat-interval-millis=2000",
            "--default-retries=120",
            "--panic-flag-file=" + panic_file,
            "--timestamp-old-table",
            "--postpone-cut-over-flag-file=" + flag_file,
            "--initially-drop-ghost-table",
            "--execute"};
}

}  // namespace sluice::test
