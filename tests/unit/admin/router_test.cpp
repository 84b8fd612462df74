#include "admin/router.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/directory_double.hpp"

#include <boost/json/parse.hpp>

namespace {

using namespace sluice;
using admin::http_request;
using admin::http_response;

constexpr const char* token = "correct-horse-battery";

struct bench {
    test::directory_double directory;
    test::proxy_double proxy;
    admin::router router{directory, proxy, {.token = admin::bearer_token(token), .defaults = {}, .version = "1.2.3"}};

    static http_request request(std::string method, std::string target, std::string body = {}) {
        http_request r;
        r.method = std::move(method);
        r.target = std::move(target);
        r.authorization = std::string("Bearer ") + token;
        r.host = "127.0.0.1:6034";
        r.content_type = body.empty() ? "" : "application/json";
        r.body = std::move(body);
        return r;
    }
    http_response answer(std::string method, std::string target, std::string body = {}) {
        return router.answer(request(std::move(method), std::move(target), std::move(body)));
    }
};

boost::json::object object_of(const http_response& response) {
    boost::json::value value = boost::json::parse(response.body);
    REQUIRE(value.is_object());
    return value.as_object();
}

std::string text(const boost::json::object& object, const char* name) {
    const boost::json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "(none)";
}

std::string header(const http_response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return "(none)";
}

const std::string good_body = R"({"schema":"shop","table":"orders","alter":"ADD COLUMN x INT"})";

}  // namespace

TEST_CASE("a dry run is answered later, with the plan or the refusal, and creates nothing", "[router]") {
    bench b;
    const std::string body = R"({"schema":"shop","table":"orders","alter":"ADD COLUMN x INT","dry_run":true})";
    const http_response pending = b.answer("POST", "/v1/migrations", body);
    REQUIRE(pending.work);
    CHECK_FALSE(b.directory.planned);
    const http_response made = pending.work();
    CHECK(made.status == 200);
    REQUIRE(b.directory.planned);
    CHECK(b.directory.planned->table.table == "orders");
    CHECK_FALSE(b.directory.created);
    const boost::json::object plan = object_of(made);
    CHECK(text(plan, "way") == "copy");
    CHECK(plan.at("dry_run") == true);
    CHECK(plan.at("copy_estimate_s") == 3);
    CHECK(plan.at("ways").as_array().at(0).at("reason") == "not supported (error 1845)");
    CHECK(plan.at("columns").as_array().at(1).at("before").is_null());
    CHECK(plan.at("warnings").as_array().at(0).at("code") == "replicas");

    const struct {
        const char* code;
        unsigned status;
    } refusals[] = {{"triggers", 422}, {"already_running", 409}, {"unavailable", 503}, {"invalid_request", 400}};
    for (const auto& r : refusals) {
        b.directory.refusal = migration::refuse(r.code, "no");
        const http_response refused = b.answer("POST", "/v1/migrations", body).work();
        CHECK(refused.status == r.status);
        CHECK(text(object_of(refused), "code") == r.code);
    }
    const http_response mistyped =
        b.answer("POST", "/v1/migrations", R"({"schema":"s","table":"t","alter":"x","dry_run":1})");
    CHECK(mistyped.status == 400);
    CHECK(text(object_of(mistyped), "field") == "dry_run");
}

