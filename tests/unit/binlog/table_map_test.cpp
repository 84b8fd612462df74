#include "tests/unit/binlog/fixture.hpp"

#include "tests/support/catch.hpp"

namespace sluice::binlog::test {

namespace {

using numbers = std::vector<std::optional<std::uint32_t>>;
constexpr auto none = std::nullopt;

std::vector<std::shared_ptr<const table_map>> maps_of(const char* name) {
    const auto log = load_recorded_log(name);
    event_decoder decoder;
    std::vector<std::shared_ptr<const table_map>> maps;
    for (const auto& event : decode_all(log, decoder)) {
        if (const auto* map = std::get_if<table_map_event>(&event.body)) maps.push_back(map->table);
    }
    return maps;
}

}  // namespace

TEST_CASE("optional metadata of MySQL", "[binlog]") {
    const auto maps = maps_of("mysql97/metadata");
    REQUIRE(maps.size() == 2);
    const auto& map = *maps[0];
    const auto& metadata = map.metadata;
    CHECK(metadata.column_names == std::vector<std::string>{"id", "näme", "y", "l", "e", "s", "b", "u", "bl", "t", "g",
                                                            "ls", "v", "secret", "f"});
    REQUIRE(metadata.has_signedness);
    REQUIRE(metadata.has_visibility);
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
        const auto& name = metadata.column_names[i];
        INFO(name);
        CHECK(map.columns[i].type.is_unsigned == (name == "id" || name == "y" || name == "u"));
        CHECK(map.columns[i].is_visible == (name != "secret"));
        CHECK(map.columns[i].is_nullable == (name != "id" && name != "näme"));
    }
    // utf8mb4_bin 46, latin1_swedish_ci 8, binary 63, utf8mb4_0900_ai_ci 255
    CHECK(metadata.collation_ids ==
          numbers{none, 46, none, 8, none, none, none, none, 63, 255, none, none, 63, none, none});
    CHECK(metadata.member_collation_ids ==
          numbers{none, none, none, none, 46, 8, none, none, none, none, none, none, none, none, none});
    CHECK(metadata.geometry_types ==
          numbers{none, none, none, none, none, none, none, none, none, none, 1, 2, none, none, none});
    CHECK(metadata.vector_dimensions ==
          numbers{none, none, none, none, none, none, none, none, none, none, none, none, 7, none, none});
    REQUIRE(metadata.members.size() == map.columns.size());
    CHECK(metadata.members[4] == std::vector<std::string>{"ä", "b"});
    CHECK(metadata.members[5] == std::vector<std::string>{"x", "y"});
    CHECK(metadata.members[0].empty());
    CHECK(metadata.primary_key == std::vector<primary_key_part>{{1, 5}, {0, 0}});
    CHECK(maps[1]->metadata.primary_key == std::vector<primary_key_part>{{1, 0}, {0, 0}});
}

TEST_CASE("optional metadata of MariaDB", "[binlog]") {
    const auto maps = maps_of("mariadb1011/metadata");
    REQUIRE(maps.size() == 1);
    const auto& map = *maps[0];
    const auto& metadata = map.metadata;
    CHECK(metadata.column_names ==
          std::vector<std::string>{"id", "näme", "y", "l", "e", "s", "b", "u", "bl", "t", "g", "ls", "f"});
    REQUIRE(metadata.has_signedness);
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
        const auto& name = metadata.column_names[i];
        INFO(name);
        CHECK(map.columns[i].type.is_unsigned == (name == "id" || name == "y" || name == "u"));
    }
    // utf8mb4_general_ci 45, latin1_swedish_ci 8, binary 63
    CHECK(metadata.collation_ids == numbers{none, 45, none, 8, none, none, none, none, 63, 8, 63, 63, none});
    CHECK(metadata.member_collation_ids ==
          numbers{none, none, none, none, 8, 8, none, none, none, none, none, none, none});
    CHECK(metadata.geometry_types == numbers{none, none, none, none, none, none, none, none, none, none, 1, 2, none});
    CHECK(metadata.members[5] == std::vector<std::string>{"x", "y"});
    CHECK(metadata.primary_key == std::vector<primary_key_part>{{1, 5}, {0, 0}});
}

TEST_CASE("the multi-valued index's hidden column is not in the binary log", "[binlog]") {
    const auto maps = maps_of("mysql97/other_types");
    REQUIRE_FALSE(maps.empty());
    for (const auto& column : maps[0]->columns) CHECK(column.type.type != field_type::typed_array);
    CHECK(maps[0]->columns.size() == 15);
}

namespace {

/// table id 5, "s"."t", then what is given.
byte_buffer map_body(std::initializer_list<int> rest) {
    auto body = bytes_of({5, 0, 0, 0, 0, 0, 1, 0, 1, 's', 0, 1, 't', 0});
    const auto more = bytes_of(rest);
    body.insert(body.end(), more.begin(), more.end());
    return body;
}

}  // namespace

