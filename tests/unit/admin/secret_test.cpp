#include "admin/secret.hpp"
#include "tests/support/catch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace {

using namespace sluice;

struct folder {
    folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sluice-secret-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~folder() { std::filesystem::remove_all(path); }
    std::filesystem::path write(const std::string& text, ::mode_t mode) const {
        const auto file = path / "secret";
        std::filesystem::remove(file);
        std::ofstream(file, std::ios::binary) << text;
        REQUIRE(::chmod(file.c_str(), mode) == 0);
        return file;
    }
    std::filesystem::path path;
};

}  // namespace

TEST_CASE("a secret file is taken only if it is the secret alone and not everybody's", "[secret]") {
    struct row {
        std::string text;
        ::mode_t mode;
        const char* secret;  // nullptr: refused
        const char* why;     // must be part of the refusal
    };
    const row rows[] = {
        {"hunter2\n", 0600, "hunter2", ""},
        {"hunter2", 0400, "hunter2", ""},
        {"hunter2\r\n", 0640, "hunter2", ""},
        {" spaces stay \n", 0600, " spaces stay ", ""},
        {"hunter2\n", 0644, nullptr, "chmod 600"},
        {"hunter2\n", 0602, nullptr, "chmod 600"},
        {"hunter2\n", 0660, nullptr, "chmod 600"},
        {"", 0600, nullptr, "empty"},
        {"\n", 0600, nullptr, "empty"},
        {"one\ntwo\n", 0600, nullptr, "on one line"},
        {std::string("a\0b", 3), 0600, nullptr, "on one line"},
        {std::string(5000, 'x'), 0600, nullptr, "longer than 4096"},
    };
    const folder f;
    for (const row& r : rows) {
        CAPTURE(r.text.substr(0, 20), r.mode);
        const auto file = f.write(r.text, r.mode);
        const auto secret = admin::read_secret_file(file);
        REQUIRE(secret.has_value() == (r.secret != nullptr));
        if (r.secret != nullptr) {
            CHECK(*secret == r.secret);
        } else {
            CHECK(secret.error().message.find(r.why) != std::string::npos);
            CHECK(secret.error().message.find(file.string()) != std::string::npos);
        }
    }
}

TEST_CASE("a missing file and a folder are named", "[secret]") {
    const folder f;
    const auto missing = admin::read_secret_file(f.path / "nowhere");
    REQUIRE(missing.has_error());
    CHECK(missing.error().message.find("No such file") != std::string::npos);
    const auto not_a_file = admin::read_secret_file(f.path);
    REQUIRE(not_a_file.has_error());
    CHECK(not_a_file.error().message.find("not a regular file") != std::string::npos);
}

TEST_CASE("a token must be long enough and visible", "[secret]") {
    const folder f;
    CHECK(admin::bearer_token::from_file(f.write("0123456789abcdef\n", 0600)).has_value());
    CHECK(admin::bearer_token::from_file(f.write("0123456789abcde\n", 0600)).has_error());
    CHECK(admin::bearer_token::from_file(f.write("01234567 9abcdef0\n", 0600)).has_error());
    CHECK(admin::bearer_token::from_file(f.write("01234567\xC3\xA9"
                                                 "9abcdef0\n",
                                                 0600))
              .has_error());
}

TEST_CASE("only the token opens", "[secret]") {
    const admin::bearer_token token("0123456789abcdef");
    CHECK(token.accepts("Bearer 0123456789abcdef"));
    CHECK(token.accepts("bearer   0123456789abcdef "));
    for (const char* wrong : {"", "Bearer", "Bearer ", "0123456789abcdef", "Bearer 0123456789abcde",
                              "Basic 0123456789abcdef", "Bearer 0123456789abcdef0", "Bearer 0123456789ABCDEF"}) {
        CAPTURE(wrong);
        CHECK_FALSE(token.accepts(wrong));
    }
}