TEST_CASE("every route answers with its status and every refusal with its code", "[router]") {
    struct row {
        const char* method;
        const char* target;
        const char* body;
        unsigned status;
        const char* code;   // of a problem; empty: none
        const char* allow;  // of a 405
    };
    const row rows[] = {
        {"GET", "/healthz", "", 200, "", ""},
        {"HEAD", "/healthz", "", 200, "", ""},
        {"GET", "/healthz?probe=1", "", 200, "", ""},
        {"POST", "/healthz", "", 405, "method_not_allowed", "GET, HEAD"},
        {"GET", "/readyz", "", 200, "", ""},
        {"DELETE", "/readyz", "", 405, "method_not_allowed", "GET, HEAD"},
        {"GET", "/metrics", "", 200, "", ""},
        {"POST", "/metrics", "", 405, "method_not_allowed", "GET, HEAD"},
        {"GET", "/", "", 404, "no_such_path", ""},
        {"GET", "/v1", "", 404, "no_such_path", ""},
        {"GET", "/v1/migrationsx", "", 404, "no_such_path", ""},
        {"GET", "/v1/migrations", "", 200, "", ""},
        {"GET", "/v1/migrations?state=ready", "", 400, "unknown_parameter", ""},
        {"PUT", "/v1/migrations", "", 405, "method_not_allowed", "GET, HEAD, POST"},
        {"GET", "/v1/migrations/", "", 404, "no_such_path", ""},
        {"GET", "/v1/migrations/0123456789abcdef", "", 200, "", ""},
        {"GET", "/v1/migrations/ffff", "", 404, "no_such_migration", ""},
        {"DELETE", "/v1/migrations/0123456789abcdef", "", 405, "method_not_allowed", "GET, HEAD"},
        {"POST", "/v1/migrations/0123456789abcdef/pause", "", 200, "", ""},
        {"POST", "/v1/migrations/0123456789abcdef/pause", "{}", 200, "", ""},
        {"POST", "/v1/migrations/0123456789abcdef/pause", R"({"why":1})", 400, "unknown_field", ""},
        {"GET", "/v1/migrations/0123456789abcdef/pause", "", 405, "method_not_allowed", "POST"},
        {"POST", "/v1/migrations/0123456789abcdef/explode", "", 404, "no_such_path", ""},
        {"POST", "/v1/migrations/0123456789abcdef/pause/now", "", 404, "no_such_path", ""},
        {"POST", "/v1/migrations/ffff/abort", "", 404, "no_such_migration", ""},
        {"POST", "/v1/migrations", "[1]", 400, "invalid_json", ""},
        {"POST", "/v1/migrations", "{", 400, "invalid_json", ""},
        {"POST", "/v1/tls/reload", "", 200, "", ""},
        {"POST", "/v1/tls/reload", "{}", 200, "", ""},
        {"POST", "/v1/tls/reload", R"({"file":"x"})", 400, "unknown_field", ""},
        {"GET", "/v1/tls/reload", "", 405, "method_not_allowed", "POST"},
        {"POST", "/v1/tls", "", 404, "no_such_path", ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.method, r.target, r.body);
        bench b;
        b.directory.add(test::sample_snapshot());
        const http_response response = b.answer(r.method, r.target, r.body);
        CHECK(response.status == r.status);
        CHECK(header(response, "Allow") == (*r.allow == '\0' ? "(none)" : r.allow));
        if (*r.code == '\0') continue;
        CHECK(response.content_type == "application/problem+json");
        const auto body = object_of(response);
        CHECK(text(body, "code") == r.code);
        CHECK(text(body, "type") == "about:blank");
        CHECK(body.at("status").as_int64() == r.status);
        CHECK(text(body, "title") == admin::status_title(r.status));
        CHECK_FALSE(text(body, "detail").empty());
    }
}

TEST_CASE("creating a migration gives 201, its place, and what was asked for", "[router]") {
    bench b;
    const http_response response =
        b.answer("POST", "/v1/migrations",
                 R"({"schema":"shop","table":"orders","alter":"ADD COLUMN x INT","options":{"hold_budget_ms":250}})");
    REQUIRE(response.status == 201);
    CHECK(header(response, "Location") == "/v1/migrations/0123456789abcdef");
    REQUIRE(b.directory.created);
    CHECK(b.directory.created->table.schema == "shop");
    CHECK(b.directory.created->table.table == "orders");
    CHECK(b.directory.created->alter == "ADD COLUMN x INT");
    CHECK(b.directory.created->options.hold_budget == std::chrono::milliseconds(250));
    CHECK(text(object_of(response), "id") == "0123456789abcdef");
}

TEST_CASE("a body is read only when it says that it is JSON", "[router]") {
    struct row {
        const char* type;
        unsigned status;
    };
    for (const row& r : {row{"application/json", 201}, row{"Application/JSON; charset=utf-8", 201}, row{"", 415},
                         row{"text/plain", 415}, row{"application/x-www-form-urlencoded", 415}}) {
        CAPTURE(r.type);
        bench b;
        http_request request = bench::request("POST", "/v1/migrations", good_body);
        request.content_type = r.type;
        const http_response response = b.router.answer(request);
        CHECK(response.status == r.status);
        CHECK(b.directory.created.has_value() == (r.status == 201));
    }
}

TEST_CASE("the engine's refusals become the statuses of HTTP", "[router]") {
    struct row {
        const char* code;
        unsigned status;
    };
    for (const row& r : {row{"already_running", 409}, row{"invalid_request", 400}, row{"wrong_state", 409},
                         row{"no_such_migration", 404}, row{"unavailable", 503}, row{"connection_lost", 500}}) {
        CAPTURE(r.code);
        bench b;
        b.directory.refusal = migration::refuse(r.code, "because of `options.copy_workers`");
        for (const http_response& response :
             {b.answer("POST", "/v1/migrations", good_body), b.answer("POST", "/v1/migrations/0123456789abcdef/abort"),
              b.answer("GET", "/v1/migrations"), b.answer("GET", "/v1/migrations/0123456789abcdef")}) {
            CHECK(response.status == r.status);
            CHECK(text(object_of(response), "code") == r.code);
            CHECK(text(object_of(response), "detail") == "because of `options.copy_workers`");
        }
    }
}

