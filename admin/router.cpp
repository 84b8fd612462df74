#include "admin/router.hpp"

#include "admin/http_server.hpp"
#include "admin/json_view.hpp"
#include "admin/metrics.hpp"
#include "admin/migration_request.hpp"
#include "admin/plan_view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace sluice::admin {
namespace {

namespace json = boost::json;
using migration::operator_command;

constexpr std::string_view collection = "/v1/migrations";
constexpr std::string_view tls_reload_path = "/v1/tls/reload";

struct named_command {
    std::string_view name;
    operator_command command;
};

constexpr std::array commands{
    named_command{"cut-over", operator_command::cut_over}, named_command{"postpone", operator_command::postpone},
    named_command{"pause", operator_command::pause},       named_command{"resume", operator_command::resume},
    named_command{"abort", operator_command::abort},       named_command{"revert", operator_command::revert},
    named_command{"finish", operator_command::finish},
};

http_response json_response(unsigned status, const json::object& body) {
    return {.status = status, .content_type = "application/json", .headers = {}, .body = json::serialize(body) + "\n"};
}

http_response no_such_path(std::string_view path) {
    return to_response(
        {.status = 404, .code = "no_such_path", .detail = "nothing is served at " + std::string(path), .field = {}});
}

http_response wrong_method(std::string_view path, const std::string& allowed) {
    http_response response = to_response(
        {.status = 405, .code = "method_not_allowed", .detail = std::string(path) + " takes " + allowed, .field = {}});
    response.headers.emplace_back("Allow", allowed);
    return response;
}

bool reads(const http_request& request) { return request.method == "GET" || request.method == "HEAD"; }

bool is_json(std::string_view content_type) {
    const std::string_view type = content_type.substr(0, content_type.find(';'));
    std::string lower;
    for (const char c : type) {
        if (c != ' ' && c != '\t') lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return lower == "application/json";
}

http_response wrong_media_type() {
    return to_response({.status = 415,
                        .code = "unsupported_media_type",
                        .detail = "the body must be JSON, with `Content-Type: application/json`",
                        .field = {}});
}

/// The host of a Host header or of an Origin, without scheme and port.
std::string_view bare_host(std::string_view text) {
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
    }
    return text.substr(0, text.find(':'));
}

/// With a token, only who knows it is let in. Without one, a web page in the operator's browser must not be able to act
/// for its visitor: not by a cross-site request (Origin) and not by a name that it points at this machine (Host).
std::optional<http_response> refuse_stranger(const http_request& request, const router_settings& settings) {
    if (settings.token) {
        if (settings.token->accepts(request.authorization)) return std::nullopt;
        http_response response = to_response(
            {.status = 401,
             .code = request.authorization.empty() ? "token_missing" : "token_refused",
             .detail = request.authorization.empty() ? "this path needs the header `Authorization: Bearer <token>`"
                                                     : "the token is not the one that this Sluice was started with",
             .field = {}});
        response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"sluice\"");
        return response;
    }
    if (is_loopback_host(bare_host(request.host)) &&
        (request.origin.empty() || is_loopback_host(bare_host(request.origin)))) {
        return std::nullopt;
    }
    return to_response({.status = 403,
                        .code = "foreign_origin",
                        .detail = "without a token only requests from this machine to a loopback name are answered",
                        .field = {}});
}

}  // namespace

router::router(migration_directory& migrations, proxy_view& proxy, router_settings settings)
    : migrations_(migrations), proxy_(proxy), settings_(std::make_shared<const router_settings>(std::move(settings))) {}

void router::replace_settings(router_settings settings) {
    auto fresh = std::make_shared<const router_settings>(std::move(settings));
    const std::lock_guard guard(mutex_);
    settings_ = std::move(fresh);
}

http_response router::answer(const http_request& request) {
    std::shared_ptr<const router_settings> settings;
    {
        const std::lock_guard guard(mutex_);
        settings = settings_;
    }
    const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
    if (path == "/healthz") {
        if (!reads(request)) return wrong_method(path, "GET, HEAD");
        return json_response(200, {{"status", "alive"}, {"version", settings->version}});
    }
    if (path == "/readyz") {
        if (!reads(request)) return wrong_method(path, "GET, HEAD");
        const bool ready = proxy_.status().accepting;
        return json_response(ready ? 200 : 503, {{"status", ready ? "ready" : "not accepting connections"}});
    }
    const bool ours = path == "/metrics" || path == tls_reload_path || path == collection ||
                      path.starts_with(std::string(collection) + "/");
    if (!ours) return no_such_path(path);
    if (auto refusal = refuse_stranger(request, *settings)) return *std::move(refusal);
    if (path == "/metrics") {
        if (!reads(request)) return wrong_method(path, "GET, HEAD");
        // While the engine is away, the proxy's numbers are still of use.
        const auto known = migrations_.list();
        const auto migrations = known ? *known : std::vector<migration::snapshot_ptr>();
        return {.status = 200,
                .content_type = std::string(metrics_content_type),
                .headers = {},
                .body = metrics_text(migrations, proxy_.status(), settings->version)};
    }
    if (path == tls_reload_path) return reload_tls(request);
    return answer_migrations(request, path, *settings);
}

