#pragma once

// Which tables a prepared statement may touch, by its id. Texts are remembered from the first PREPARE on, also while no
// table is watched, because the statement may be executed when one is; they are classified when first asked about. Of
// longer texts only what they name is kept. Bounded: what does not fit counts as touching everything. One thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "proxy/session/expected_reply.hpp"
#include "proxy/session/gate_shard.hpp"
#include "proxy/session/quote_reading.hpp"
#include "proxy/session/session_text.hpp"

namespace sluice::session {

struct table_use {
    slot_mask may_touch = 0;
    bool touches_a_table = true;
    bool reads_by_snapshot = true;  ///< see expected_reply
};

class prepared_statements {
public:
    static constexpr std::size_t text_size_max = 16 * 1024;
    static constexpr std::size_t count_max = 16'384;
    static constexpr std::size_t bytes_max = 256 * 1024;
    /// In the place of an id, to MariaDB: the statement that was prepared last, until that is closed or another PREPARE
    /// fails (tried on 10.11). For client libraries that send what follows before the PREPARE is answered.
    static constexpr std::uint32_t last_id = 0xFFFFFFFF;

    /// The session's settings at the time of the PREPARE are what counts. prepare: of a COM_STMT_PREPARE.
    void add(std::uint32_t id, command_memory&& prepare, const session_text& settings);
    void remove(std::uint32_t id) noexcept;
    /// A PREPARE is sent on: until it is answered, it is not known which was the last.
    void on_prepare() noexcept { last_ = last_id; }
    void clear() noexcept;

    /// An unknown id touches everything.
    [[nodiscard]] table_use use(std::uint32_t id, const gate_shard& shard);
    /// Whether executing it may make the server ask for a file. MariaDB prepares LOAD DATA LOCAL: there an unknown id
    /// may.
    [[nodiscard]] bool may_load_local_file(std::uint32_t id, bool mariadb) const noexcept;
    /// Fills in what the statement's text says of the session: its kind and the locks that outlive it, the isolation
    /// level, and statements that change settings. An unknown id leaves the kind `other`.
    void recall(std::uint32_t id, expected_reply& reply) const;
    /// Start of the text for an operator's eyes, while it is kept; else empty.
    [[nodiscard]] std::string_view text(std::uint32_t id) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return statements_.size(); }

    /// Whether so much of a text is worth a footprint: the rest of its statement tells no other table.
    [[nodiscard]] static bool keeps_footprint_of(sql::statement_kind kind) noexcept;

private:
    struct statement {
        std::variant<std::string, sql::statement_footprint> content;  // the text until it is first asked about
        std::string schema;
        text_rules rules;
        std::size_t bytes = 0;
        bool may_load_local_file = false;
        sql::statement_kind kind = sql::statement_kind::other;
        flush_lock flush = flush_lock::none;
        isolation_change isolation;
        std::string handler;                             // alias of HANDLER ... OPEN and CLOSE
        std::vector<sql::statement_summary> statements;  // of SET and USE
        std::uint64_t epoch = 0;                         // of the shard's watched tables for which `known` holds
        bool reads_by_snapshot = true;
        table_use known;
    };

    [[nodiscard]] std::unordered_map<std::uint32_t, statement>::const_iterator find(std::uint32_t id) const noexcept {
        return statements_.find(resolved(id));
    }
    [[nodiscard]] std::uint32_t resolved(std::uint32_t id) const noexcept { return id == last_id ? last_ : id; }

    std::unordered_map<std::uint32_t, statement> statements_;
    std::size_t bytes_ = 0;
    std::uint32_t last_ = last_id;  // prepared last; last_id, which no statement has: it is not known
};

}  // namespace sluice::session
