#pragma once

// What a command line in gh-ost's words asks for, translated into the engine's own. Pure but for --conf and --ask-pass,
// which the caller has read before.

#include "migration/model/migration_spec.hpp"
#include "migration/mysql/server_address.hpp"
#include "protocol/result.hpp"
#include "proxy/main/ghost/conf_file.hpp"
#include "proxy/main/ghost/flag_values.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::ghost {

struct hook_settings {
    std::string path;  ///< empty: none
    std::string hint;
    std::string hint_owner;
    std::string hint_token;
    std::chrono::seconds status_interval{60};  ///< 0: never
};

struct row_count {
    bool exact = false;
    bool beside_the_copy = true;
};

struct ghost_settings {
    migration::server_address server;                 ///< of --host: where the run looks first
    std::optional<migration::server_address> master;  ///< of --assume-master-host
    std::chrono::seconds connect_limit{10};
    std::optional<std::uint32_t> replica_server_id;

    migration::migration_spec spec;
    bool execute = false;
    bool allow_on_master = false;
    bool allow_master_master = false;
    bool test_on_replica = false;
    bool replication_by_hooks = false;  ///< --test-on-replica-skip-replica-stop
    bool migrate_on_replica = false;
    [[nodiscard]] bool on_replica() const { return test_on_replica || migrate_on_replica; }
    row_count count;
    bool apply_batch_given = false;  ///< --dml-batch-size

    std::string socket_file;
    bool drop_socket_file = false;
    std::uint16_t tcp_port = 0;  ///< 0: none
    bool name_for_cutover = false;
    bool name_for_panic = false;
    std::string panic_flag_file;
    hook_settings hooks;

    std::string conf_file;  ///< --conf; empty: none
    said_by_flags over_conf;
    std::string statsd_address;  ///< empty: no metrics are sent
    std::vector<std::string> statsd_tags;

    std::string via;  ///< empty: do it here
    std::string token_file;

    std::string log_level = "error";  ///< error, info, debug
    std::vector<std::string> notes;   ///< for the operator: what was given and changes nothing, and why
};

/// from_conf: user and password for what the flags leave out. typed_password: the answer to --ask-pass.
/// now: for --timestamp-old-table. The error is what gh-ost says, where it refuses the same.
[[nodiscard]] result<ghost_settings, std::string> read_settings(const flag_values& flags, const conf_values& from_conf,
                                                                const std::optional<std::string>& typed_password,
                                                                std::chrono::system_clock::time_point now);

}  // namespace sluice::ghost