TEST_CASE("each command reaches the engine as itself", "[router]") {
    using migration::operator_command;
    const std::pair<const char*, operator_command> all[] = {
        {"cut-over", operator_command::cut_over}, {"postpone", operator_command::postpone},
        {"pause", operator_command::pause},       {"resume", operator_command::resume},
        {"abort", operator_command::abort},       {"revert", operator_command::revert},
        {"finish", operator_command::finish}};
    for (const auto& [name, command] : all) {
        CAPTURE(name);
        bench b;
        b.directory.add(test::sample_snapshot());
        CHECK(b.answer("POST", std::string("/v1/migrations/0123456789abcdef/") + name).status == 200);
        REQUIRE(b.directory.commands.size() == 1);
        CHECK(b.directory.commands[0].first == "0123456789abcdef");
        CHECK(b.directory.commands[0].second == command);
    }
}

TEST_CASE("settings reach the engine with their values, or are refused with the field's name", "[router]") {
    const std::string target = "/v1/migrations/0123456789abcdef/settings";
    bench b;
    b.directory.add(test::sample_snapshot());
    CHECK(b.answer("POST", target, R"({"hold_budget_ms": 250, "cutover_window": "Mon 02:00-03:00"})").status == 200);
    REQUIRE(b.directory.changes.size() == 1);
    const migration::option_changes& changes = b.directory.changes[0].second;
    REQUIRE(changes.fields.size() == 2);
    migration::migration_options options;
    changes.apply_to(options);
    CHECK(options.hold_budget == std::chrono::milliseconds(250));
    CHECK(options.cutover_window == "Mon 02:00-03:00");

    struct row {
        const char* body;
        const char* field;
        const char* detail;
    };
    for (const row& r : {row{R"({"hold_budget_ms": 5})", "hold_budget_ms", "from 10 to 10000"},
                         row{R"({"hold_budget": 50})", "hold_budget", "hold_budget_ms"},
                         row{R"({"cutover_window": "Mun 01:00-02:00"})", "cutover_window", "\"Mun\" are no days"},
                         row{R"({"postpone_flag_file": "wait"})", "postpone_flag_file", "absolute path"}}) {
        CAPTURE(r.body);
        const http_response response = b.answer("POST", target, r.body);
        CHECK(response.status == 400);
        CHECK(text(object_of(response), "field") == r.field);
        CHECK(text(object_of(response), "detail").find(r.detail) != std::string::npos);
    }
    CHECK(b.answer("POST", target, "{}").status == 400);
    CHECK(b.answer("GET", target).status == 405);
    CHECK(b.directory.changes.size() == 1);
    b.directory.refusal = migration::refuse("fixed_option", "copy_workers cannot be changed");
    CHECK(b.answer("POST", target, R"({"copy_workers": 5})").status == 409);
}

TEST_CASE("all but the health checks needs the token", "[router]") {
    for (const char* target : {"/metrics", "/v1/migrations", "/v1/migrations/0123456789abcdef"}) {
        for (const char* authorization : {"", "Bearer wrong-token-wrong-token", "Basic Y29ycmVjdA==", "Bearer "}) {
            CAPTURE(target, authorization);
            bench b;
            http_request request = bench::request("GET", target);
            request.authorization = authorization;
            const http_response response = b.router.answer(request);
            CHECK(response.status == 401);
            CHECK(header(response, "WWW-Authenticate").starts_with("Bearer"));
            CHECK(text(object_of(response), "code") == (*authorization == '\0' ? "token_missing" : "token_refused"));
        }
    }
    bench b;
    http_request request = bench::request("POST", "/v1/migrations/0123456789abcdef/abort");
    request.authorization.clear();
    CHECK(b.router.answer(request).status == 401);
    CHECK(b.directory.commands.empty());
    request = bench::request("GET", "/healthz");
    request.authorization.clear();
    CHECK(b.router.answer(request).status == 200);
    request.target = "/readyz";
    CHECK(b.router.answer(request).status == 200);
}

