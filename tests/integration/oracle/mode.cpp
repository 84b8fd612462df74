#include "tests/integration/oracle/mode.hpp"

#include <cstdlib>

namespace sluice::test::oracle {
namespace {

namespace flag = wire::flag;

constexpr struct {
    const char* name;
    std::uint64_t value;
} names[] = {
    {"long_password", flag::long_password},
    {"found_rows", flag::found_rows},
    {"long_flag", flag::long_flag},
    {"connect_with_db", flag::connect_with_db},
    {"compress", flag::compress},
    {"local_files", flag::local_files},
    {"ignore_space", flag::ignore_space},
    {"protocol_41", flag::protocol_41},
    {"interactive", flag::interactive},
    {"ssl", flag::ssl},
    {"transactions", flag::transactions},
    {"secure_connection", flag::secure_connection},
    {"multi_statements", flag::multi_statements},
    {"multi_results", flag::multi_results},
    {"ps_multi_results", flag::ps_multi_results},
    {"plugin_auth", flag::plugin_auth},
    {"connect_attrs", flag::connect_attrs},
    {"lenenc_auth", flag::lenenc_auth},
    {"expired_passwords", flag::expired_passwords},
    {"session_track", flag::session_track},
    {"deprecate_eof", flag::deprecate_eof},
    {"optional_metadata", flag::optional_metadata},
    {"zstd", flag::zstd},
    {"query_attributes", flag::query_attributes},
    {"multi_factor", 1ULL << 28},
    {"capability_extension", 1ULL << 29},
    {"verify_server_cert", 1ULL << 30},
    {"remember_options", 1ULL << 31},
    {"mariadb_progress", flag::mariadb_progress},
    {"mariadb_com_multi", 1ULL << 33},
    {"mariadb_bulk", flag::mariadb_bulk},
    {"mariadb_extended_metadata", flag::mariadb_extended_metadata},
    {"mariadb_cache_metadata", flag::mariadb_cache_metadata},
    {"mariadb_bulk_unit_results", flag::mariadb_bulk_unit_results},
};

constexpr std::uint64_t basic = flag::long_password | flag::long_flag | flag::transactions | flag::plugin_auth |
                                flag::lenenc_auth | flag::connect_attrs;
constexpr std::uint64_t several =
    flag::multi_statements | flag::multi_results | flag::ps_multi_results | flag::local_files;
constexpr std::uint64_t mariadb_flags = flag::mariadb_bulk | flag::mariadb_extended_metadata |
                                        flag::mariadb_cache_metadata | flag::mariadb_bulk_unit_results |
                                        flag::mariadb_progress;

}  // namespace

const std::vector<mode>& modes() {
    static const auto all = [] {
        std::vector<mode> made = {
            // What today's drivers ask for.
            {"modern",
             basic | several | flag::deprecate_eof | flag::session_track | flag::query_attributes |
                 flag::expired_passwords,
             true},
            // What drivers asked for in the days of 5.6.
            {"classic", basic | several, true},
            {"eof_and_trackers", basic | several | flag::session_track | flag::query_attributes, false},
            {"optional_metadata", basic | several | flag::deprecate_eof | flag::optional_metadata, false},
            {"optional_metadata_and_eof", basic | several | flag::optional_metadata | flag::session_track, false},
            // One statement and one result only.
            {"single", basic | flag::deprecate_eof | flag::found_rows, false},
            // As old as protocol 4.1 itself: no plugins, no attributes.
            {"bare", flag::long_password, false},
            // Not calling itself MySQL's, so that MariaDB's own flags count.
            {"mariadb",
             (basic & ~flag::long_password) | several | flag::deprecate_eof | flag::session_track | mariadb_flags,
             true},
        };
        if (const char* only = std::getenv("SLUICE_ORACLE_MODE")) {
            std::erase_if(made, [&](const auto& one) { return one.name != only; });
        }
        return made;
    }();
    return all;
}

const mode& mode_named(std::string_view name) {
    for (const auto& one : modes()) {
        if (one.name == name) return one;
    }
    throw wire::error("no mode is called " + std::string(name));
}

std::uint64_t capability_named(std::string_view name) {
    for (const auto& one : names) {
        if (name == one.name) return one.value;
    }
    throw wire::error("no capability is called " + std::string(name));
}

std::string capability_names(std::uint64_t flags) {
    std::string out;
    for (const auto& one : names) {
        if ((flags & one.value) == 0) continue;
        out += (out.empty() ? "" : " ") + std::string(one.name);
        flags &= ~one.value;
    }
    if (flags != 0) out += " and unnamed ones";
    return out;
}

}  // namespace sluice::test::oracle
