#include "protocol/binlog/event_decoder.hpp"

#include "protocol/binlog/mariadb_compressed.hpp"

namespace sluice::binlog {

namespace {

/// Lets a decoder's result become an alternative of event_body.
template <class T>
decode_result<event_body> as_body(decode_result<T> decoded) {
    SLUICE_TRY(auto event, std::move(decoded));
    return event_body(std::move(event));
}

std::string describe(event_type type) {
    const auto number = std::to_string(static_cast<unsigned>(type));
    return "event of type " + number + " (" + std::string(event_type_name(type)) + ")";
}

}  // namespace

event_decoder::event_decoder(decoder_options options)
    : options_(std::move(options)),
      checksum_(options_.checksum),
      tables_(options_.table_maps_max),
      payload_(options_.payload) {}

void event_decoder::begin_at(coordinates start) { position_.reset(std::move(start)); }

decode_result<void> event_decoder::feed(byte_view event) {
    SLUICE_ASSERT(!pending_ && !in_payload_);
    if (event.size() > options_.event_size_max) {
        return decode_error{decode_errc::too_large, "an event is larger than the limit"};
    }
    SLUICE_TRY(const auto header, event_header::decode(event));
    if (header.event_size != event.size()) {
        return decode_error{header.event_size > event.size() ? decode_errc::truncated : decode_errc::malformed,
                            describe(header.type) + ": its size is not what its header says"};
    }
    if (header.type == event_type::format_description) {
        SLUICE_TRY(auto description, format_description_event::decode(event));
        pending_ = decoded_event{header, false, std::move(description)};
    } else {
        SLUICE_TRY(const auto checked, verify_checksum(event, checksum_));
        const auto body = checked.subspan(event_header::size);
        if (header.type == event_type::transaction_payload) {
            SLUICE_TRY(const auto payload, transaction_payload_event::decode(body));
            SLUICE_TRY_VOID(payload_.begin(payload));
            in_payload_ = true;
        } else {
            SLUICE_TRY(auto decoded, decode(header, body, false));
            pending_ = std::move(decoded);
        }
    }
    position_.advance(header);
    if (pending_) follow(pending_->body);
    return {};
}

decode_result<std::optional<decoded_event>> event_decoder::next() {
    if (!in_payload_) return std::exchange(pending_, std::nullopt);
    SLUICE_TRY(const auto inner, payload_.next());
    if (!inner) {
        in_payload_ = false;
        return std::optional<decoded_event>{};
    }
    SLUICE_TRY(const auto header, event_header::decode(*inner));
    // These speak of the stream, not of a transaction.
    if (header.type == event_type::format_description || header.type == event_type::rotate ||
        header.type == event_type::transaction_payload) {
        return decode_error{decode_errc::malformed, describe(header.type) + " inside a transaction payload"};
    }
    SLUICE_TRY(auto decoded, decode(header, inner->subspan(event_header::size), true));
    return std::optional<decoded_event>(std::move(decoded));
}

decode_result<decoded_event> event_decoder::decode(const event_header& header, byte_view body, bool in_payload) {
    SLUICE_TRY(auto decoded, decode_body(header, body));
    return decoded_event{header, in_payload, std::move(decoded)};
}

decode_result<event_body> event_decoder::decode_body(const event_header& header, byte_view body) {
    switch (header.type) {
        case event_type::table_map: return decode_table_map(body);
        case event_type::write_rows_v1:
        case event_type::update_rows_v1:
        case event_type::delete_rows_v1:
        case event_type::write_rows:
        case event_type::update_rows:
        case event_type::delete_rows:
        case event_type::partial_update_rows: return decode_rows(header.type, body);
        case event_type::mariadb_write_rows_compressed_v1:
        case event_type::mariadb_update_rows_compressed_v1:
        case event_type::mariadb_delete_rows_compressed_v1:
        case event_type::mariadb_write_rows_compressed:
        case event_type::mariadb_update_rows_compressed:
        case event_type::mariadb_delete_rows_compressed: return decode_compressed_rows(header.type, body);
        case event_type::mariadb_query_compressed: return decode_compressed_query(body);
        case event_type::query: return as_body(query_event::decode(body));
        case event_type::xid: return as_body(xid_event::decode(body));
        case event_type::gtid: return as_body(gtid_event::decode(body));
        case event_type::gtid_tagged: return as_body(gtid_event::decode_tagged(body));
        case event_type::anonymous_gtid: return as_body(anonymous_gtid_event::decode(body));
        case event_type::mariadb_gtid: return as_body(mariadb_gtid_event::decode(header, body));
        case event_type::previous_gtids: return as_body(previous_gtids_event::decode(body));
        case event_type::rotate: return as_body(rotate_event::decode(body));
        case event_type::xa_prepare: return as_body(xa_prepare_event::decode(body));
        case event_type::heartbeat:
        case event_type::heartbeat_v2: return as_body(heartbeat_event::decode(header, body));
        case event_type::rows_query:
        case event_type::mariadb_annotate_rows: return as_body(rows_query_event::decode(header.type, body));
        case event_type::incident: return as_body(incident_event::decode(body));
        default: break;
    }
    const bool may_be_skipped = !is_known(header.type) && header.has_flag(event_flag::ignorable);
    if (may_be_skipped || !may_carry_rows(header.type)) return event_body(passive_event{});
    return event_body(undecodable_event{describe(header.type) + " may carry changes of rows and cannot be decoded"});
}

decode_result<event_body> event_decoder::decode_table_map(byte_view body) {
    SLUICE_TRY(auto table, tables_.announce(body, options_.wants_table));
    if (table == nullptr) return event_body(filtered_event{});
    return event_body(table_map_event{std::move(table)});
}

decode_result<event_body> event_decoder::decode_rows(event_type type, byte_view body) {
    SLUICE_TRY(const auto head, rows_event_head::decode(body));
    if (head.table_id == rows_event_head::no_table_id) return event_body(passive_event{});
    const auto* known = tables_.find(head.table_id);
    if (known == nullptr) {
        return decode_error{decode_errc::unknown_table,
                            "rows event: no table map announced table id " + std::to_string(head.table_id)};
    }
    if (known->table == nullptr) return event_body(filtered_event{});
    return as_body(rows_event::decode(type, body, known->table));
}

decode_result<event_body> event_decoder::decode_compressed_rows(event_type type, byte_view body) {
    SLUICE_TRY(auto decoded, decode_rows(uncompressed_type(type), body));
    if (auto* rows = std::get_if<rows_event>(&decoded)) {
        SLUICE_TRY_VOID(inflate_part(rows->row_data, options_.event_size_max, inflated_));
        rows->row_data = inflated_;
    }
    return decoded;
}

decode_result<event_body> event_decoder::decode_compressed_query(byte_view body) {
    SLUICE_TRY(auto query, query_event::decode(body));
    SLUICE_TRY_VOID(inflate_part(protocol::as_bytes(query.statement), options_.event_size_max, inflated_));
    query.statement = protocol::as_text(inflated_);
    return event_body(query);
}

void event_decoder::follow(const event_body& body) {
    if (const auto* description = std::get_if<format_description_event>(&body)) {
        checksum_ = description->checksum;
        tables_.set_dialect(description->is_mariadb() ? log_dialect::mariadb : log_dialect::mysql);
        if (description->created_s != 0) tables_.clear();
    } else if (const auto* rotate = std::get_if<rotate_event>(&body)) {
        position_.reset(rotate->next);
    }
}

}  // namespace sluice::binlog