http_response router::reload_tls(const http_request& request) {
    if (request.method != "POST") return wrong_method(tls_reload_path, "POST");
    if (!request.body.empty() && !is_json(request.content_type)) return wrong_media_type();
    if (auto body = check_command_body(request.body); body.has_error()) return to_response(body.error());
    const auto reloaded = proxy_.reload_tls();
    if (reloaded.has_error()) {
        return to_response(
            {.status = 422, .code = "tls_files_unusable", .detail = reloaded.error().message, .field = {}});
    }
    const auto shown = [](const std::optional<shown_certificate>& certificate) -> json::value {
        if (!certificate) return nullptr;
        return {{"subject", certificate->subject},
                {"issuer", certificate->issuer},
                {"not_after", certificate->not_after},
                {"self_made", certificate->is_self_made}};
    };
    return json_response(200,
                         {{"for_clients", shown(reloaded->for_clients)}, {"for_server", shown(reloaded->for_server)}});
}

http_response router::answer_migrations(const http_request& request, std::string_view path,
                                        const router_settings& settings) {
    if (request.target.size() != path.size()) {
        return to_response({.status = 400,
                            .code = "unknown_parameter",
                            .detail = std::string(path) + " takes no query parameters",
                            .field = {}});
    }
    if (path == collection) {
        if (reads(request)) return list();
        if (request.method == "POST") return create(request, settings);
        return wrong_method(path, "GET, HEAD, POST");
    }
    const std::string_view rest = path.substr(collection.size() + 1);
    const auto slash = rest.find('/');
    const std::string_view id = rest.substr(0, slash);
    if (id.empty()) return no_such_path(path);
    if (slash == std::string_view::npos) {
        if (reads(request)) return show(id);
        return wrong_method(path, "GET, HEAD");
    }
    return command(request, id, rest.substr(slash + 1));
}

http_response router::create(const http_request& request, const router_settings& settings) {
    if (!is_json(request.content_type)) return wrong_media_type();
    auto wanted = parse_migration_request(request.body, settings.defaults);
    if (wanted.has_error()) return to_response(wanted.error());
    if (wanted->dry_run) {
        http_response later;
        later.work = [this, spec = std::move(wanted->spec)] { return dry_run(spec); };
        return later;
    }
    auto created = migrations_.create(std::move(wanted->spec));
    if (created.has_error()) return to_response(to_problem(created.error()));
    const migration::migration_snapshot& snapshot = **created;
    http_response response = json_response(201, to_json(snapshot));
    response.headers.emplace_back("Location", std::string(collection) + "/" + snapshot.id);
    return response;
}

http_response router::dry_run(const migration::migration_spec& spec) {
    const auto found = migrations_.dry_run(spec);
    if (found.has_error()) {
        problem why = to_problem(found.error());
        // What the engine does not know as a mistake of the request itself is a table that it refuses.
        if (why.status == 500 && found.error().then == migration::disposition::abort) why.status = 422;
        return to_response(why);
    }
    return json_response(200, to_json(*found));
}

http_response router::list() const {
    const auto migrations = migrations_.list();
    if (migrations.has_error()) return to_response(to_problem(migrations.error()));
    json::array all;
    for (const migration::snapshot_ptr& snapshot : *migrations) all.push_back(to_json_summary(*snapshot));
    return json_response(200, {{"migrations", std::move(all)}});
}

http_response router::show(std::string_view id) const {
    const auto snapshot = migrations_.find(id);
    if (snapshot.has_error()) return to_response(to_problem(snapshot.error()));
    return json_response(200, to_json(**snapshot));
}

http_response router::change(const http_request& request, std::string_view id) {
    if (request.method != "POST") return wrong_method(request.target, "POST");
    if (!is_json(request.content_type)) return wrong_media_type();
    const auto changes = parse_settings_request(request.body);
    if (changes.has_error()) return to_response(changes.error());
    const auto done = migrations_.change(id, *changes);
    if (done.has_error()) return to_response(to_problem(done.error()));
    return json_response(200, to_json(**done));
}

http_response router::command(const http_request& request, std::string_view id, std::string_view name) {
    if (name == "settings") return change(request, id);
    const auto* named =
        std::find_if(commands.begin(), commands.end(), [&](const named_command& c) { return c.name == name; });
    if (named == commands.end()) return no_such_path(request.target);
    if (request.method != "POST") return wrong_method(request.target, "POST");
    if (!request.body.empty() && !is_json(request.content_type)) return wrong_media_type();
    if (auto body = check_command_body(request.body); body.has_error()) return to_response(body.error());
    auto done = migrations_.command(id, named->command);
    if (done.has_error()) return to_response(to_problem(done.error()));
    return json_response(200, to_json(**done));
}

}  // namespace sluice::admin