TEST_CASE("table maps by hand", "[binlog]") {
    struct {
        const char* what;
        byte_buffer body;
        std::optional<decode_errc> error;
    } const table[] = {
        {"one INT", map_body({1, 3, 0, 1}), none},
        {"a column of every size of CHAR", map_body({2, 254, 254, 4, 254, 20, 0xCE, 0xFC, 3}), none},
        {"a typed array of VARCHAR", map_body({2, 20, 3, 4, 15, 1, 2, 3, 0}), none},
        {"a typed array of BIGINT", map_body({2, 20, 3, 1, 8, 0}), none},
        {"metadata left over", map_body({1, 3, 1, 9, 1}), decode_errc::malformed},
        {"metadata missing", map_body({1, 15, 1, 9, 1}), decode_errc::truncated},
        {"a type that nobody knows", map_body({1, 99, 0, 1}), decode_errc::unsupported},
        {"columns without end", map_body({0xFD, 0xFF, 0xFF, 0xFF, 3, 0, 1}), decode_errc::too_large},
        {"more columns than bytes", map_body({200, 3, 0, 1}), decode_errc::truncated},
        {"an unknown metadata field", map_body({1, 3, 0, 1, 99, 2, 7, 7}), none},
        {"a metadata field past the end", map_body({1, 3, 0, 1, 1, 2, 7}), decode_errc::truncated},
        {"a name too few", map_body({2, 3, 3, 0, 1, 4, 2, 1, 'a'}), decode_errc::malformed},
        {"a collation list that does not fit", map_body({1, 3, 0, 1, 3, 2, 8, 8}), none},
        {"a collation index beyond the columns", map_body({1, 3, 0, 1, 2, 3, 8, 7, 9}), none},
        {"a key column beyond the columns", map_body({1, 3, 0, 1, 8, 1, 1}), decode_errc::malformed},
        {"members without end", map_body({1, 254, 2, 247, 1, 1, 6, 4, 0xFD, 0xFF, 0xFF, 0xFF}), decode_errc::truncated},
        {"a NULL where a number should be", map_body({1, 3, 0, 1, 8, 1, 0xFB}), decode_errc::malformed},
    };
    for (const auto& row : table) {
        INFO(row.what);
        const auto map = table_map::decode(row.body);
        REQUIRE(map.has_error() == row.error.has_value());
        if (row.error) CHECK(map.error().code == *row.error);
    }
    const auto strings = table_map::decode(map_body({3, 254, 254, 254, 6, 254, 20, 0xCE, 0xFC, 247, 2, 0}));
    REQUIRE(strings);
    CHECK(strings->columns[0].type == column_type{field_type::string, 20});
    CHECK(strings->columns[1].type == column_type{field_type::string, 1020});
    CHECK(strings->columns[2].type == column_type{field_type::enumeration, 2});
    const auto list = table_map::decode(map_body({1, 3, 0, 1, 3, 2, 8, 8}));
    REQUIRE(list);
    CHECK(list->metadata.collation_ids.empty());
}

TEST_CASE("a repeated table map is the same object", "[binlog]") {
    table_map_cache cache(2);
    const auto body = map_body({1, 3, 0, 1});
    const auto changed = map_body({1, 3, 0, 0});
    const auto first = cache.announce(body, {});
    const auto second = cache.announce(body, {});
    const auto third = cache.announce(changed, {});
    REQUIRE((first && second && third));
    CHECK(first->get() == second->get());
    CHECK(first->get() != third->get());
    CHECK_FALSE((**first).same_shape(**third));

    auto other_id = body;
    other_id[0] = std::byte{6};
    const auto fourth = cache.announce(other_id, {});
    REQUIRE(fourth);
    CHECK((**fourth).same_shape(**first));
    CHECK(cache.size() == 2);
    CHECK(cache.find(5)->table.get() == third->get());

    // Full: the one that was announced longest ago goes.
    REQUIRE(cache.announce(changed, {}));
    other_id[0] = std::byte{7};
    REQUIRE(cache.announce(other_id, {}));
    CHECK(cache.size() == 2);
    CHECK(cache.find(6) == nullptr);
    CHECK(cache.find(5) != nullptr);

    cache.clear();
    CHECK(cache.find(5) == nullptr);
}

TEST_CASE("a table that is not wanted is not decoded", "[binlog]") {
    table_map_cache cache(10);
    const auto undecodable = map_body({1, 99, 0, 1});
    std::vector<std::string> asked;
    bool is_wanted = false;
    const table_filter filter = [&](std::string_view schema, std::string_view table) {
        asked.push_back(std::string(schema) + "." + std::string(table));
        return is_wanted;
    };
    const auto unwanted = cache.announce(undecodable, filter);
    REQUIRE(unwanted);
    CHECK(*unwanted == nullptr);
    REQUIRE(cache.find(5) != nullptr);
    CHECK(cache.find(5)->table == nullptr);
    is_wanted = true;
    CHECK(cache.announce(undecodable, filter).has_error());
    const auto wanted = cache.announce(map_body({1, 3, 0, 1}), filter);
    REQUIRE(wanted);
    CHECK(*wanted != nullptr);
    CHECK(asked == std::vector<std::string>(3, "s.t"));
}

}  // namespace sluice::binlog::test
