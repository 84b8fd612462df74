// The lexer: always onward, tokens in the order of the text and inside it, the same for the same text.

#include "protocol/sql/lexer.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/sql_options.hpp"

namespace sluice::fuzz {
namespace {

using sql::token_kind;

void run(fuzz_input in) {
    auto options = lexer_options(in);
    const auto bytes = in.rest();
    const auto text = protocol::as_text(bytes);
    sql::lexer lexer(text, options);
    std::size_t behind = 0;  // of the last token, in the text
    for (;;) {
        auto copy = lexer;
        const auto position = lexer.position();
        const auto token = lexer.next();
        const auto same = copy.next();
        FUZZ_CHECK(same.kind == token.kind && same.text.data() == token.text.data());
        FUZZ_CHECK(same.text.size() == token.text.size());
        FUZZ_CHECK(lexer.position() <= text.size());
        if (token.kind == token_kind::end) {
            FUZZ_CHECK(token.text.empty() && lexer.position() == text.size());
            break;
        }
        const auto at = static_cast<std::size_t>(token.text.data() - text.data());
        FUZZ_CHECK(!token.text.empty() && lexer.position() > position);
        FUZZ_CHECK(at >= behind && at + token.text.size() <= lexer.position());
        behind = at + token.text.size();
        if (token.is_identifier()) FUZZ_CHECK(sql::identifier_text(token, options).size() <= token.text.size());
        if (token.kind == token_kind::string) FUZZ_CHECK(sql::string_text(token, options).size() <= token.text.size());
    }
    const auto trouble = lexer.trouble();
    FUZZ_CHECK(lexer.next().kind == token_kind::end && lexer.trouble() == trouble);
    FUZZ_CHECK(!sql::to_string(trouble).empty());
    sql::adopt_sql_mode(options, text);
    static_cast<void>(sql::multibyte_charset_of_name(text));
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
