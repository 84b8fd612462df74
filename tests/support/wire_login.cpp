#include "tests/support/wire_login.hpp"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace sluice::test::wire {
namespace {

constexpr const char* native_plugin = "mysql_native_password";
constexpr const char* sha2_plugin = "caching_sha2_password";
constexpr const char* sha256_plugin = "sha256_password";
constexpr const char* clear_plugin = "mysql_clear_password";
constexpr std::uint32_t packet_size_max = 1U << 30U;

std::string digest(const EVP_MD* kind, std::string_view text) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size, kind, nullptr) != 1) {
        throw error("no digest");
    }
    out.resize(size);
    return out;
}

std::string exclusive_or(std::string a, std::string_view b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i % b.size()]);
    return a;
}

std::string scrambled(const std::string& plugin, const std::string& password, const std::string& scramble) {
    if (plugin == clear_plugin) return password + '\0';
    if (password.empty()) return {};
    if (plugin == sha2_plugin) {
        const auto once = digest(EVP_sha256(), password);
        return exclusive_or(once, digest(EVP_sha256(), digest(EVP_sha256(), once) + scramble));
    }
    const auto once = digest(EVP_sha1(), password);
    return exclusive_or(once, digest(EVP_sha1(), scramble + digest(EVP_sha1(), once)));
}

