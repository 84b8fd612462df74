#include "tests/integration/oracle/conversation.hpp"

#include "tests/integration/oracle/command_writing.hpp"

#include <algorithm>
#include <optional>
#include <sstream>

namespace sluice::test::oracle {
namespace {

role role_of_login(const wire::packet& packet, bool first) {
    if (packet.is_err()) return role::err;
    if (first) return role::greeting;
    return packet.first() == 0 ? role::ok : role::authentication;
}

// "user=a password=b database=c"
wire::login named_login(const std::string& text, wire::login base) {
    std::istringstream words(text);
    base.database.clear();
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        const auto value = equals == std::string::npos ? std::string() : word.substr(equals + 1);
        if (word.rfind("user=", 0) == 0) base.user = value;
        if (word.rfind("password=", 0) == 0) base.password = value;
        if (word.rfind("database=", 0) == 0) base.database = value;
    }
    return base;
}

class conversation {
public:
    conversation(const script& what, const run_options& how)
        : script_(what), how_(how), under_(how.port), stream_(under_), as_(login_of()) {
        under_.set_piece_size(how.piece_size);
        stream_.keep_record(how.recorded);
    }

    void run(transcript& into) {
        log_in(into);
        if (into.logged_in) {
            reader_.emplace(stream_, into.capabilities);
            bool inside = false;
            for (const auto& one : script_.steps) {
                if (!one.servers.empty() &&
                    std::find(one.servers.begin(), one.servers.end(), how_.kind) == one.servers.end()) {
                    continue;
                }
                if (one.verb == "pipeline") {
                    inside = true;
                } else if (one.verb == "end") {
                    inside = false;
                    send_all(into);
                } else {
                    take(one, inside, into);
                }
                if (!into.replies.empty() && into.replies.back().closed) break;
            }
        }
        finish(into);
    }

    void finish(transcript& into) {
        into.record = stream_.record();
        into.pieces = under_.pieces();
        into.is_compressed = under_.compressed().has_value();
        if (into.is_compressed) into.frames_compressed = under_.compressed()->frames_compressed();
    }

private:
    struct waiting {
        const step* of;
        written_command command;
        std::vector<cell_mask> masks;
    };

    [[nodiscard]] wire::login login_of() const {
        wire::login as;
        as.user = script_.user;
        as.password = script_.password;
        as.database = script_.database;
        as.capabilities = (how_.as.capabilities | script_.added) & ~script_.removed;
        as.tls = how_.over.tls;
        as.compressed = how_.over.compressed;
        return as;
    }

    void log_in(transcript& into) {
        auto outcome = wire::log_in(under_, stream_, as_);
        for (const auto& packet : outcome.packets) {
            into.login.push_back({packet, role_of_login(packet, into.login.empty())});
        }
        into.greeted = outcome.greeted;
        into.capabilities = outcome.capabilities;
        into.logged_in = outcome.logged_in;
        into.over_tls = under_.has_tls();
        session_ = std::move(outcome);
    }

    void take(const step& one, bool in_pipeline, transcript& into) {
        if (one.verb == "mask") return read_masks(one.argument);
        if (one.verb == "file") return read_file(one.argument);
        if (one.verb == "expect_close") {
            into.replies.push_back({one.line, one.text, outcome::either, {}, {}, stream_.closed_by_peer()});
            if (!into.replies.back().closed) throw wire::error("the connection was to be closed and is not");
            return;
        }
        if (one.verb == "change_user") return change_user(one, into);
        auto command = write_command(one, into.capabilities, ids_);
        if (!command) throw wire::error("no such step: " + one.verb);
        waiting_.push_back({&one, std::move(*command), std::exchange(masks_, {})});
        if (!in_pipeline) send_all(into);
    }

    void read_masks(const std::string& text) {
        std::istringstream words(text);
        for (std::string word; words >> word;) {
            const auto at = word.find('@');
            masks_.push_back({word.substr(0, at), std::stoull(word.substr(at + 1))});
        }
    }

    // The packets of a file, separated by |
    void read_file(const std::string& text) {
        local_file packets;
        std::istringstream parts(text);
        for (std::string part; std::getline(parts, part, '|');) packets.push_back(part);
        reader_->files.push_back(std::move(packets));
    }

    void change_user(const step& one, transcript& into) {
        into.commands.push_back(0x11);
        into.replies.push_back({one.line, one.text, one.expected, {}, {}, false});
        auto& reply = into.replies.back();
        std::vector<wire::packet> packets;
        const auto note = [&] {
            for (const auto& packet : packets) reply.packets.push_back({packet, role_of_login(packet, false)});
        };
        try {
            (void)wire::change_user(under_, stream_, session_, named_login(one.argument, as_), packets);
        } catch (const wire::closed&) {
            reply.closed = true;
        }
        note();
    }

    void send_all(transcript& into) {
        std::string frames;
        for (const auto& one : waiting_) {
            into.commands.push_back(one.command.payload.empty() ? 0xFF
                                                                : static_cast<std::uint8_t>(one.command.payload[0]));
            const auto framed = wire::packet_stream::framed(one.command.payload, one.command.sequence);
            // Compressed, a command is a frame of its own: the server counts them from the command's beginning.
            if (under_.compressed()) {
                under_.begin_command();
                stream_.send_framed(framed);
            } else {
                frames += framed;
            }
        }
        if (!frames.empty()) stream_.send_framed(frames);
        for (auto& one : std::exchange(waiting_, {})) {
            into.replies.push_back({one.of->line, one.of->text, one.of->expected, {}, std::move(one.masks), false});
            receive(one.command, into.replies.back());
            if (into.replies.back().closed) return;
        }
    }

    void receive(const written_command& command, reply& into) {
        try {
            reader_->read(command.reply, into.packets, command.packets);
        } catch (const wire::closed&) {
            into.closed = true;
            return;
        }
        if (command.prepares.empty() || into.packets.empty() || into.packets.front().what != role::prepared) return;
        wire::input head(into.packets.front().packet.payload);
        (void)head.integer(1);
        ids_[command.prepares] = static_cast<std::uint32_t>(head.integer(4));
    }

    const script& script_;
    const run_options& how_;
    wire::transport under_;
    wire::packet_stream stream_;
    wire::login as_;
    wire::login_outcome session_;
    std::optional<reply_reader> reader_;
    statement_ids ids_;
    std::vector<waiting> waiting_;
    std::vector<cell_mask> masks_;
};

}  // namespace

transcript run(const script& what, const run_options& how) {
    transcript made;
    std::optional<conversation> talk;
    try {
        talk.emplace(what, how);
        talk->run(made);
    } catch (const std::exception& wrong) {
        made.broken = wrong.what();
        if (!made.replies.empty()) made.broken += " (at line " + std::to_string(made.replies.back().line) + ")";
        if (talk) talk->finish(made);
    }
    return made;
}

}  // namespace sluice::test::oracle
