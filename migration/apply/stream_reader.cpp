#include "migration/apply/stream_reader.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds event_wait{200};
constexpr milliseconds backoff_max{5'000};
constexpr std::chrono::minutes patience{10};  // of attaching again, in a row

feed_start start_of(const stream_position& position) { return {position.executed, position.at}; }

}  // namespace

stream_reader::stream_reader(const migration_plan& plan, work_ledger& ledger, change_feed_source& feeds,
                             stream_position start)
    : ledger_(ledger), feeds_(feeds), capture_(plan, ledger, start) {
    ledger_.begin_stream(std::move(start));
}

outcome<void> stream_reader::attach() {
    SLUICE_TRY(feed_, feeds_.attach(start_of(capture_.position())));
    binlog::decoder_options options;
    options.checksum = feed_->checksum();
    options.wants_table = [this](std::string_view schema, std::string_view table) {
        return capture_.wants(schema, table);
    };
    decoder_ = std::make_unique<binlog::event_decoder>(std::move(options));
    decoder_->begin_at(capture_.position().at);
    capture_.stream_begins();
    return {};
}

void stream_reader::run() {
    auto worked = work();
    if (!worked) ledger_.fail(std::move(worked).error());
}

outcome<void> stream_reader::work() {
    milliseconds backoff{0};
    auto attached_at = steady_clock::now();
    while (!ledger_.stopping()) {
        auto done = feed_ ? read_events() : attach();
        if (done) {
            attached_at = steady_clock::now();
            backoff = milliseconds(0);
            continue;
        }
        feed_.reset();
        if (ledger_.stopping()) return {};
        if (done.error().then == disposition::abort) return done;
        if (steady_clock::now() - attached_at > patience) {
            failure why = std::move(done).error();
            why.code = "cannot_connect";
            why.then = disposition::abort;
            return why;
        }
        backoff = std::clamp(backoff * 2, milliseconds(100), backoff_max);
        ledger_.idle(backoff);
    }
    return {};
}

outcome<void> stream_reader::read_events() {
    SLUICE_TRY(const auto bytes, feed_->next(event_wait));
    if (!bytes) return {};
    const auto undecodable = [](const binlog::decode_error& error) {
        return refuse("binlog_undecodable", "the binary log cannot be followed: " + error.what);
    };
    if (auto fed = decoder_->feed(*bytes); !fed) return undecodable(fed.error());
    while (true) {
        auto event = decoder_->next();
        if (!event) return undecodable(event.error());
        if (!*event) return {};
        SLUICE_TRY_VOID(capture_.take(**event, decoder_->position()));
    }
}

}  // namespace sluice::migration