std::string encrypted(const std::string& pem, const std::string& text) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> from(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         BIO_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PUBKEY(from.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    if (!key) throw error("the server's public key cannot be read");
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> work(EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                           EVP_PKEY_CTX_free);
    std::string out(static_cast<std::size_t>(EVP_PKEY_size(key.get())), '\0');
    std::size_t size = out.size();
    if (EVP_PKEY_encrypt_init(work.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(work.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_encrypt(work.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
        throw error("the password cannot be encrypted");
    }
    out.resize(size);
    return out;
}

// The exchange after the client's first answer.
bool exchange(transport& under, packet_stream& stream, std::string plugin, std::string scramble,
              const std::string& password, std::vector<packet>& packets) {
    for (;;) {
        packets.push_back(stream.receive());
        const auto& said = packets.back();
        switch (said.first()) {
            case 0x00: return true;
            case 0xFF: return false;
            case 0xFE: {
                input asked(said.payload);
                (void)asked.integer(1);
                plugin = std::string(asked.zero_ended());
                scramble = std::string(asked.rest());
                if (!scramble.empty() && scramble.back() == '\0') scramble.pop_back();
                if (plugin == sha256_plugin) {
                    // In clear under TLS; else it asks for the key to encrypt it with.
                    stream.send(under.has_tls() ? password + '\0' : "\x01", stream.next_sequence());
                } else {
                    stream.send(scrambled(plugin, password, scramble), stream.next_sequence());
                }
                break;
            }
            case 0x01: {
                const auto more = said.payload.substr(1);
                if (more == "\x03") break;  // it knows the password; OK follows
                if (more == "\x04") {
                    if (under.has_tls()) {
                        stream.send(password + '\0', stream.next_sequence());
                    } else {
                        stream.send("\x02", stream.next_sequence());
                    }
                } else {
                    stream.send(encrypted(more, exclusive_or(password + '\0', scramble)), stream.next_sequence());
                }
                break;
            }
            default: throw error("the server's authentication packet begins with " + std::to_string(said.first()));
        }
    }
}

void put_fixed_part(std::string& to, std::uint64_t capabilities, std::uint8_t character_set) {
    put_int(to, capabilities & 0xFFFFFFFFU, 4);
    put_int(to, packet_size_max, 4);
    put_int(to, character_set, 1);
    to.append(19, '\0');
    // MariaDB's, which only a client that does not call itself MySQL's may use.
    put_int(to, (capabilities & flag::long_password) != 0 ? 0 : capabilities >> 32U, 4);
}

std::string attributes() {
    std::string inside;
    put_lenenc_text(inside, "_client_name");
    put_lenenc_text(inside, "oracle");
    std::string out;
    put_lenenc_text(out, inside);
    return out;
}

std::string response(const login& as, std::uint64_t capabilities, const greeting& greeted) {
    std::string payload;
    put_fixed_part(payload, capabilities, as.character_set);
    put_zero_ended(payload, as.user);
    const auto plugin = (capabilities & flag::plugin_auth) != 0 ? greeted.plugin : native_plugin;
    const auto answer = scrambled(plugin, as.password, greeted.scramble);
    put_lenenc_text(payload, answer);
    if ((capabilities & flag::connect_with_db) != 0) put_zero_ended(payload, as.database);
    if ((capabilities & flag::plugin_auth) != 0) put_zero_ended(payload, plugin);
    if ((capabilities & flag::connect_attrs) != 0) payload += attributes();
    if ((capabilities & flag::zstd) != 0) put_int(payload, 3, 1);
    return payload;
}

}  // namespace

greeting parse_greeting(std::string_view payload) {
    input from(payload);
    greeting g;
    g.protocol = static_cast<std::uint8_t>(from.integer(1));
    g.version = std::string(from.zero_ended());
    g.connection_id = static_cast<std::uint32_t>(from.integer(4));
    g.scramble = std::string(from.take(8));
    (void)from.integer(1);
    g.capabilities = from.integer(2);
    g.character_set = static_cast<std::uint8_t>(from.integer(1));
    g.status = static_cast<std::uint16_t>(from.integer(2));
    g.capabilities |= from.integer(2) << 16U;
    g.scramble_size_field = static_cast<std::uint8_t>(from.integer(1));
    g.filler = std::string(from.take(6));
    const auto last = from.integer(4);
    if ((g.capabilities & flag::long_password) == 0) {
        g.capabilities |= last << 32U;
    } else {
        put_int(g.filler, last, 4);
    }
    g.scramble += from.take(12);
    (void)from.integer(1);
    if ((g.capabilities & flag::plugin_auth) != 0) g.plugin = std::string(from.zero_ended());
    g.behind = std::string(from.rest());
    return g;
}

login_outcome log_in(transport& under, packet_stream& stream, const login& as) {
    login_outcome outcome;
    outcome.packets.push_back(stream.receive());
    if (outcome.packets.back().is_err()) return outcome;
    outcome.greeted = parse_greeting(outcome.packets.back().payload);
    const auto& greeted = outcome.greeted;

    auto wanted = as.capabilities | flag::protocol_41 | flag::secure_connection;
    if (!as.database.empty()) wanted |= flag::connect_with_db;
    std::uint64_t must = 0;
    if (as.tls) must |= flag::ssl;
    if (as.compressed == compression::zlib) must |= flag::compress;
    if (as.compressed == compression::zstd) must |= flag::zstd;
    if ((greeted.capabilities & must) != must) throw error("the server does not offer the transport that is asked for");
    // Servers of MariaDB do not show long_password, by which they are told apart; these clients may set it.
    auto offered = greeted.capabilities | flag::found_rows | flag::ignore_space | flag::interactive;
    if ((wanted >> 32U) == 0) offered |= flag::long_password;
    outcome.capabilities = (wanted & offered) | must;

    if (as.tls) {
        std::string request;
        put_fixed_part(request, outcome.capabilities, as.character_set);
        stream.send(request, stream.next_sequence());
        under.start_tls();
        stream.send(response(as, outcome.capabilities, greeted), static_cast<std::uint8_t>(stream.next_sequence() + 1));
    } else {
        stream.send(response(as, outcome.capabilities, greeted), stream.next_sequence());
    }
    const auto plugin = (outcome.capabilities & flag::plugin_auth) != 0 ? greeted.plugin : native_plugin;
    outcome.logged_in = exchange(under, stream, plugin, greeted.scramble, as.password, outcome.packets);
    if (outcome.logged_in && as.compressed != compression::none) under.start_compression(as.compressed);
    return outcome;
}

bool change_user(transport& under, packet_stream& stream, const login_outcome& session, const login& as,
                 std::vector<packet>& packets) {
    const auto plugin = (session.capabilities & flag::plugin_auth) != 0 ? session.greeted.plugin : native_plugin;
    const auto answer = scrambled(plugin, as.password, session.greeted.scramble);
    std::string payload("\x11", 1);
    put_zero_ended(payload, as.user);
    put_int(payload, answer.size(), 1);
    payload += answer;
    put_zero_ended(payload, as.database);
    put_int(payload, as.character_set, 2);
    if ((session.capabilities & flag::plugin_auth) != 0) put_zero_ended(payload, plugin);
    if ((session.capabilities & flag::connect_attrs) != 0) payload += attributes();
    under.begin_command();
    stream.send(payload, 0);
    return exchange(under, stream, plugin, session.greeted.scramble, as.password, packets);
}

}  // namespace sluice::test::wire
