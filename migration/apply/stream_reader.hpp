#pragma once

// Follows the binary log and hands the keys of changed rows to the ledger. Runs on its own thread; attaches again after
// a lost stream, from the last transaction that was read to its end.

#include "migration/apply/key_codec.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/change_feed.hpp"
#include "protocol/binlog/event_decoder.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::migration {

class logged_statement;

/// What one stream says about one migration: events in, ledger calls out. No I/O.
class change_capture {
public:
    change_capture(const migration_plan& plan, work_ledger& ledger, stream_position start);

    /// Transactions may have been prepared (XA) before the stream began: an XA COMMIT of one that the stream has not
    /// shown may change the table unseen, and is a failure from now on.
    void expect_unknown_prepared() { unknown_prepared_ = true; }

    /// The stream begins before the swap that has made the original what it is: until the statement with this clause
    /// has passed, rows and definitions under its name are another table's. A marker above `marker_before` that comes
    /// first is a failure, "swap_not_seen".
    void expect_swap(std::string clause, std::uint64_t marker_before);
    /// From any thread.
    [[nodiscard]] bool before_swap() const noexcept { return before_swap_; }

    /// The stream goes on from a place behind which this marker must stand: one above `last` that comes first is a
    /// failure, "checkpoint_not_in_log". last: of the process that wrote it; its markers may come in another order.
    void expect_marker(std::uint64_t marker, std::uint64_t last) {
        expected_marker_ = marker;
        last_former_marker_ = last;
    }

    /// A new stream begins, from position(): what was read of an unfinished transaction will come again.
    void stream_begins();
    outcome<void> take(const binlog::decoded_event& event, const binlog::coordinates& end);

    /// Behind the last transaction that was read to its end.
    [[nodiscard]] const stream_position& position() const noexcept { return position_; }
    [[nodiscard]] bool wants(std::string_view schema, std::string_view table) const;

private:
    outcome<void> take_rows(const binlog::rows_event& rows);
    outcome<void> take_changes(const binlog::rows_event& rows);
    outcome<void> take_markers(const binlog::rows_event& rows);
    outcome<void> take_query(const binlog::query_event& query, const binlog::coordinates& end);
    outcome<void> take_xa_end(std::string_view statement, const binlog::coordinates& end);
    outcome<void> check_statement(const binlog::query_event& query) const;
    outcome<void> check_change(const logged_statement& statement) const;
    outcome<void> check_shape(const std::shared_ptr<const binlog::table_map>& table);
    outcome<void> add(std::vector<row_key> keys);
    outcome<void> take_event(const binlog::decoded_event& event, const binlog::coordinates& end);
    outcome<void> take_prepare(const binlog::xa_prepare_event& prepare, const binlog::coordinates& end);
    void group_begins();
    void transaction_ends(const binlog::coordinates& end);
    void tell_prepared();
    [[nodiscard]] bool same_name(std::string_view a, std::string_view b) const;
    outcome<void> check_move(const row_key& before, const row_key& after) const;

    const migration_plan& plan_;
    work_ledger& ledger_;
    key_codec codec_;
    stream_position position_;

    std::shared_ptr<const binlog::table_map> shape_;  ///< of the original, as first seen
    std::optional<binlog::gtid> gtid_;
    std::uint64_t transaction_ = 0;  ///< number in the ledger; 0: has not touched the table yet
    bool in_group_ = false;          ///< between a GTID event (or what comes in its place) and the transaction's end
    bool in_transaction_ = false;    ///< between BEGIN (or XA START) and its end
    bool in_xa_ = false;
    bool is_mariadb_ = false;  ///< who wrote the log
    /// Changes of XA transactions become visible with XA COMMIT, possibly much later: kept by xid until then.
    std::vector<row_key> xa_keys_;
    std::map<std::string, std::vector<row_key>> prepared_;
    std::size_t prepared_keys_ = 0;
    bool unknown_prepared_ = false;
    std::string swap_clause_;
    std::atomic<bool> before_swap_{false};
    std::uint64_t marker_before_swap_ = 0;
    std::uint64_t expected_marker_ = 0;  ///< 0: none, or it has come
    std::uint64_t last_former_marker_ = 0;
};

class stream_reader {
public:
    stream_reader(const migration_plan& plan, work_ledger& ledger, change_feed_source& feeds, stream_position start);

    /// Attaches for the first time. To be called before run(), by the thread that wants to hear of a failure at once.
    outcome<void> attach();
    void expect_unknown_prepared() { capture_.expect_unknown_prepared(); }
    void expect_swap(std::string clause, std::uint64_t marker_before) {
        capture_.expect_swap(std::move(clause), marker_before);
    }
    void expect_marker(std::uint64_t marker, std::uint64_t last) { capture_.expect_marker(marker, last); }
    /// Nothing before an expected swap is to be read any more. From any thread.
    [[nodiscard]] bool swap_seen() const noexcept { return !capture_.before_swap(); }
    /// Works until the ledger stops. Failures go to the ledger.
    void run();

private:
    outcome<void> work();
    outcome<void> read_events();

    work_ledger& ledger_;
    change_feed_source& feeds_;
    change_capture capture_;
    std::unique_ptr<binlog::event_decoder> decoder_;
    std::unique_ptr<change_feed> feed_;
};

}  // namespace sluice::migration