TEST_CASE("without a token no web page can act for its visitor", "[router]") {
    struct row {
        const char* host;
        const char* origin;
        unsigned status;
    };
    const row rows[] = {
        {"127.0.0.1:6034", "", 200},
        {"localhost:6034", "", 200},
        {"[::1]:6034", "", 200},
        {"localhost", "http://localhost:6034", 200},
        {"127.0.0.1:6034", "http://evil.example", 403},  // a cross-site request
        {"127.0.0.1:6034", "null", 403},
        {"evil.example:6034", "", 403},  // a name that was pointed at this machine
        {"", "", 403},
    };
    for (const row& r : rows) {
        CAPTURE(r.host, r.origin);
        bench b;
        b.directory.add(test::sample_snapshot());
        b.router.replace_settings({.token = std::nullopt, .defaults = {}, .version = "1"});
        http_request request = bench::request("POST", "/v1/migrations/0123456789abcdef/abort");
        request.host = r.host;
        request.origin = r.origin;
        CHECK(b.router.answer(request).status == r.status);
        CHECK(b.directory.commands.size() == (r.status == 200 ? 1 : 0));
    }
}

TEST_CASE("readiness follows the proxy", "[router]") {
    bench b;
    b.proxy.now.accepting = false;
    CHECK(b.answer("GET", "/readyz").status == 503);
    CHECK(b.answer("GET", "/healthz").status == 200);
}

TEST_CASE("settings can be replaced: another token, other defaults", "[router]") {
    bench b;
    migration::migration_options defaults;
    defaults.copy_workers = 9;
    b.router.replace_settings(
        {.token = admin::bearer_token("another-token-altogether"), .defaults = defaults, .version = "1"});
    http_request request = bench::request("POST", "/v1/migrations", good_body);
    CHECK(b.router.answer(request).status == 401);
    request.authorization = "Bearer another-token-altogether";
    CHECK(b.router.answer(request).status == 201);
    REQUIRE(b.directory.created);
    CHECK(b.directory.created->options.copy_workers == 9);
}

TEST_CASE("metrics of the proxy are there while the engine is not", "[router][metrics]") {
    bench b;
    b.directory.refusal = migration::refuse("unavailable", "starting");
    const http_response response = b.answer("GET", "/metrics");
    CHECK(response.status == 200);
    CHECK(response.body.find("sluice_sessions 3\n") != std::string::npos);
}

TEST_CASE("metrics count migrations by state and name only the running ones", "[router][metrics]") {
    bench b;
    auto throttled = test::sample_snapshot();
    throttled.throttled_by = "flag-file";
    b.directory.add(throttled);
    auto done = test::sample_snapshot();
    done.id = "fedcba9876543210";
    done.state = migration::migration_state::completed;
    b.directory.add(done);
    const http_response response = b.answer("GET", "/metrics");
    CHECK(response.content_type.starts_with("text/plain; version=0.0.4"));
    const auto has = [&](const std::string& line) { return response.body.find(line + "\n") != std::string::npos; };
    CHECK(has("sluice_migrations{state=\"copying\"} 1"));
    CHECK(has("sluice_migrations{state=\"completed\"} 1"));
    CHECK(has("sluice_migrations{state=\"failed\"} 0"));
    CHECK(has(R"(sluice_migration_rows_copied{id="0123456789abcdef",schema="shop",table="orders"} 250)"));
    CHECK(has(R"(sluice_migration_backlog_keys{id="0123456789abcdef",schema="shop",table="orders"} 7)"));
    CHECK(has(R"(sluice_migration_throttled{id="0123456789abcdef",schema="shop",table="orders"} 1)"));
    CHECK(response.body.find("fedcba9876543210") == std::string::npos);
    CHECK(has("sluice_sessions 3"));
    CHECK(has("# TYPE sluice_sessions_total counter"));
    CHECK(has("sluice_statements_held 1"));
    CHECK(has("sluice_statements_held_total 6"));
    CHECK(has(R"(sluice_build_info{version="1.2.3"} 1)"));
}

TEST_CASE("certificates are read again on request, and what is wrong with one is told", "[router]") {
    bench b;
    const auto done = object_of(b.answer("POST", "/v1/tls/reload"));
    CHECK(b.proxy.tls_reloads == 1);
    const auto& clients = done.at("for_clients").as_object();
    CHECK(text(clients, "subject") == "CN=sluice");
    CHECK(text(clients, "issuer") == "CN=ca");
    CHECK(text(clients, "not_after") == "2030-01-01T00:00:00Z");
    CHECK_FALSE(clients.at("self_made").as_bool());
    CHECK(done.at("for_server").is_null());

    b.proxy.tls_problem = "/etc/key.pem: is not the private key of /etc/cert.pem";
    const auto refused = b.answer("POST", "/v1/tls/reload");
    CHECK(refused.status == 422);
    CHECK(text(object_of(refused), "code") == "tls_files_unusable");
    CHECK(text(object_of(refused), "detail") == b.proxy.tls_problem);

    auto stranger = bench::request("POST", "/v1/tls/reload");
    stranger.authorization = "Bearer wrong";
    CHECK(b.router.answer(stranger).status == 401);
    CHECK(b.proxy.tls_reloads == 2);
}
