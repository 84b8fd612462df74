#include "protocol/binlog/anonymous_gtid.hpp"

namespace sluice::binlog {

decode_result<anonymous_gtid_event> anonymous_gtid_event::decode(byte_view body) {
    SLUICE_TRY(const auto fields, gtid_event_fields::decode(body));
    return anonymous_gtid_event{fields.facts};
}

}  // namespace sluice::binlog
