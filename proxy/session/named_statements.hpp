#pragma once

// Which tables the statements that were prepared by SQL may touch: PREPARE s FROM 'text', then EXECUTE s. Like
// prepared_statements, by name: texts are remembered whether or not a table is watched. Bounded: what does not fit
// counts as touching everything. One thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/quote_reading.hpp"

namespace sluice::session {

/// The text of EXECUTE IMMEDIATE 'text' (MariaDB); nothing where it is no literal.
[[nodiscard]] std::optional<std::string> immediate_text(std::string_view text, const sql::lexer_options& options);

class named_statements {
public:
    static constexpr std::size_t count_max = 1024;
    static constexpr std::size_t text_size_max = 16 * 1024;
    static constexpr std::size_t bytes_max = 256 * 1024;  ///< of texts and names together

    /// The name of PREPARE name FROM ..., EXECUTE name ... and DEALLOCATE PREPARE name, in lower case; empty for other
    /// texts, EXECUTE IMMEDIATE among them.
    [[nodiscard]] static std::string name_in(std::string_view text, const sql::lexer_options& options);

    /// A PREPARE has been done. text: of the whole PREPARE, as it was read then. What is prepared from anything but a
    /// literal is not known.
    void add(std::string name, std::string_view text, const text_rules& rules, std::string schema);
    /// A PREPARE that failed, or a DEALLOCATE, has removed it; or it is not known any more what it is.
    void remove(const std::string& name);
    void clear() noexcept;

    struct statement {
        std::string text;  ///< of what EXECUTE runs
        text_rules rules;
        std::string schema;
    };
    /// nullptr: may be anything.
    [[nodiscard]] const statement* find(const std::string& name) const;

private:
    std::unordered_map<std::string, statement> statements_;
    std::size_t bytes_ = 0;
};

}  // namespace sluice::session
