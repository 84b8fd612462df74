#include "protocol/message/prepared.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

wire_result<prepare_ok> parse_prepare_ok(byte_view payload, capability_flags capabilities) {
    reader in(payload);
    SLUICE_TRY(const auto first, in.u8());
    if (first != 0) return wire_error{wire_errc::malformed, "not the reply to a prepare"};
    prepare_ok ok;
    SLUICE_TRY(ok.statement_id, in.u32());
    SLUICE_TRY(ok.column_count, in.u16());
    SLUICE_TRY(ok.parameter_count, in.u16());
    SLUICE_TRY_VOID(in.skip(1));
    SLUICE_TRY(ok.warnings, in.u16());
    if (has(capabilities, capability::optional_resultset_metadata) && !in.empty()) {
        SLUICE_TRY(const auto follows, in.u8());
        ok.metadata_follows = follows != 0;
    }
    return ok;
}

void serialise(byte_buffer& buffer, const prepare_ok& ok) {
    writer out(buffer);
    out.u8(0);
    out.u32(ok.statement_id);
    out.u16(ok.column_count);
    out.u16(ok.parameter_count);
    out.u8(0);
    out.u16(ok.warnings);
    if (ok.metadata_follows) out.u8(*ok.metadata_follows ? 1 : 0);
}

}  // namespace sluice::protocol
