#pragma once

// Turns the events of a dump stream into values. Owns what the stream's meaning depends on: the checksum algorithm, the
// table maps, and the position with its upper 32 bits.

#include "protocol/binlog/anonymous_gtid.hpp"
#include "protocol/binlog/format_description.hpp"
#include "protocol/binlog/heartbeat.hpp"
#include "protocol/binlog/incident.hpp"
#include "protocol/binlog/mariadb_gtid.hpp"
#include "protocol/binlog/previous_gtids.hpp"
#include "protocol/binlog/query.hpp"
#include "protocol/binlog/rotate.hpp"
#include "protocol/binlog/rows.hpp"
#include "protocol/binlog/rows_query.hpp"
#include "protocol/binlog/table_map_cache.hpp"
#include "protocol/binlog/transaction_payload.hpp"
#include "protocol/binlog/xa_prepare.hpp"
#include "protocol/binlog/xid.hpp"

#include <variant>

namespace sluice::binlog {

/// A table map of a table of interest. The pointer is never null, and the same while the server repeats the same map.
struct table_map_event {
    std::shared_ptr<const table_map> table;
};

/// A table map or a rows event of a table that the filter does not want. Only its name or table id was read.
struct filtered_event {};

/// Known and without effect on rows or transactions (INTVAR, RAND, USER_VAR, STOP, view changes, MariaDB's GTID list
/// and checkpoints …), or not known but marked as ignorable by the server.
struct passive_event {};

/// May carry row changes and cannot be decoded: a reader that must not miss any has to stop. Unknown types, row events
/// of format v0, statement-based LOAD DATA.
struct undecodable_event {
    std::string why;
};

using event_body =
    std::variant<format_description_event, rotate_event, previous_gtids_event, gtid_event, anonymous_gtid_event,
                 mariadb_gtid_event, query_event, table_map_event, rows_event, xid_event, xa_prepare_event,
                 heartbeat_event, rows_query_event, incident_event, filtered_event, passive_event, undecodable_event>;

struct decoded_event {
    event_header header;
    bool in_payload = false;  ///< inner event of a TRANSACTION_PAYLOAD_EVENT: the header's end_position means nothing
    event_body body;
};

struct decoder_options {
    /// What the stream begins with, before its first format description: the value that the client announced in
    /// @source_binlog_checksum. (The made-up rotate event at the head of a stream already carries a checksum.)
    checksum_algorithm checksum = checksum_algorithm::none;
    std::uint32_t event_size_max = std::uint32_t{1} << 30;  ///< bytes of one event, the server's own limit
    payload_limits payload{};
    std::size_t table_maps_max = 1024;  ///< table maps kept; the one announced longest ago goes first
    table_filter wants_table{};         ///< empty: every table
};

/// Feed one event, take decoded events until there are none, feed the next:
///
///     SLUICE_TRY_VOID(decoder.feed(bytes));
///     while (true) {
///         SLUICE_TRY(auto event, decoder.next());
///         if (!event) break;
///         ...
///     }
///
/// A TRANSACTION_PAYLOAD_EVENT gives its inner events, every other event gives itself. Views inside a decoded event are
/// valid until the following call of next() or feed(), and need the bytes fed to stay alive until then.
/// After an error the decoder must not be used any more. One thread at a time.
class event_decoder {
public:
    explicit event_decoder(decoder_options options = {});

    /// Where the stream was asked to begin; before the first event.
    void begin_at(coordinates start);

    /// `event`: one whole event as it follows the 0x00 byte in a packet of the dump stream, or as it stands in a file.
    [[nodiscard]] decode_result<void> feed(byte_view event);
    [[nodiscard]] decode_result<std::optional<decoded_event>> next();

    /// End of the last event fed; a place to resume from where a transaction ended. File names come from rotate events.
    [[nodiscard]] const coordinates& position() const noexcept { return position_.current(); }

private:
    decode_result<decoded_event> decode(const event_header& header, byte_view body, bool in_payload);
    decode_result<event_body> decode_body(const event_header& header, byte_view body);
    decode_result<event_body> decode_table_map(byte_view body);
    decode_result<event_body> decode_rows(event_type type, byte_view body);
    decode_result<event_body> decode_compressed_rows(event_type type, byte_view body);
    decode_result<event_body> decode_compressed_query(byte_view body);
    void follow(const event_body& body);

    decoder_options options_;
    checksum_algorithm checksum_;
    position_tracker position_;
    table_map_cache tables_;
    payload_reader payload_;
    bool in_payload_ = false;
    byte_buffer inflated_;  ///< what a decoded compressed event of MariaDB points into
    std::optional<decoded_event> pending_;
};

}  // namespace sluice::binlog
