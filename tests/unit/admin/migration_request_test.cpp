#include "admin/migration_request.hpp"
#include "migration/model/option_fields.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace {

using namespace sluice;

std::string with_options(const std::string& options) {
    return R"({"schema":"s","table":"t","alter":"ADD x INT","options":)" + options + "}";
}

}  // namespace

TEST_CASE("a wrong body is refused with the field and what would be right", "[migration_request]") {
    struct row {
        std::string body;
        const char* code;
        const char* field;
        const char* detail;  // must be part of it
    };
    const std::string deep = [] {
        std::string nested;
        for (int i = 0; i < 100; ++i) nested += "[";
        return with_options(nested);
    }();
    const row rows[] = {
        {"", "invalid_json", "", "not JSON"},
        {"nonsense", "invalid_json", "", "not JSON"},
        {"{} {}", "invalid_json", "", "not JSON"},
        {"\"text\"", "invalid_json", "", "must be a JSON object, not a string"},
        {deep, "invalid_json", "", "not JSON"},
        {"{\"schema\":\"\xff\",\"table\":\"t\",\"alter\":\"x\"}", "invalid_json", "", "not JSON"},
        {"{}", "missing_field", "schema", "must be a string"},
        {R"({"schema":"s"})", "missing_field", "table", "`table` is missing"},
        {R"({"schema":"s","table":"t"})", "missing_field", "alter", "`alter` is missing"},
        {R"({"schema":"","table":"t","alter":"x"})", "invalid_field", "schema", "must not be empty"},
        {R"({"schema":5,"table":"t","alter":"x"})", "mistyped_field", "schema", "must be a string, not a number"},
        {R"({"schema":"s","table":null,"alter":"x"})", "mistyped_field", "table", "must be a string, not null"},
        {R"({"schema":"s","table":"a\u0000b","alter":"x"})", "invalid_field", "table", "U+0000"},
        {R"({"schema":"s","table":"t","alter":")" + std::string(admin::alter_bytes_max + 1, 'x') + "\"}",
         "invalid_field", "alter", "65536 bytes"},
        {R"({"schema":")" + std::string(257, 's') + R"(","table":"t","alter":"x"})", "invalid_field", "schema",
         "256 bytes"},
        {R"({"shema":"s","table":"t","alter":"x"})", "unknown_field", "shema", "did you mean `schema`?"},
        {R"({"schema":"s","table":"t","alter":"x","zzzzzz":1})", "unknown_field", "zzzzzz", "known: `schema`, `table`"},
        {with_options("[]"), "mistyped_field", "options", "must be an object, not an array"},
        {with_options(R"({"copy_workers":0})"), "out_of_range", "options.copy_workers", "from 1 to 32"},
        {with_options(R"({"copy_workers":33})"), "out_of_range", "options.copy_workers", "from 1 to 32"},
        {with_options(R"({"copy_workers":18446744073709551615})"), "out_of_range", "options.copy_workers",
         "from 1 to 32"},
        {with_options(R"({"copy_workers":2.5})"), "mistyped_field", "options.copy_workers",
         "not a number with a fraction"},
        {with_options(R"({"copy_workers":"2"})"), "mistyped_field", "options.copy_workers", "not a string"},
        {with_options(R"({"postpone_cutover":1})"), "mistyped_field", "options.postpone_cutover", "true or false"},
        {with_options(R"({"hold_budget":500})"), "unknown_field", "options.hold_budget",
         "did you mean `hold_budget_ms`?"},
    };
    for (const row& r : rows) {
        CAPTURE(r.body.substr(0, 120));
        const auto spec = admin::parse_migration_request(r.body, {});
        REQUIRE(spec.has_error());
        CHECK(spec.error().status == 400);
        CHECK(spec.error().code == r.code);
        CHECK(spec.error().field == r.field);
        CHECK(spec.error().detail.find(r.detail) != std::string::npos);
        CAPTURE(spec.error().detail);
    }
}

TEST_CASE("every option travels under its name, and what is left out comes from the defaults", "[migration_request]") {
    migration::migration_options defaults;
    defaults.copy_workers = 7;
    defaults.drop_old_table = true;
    const auto plain = admin::parse_migration_request(R"({"schema":"s","table":"t","alter":"x"})", defaults);
    REQUIRE(plain);
    for (const auto& field : migration::option_fields()) CHECK(same_value(field, plain->spec.options, defaults));

    for (const migration::option_field& field : migration::option_fields()) {
        if (field.kind == migration::option_kind::text) continue;
        const bool is_flag = field.kind == migration::option_kind::flag;
        for (const std::int64_t value : {field.min, field.max}) {
            CAPTURE(field.name, value);
            const std::string text = is_flag ? (value != 0 ? "true" : "false") : std::to_string(value);
            const auto spec = admin::parse_migration_request(
                with_options("{\"" + std::string(field.name) + "\":" + text + "}"), defaults);
            REQUIRE(spec);
            CHECK(field.get(spec->spec.options) == value);
            for (const auto& other : migration::option_fields()) {
                if (other.name != field.name) CHECK(same_value(other, spec->spec.options, defaults));
            }
        }
    }
}

TEST_CASE("options of kind text travel too, and are held to their rule", "[migration_request]") {
    const auto spec = admin::parse_migration_request(
        with_options(R"({"trigger_suffix":"_\u00fc`2","time_zone":"America/Argentina/Buenos_Aires"})"), {});
    REQUIRE(spec);
    CHECK(spec->spec.options.trigger_suffix == "_\xC3\xBC`2");
    CHECK(spec->spec.options.time_zone == "America/Argentina/Buenos_Aires");
    const struct {
        std::string options;
        std::string code;
        std::string field;
    } rows[] = {
        {R"({"time_zone":1})", "mistyped_field", "options.time_zone"},
        {R"({"time_zone":"+1:00"})", "invalid_field", "options.time_zone"},
        {R"({"trigger_suffix":true})", "mistyped_field", "options.trigger_suffix"},
        {R"({"trigger_suffix":"a\u0000b"})", "invalid_field", "options.trigger_suffix"},
        {"{\"trigger_suffix\":\"" + std::string(65, 'x') + "\"}", "invalid_field", "options.trigger_suffix"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.options);
        const auto refused = admin::parse_migration_request(with_options(r.options), {});
        REQUIRE(refused.has_error());
        CHECK(refused.error().status == 400);
        CHECK(refused.error().code == r.code);
        CHECK(refused.error().field == r.field);
    }
}

TEST_CASE("the longest texts are taken", "[migration_request]") {
    const std::string alter(admin::alter_bytes_max, 'x');
    const auto spec = admin::parse_migration_request(R"({"schema":"s","table":"t","alter":")" + alter + "\"}", {});
    REQUIRE(spec);
    CHECK(spec->spec.alter == alter);
}

TEST_CASE("the body of a command is nothing, or an empty object", "[migration_request]") {
    CHECK(admin::check_command_body("").has_value());
    CHECK(admin::check_command_body(" { } ").has_value());
    const auto field = admin::check_command_body(R"({"force":true})");
    REQUIRE(field.has_error());
    CHECK(field.error().field == "force");
    const auto nonsense = admin::check_command_body("force");
    REQUIRE(nonsense.has_error());
    CHECK(nonsense.error().code == "invalid_json");
}
