#include "protocol/binlog/previous_gtids.hpp"

namespace sluice::binlog {

decode_result<previous_gtids_event> previous_gtids_event::decode(byte_view body) {
    previous_gtids_event event;
    SLUICE_TRY(event.gtids, gtid_set::decode(body));
    return event;
}

}  // namespace sluice::binlog
