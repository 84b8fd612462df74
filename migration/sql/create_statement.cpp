#include "migration/sql/create_statement.hpp"

namespace sluice::migration {

// The table options stand on the last line that begins with ")", behind every quoted name and comment of a column.
std::string without_counter(std::string create_statement) {
    const auto options = create_statement.rfind("\n)");
    constexpr std::string_view word = " AUTO_INCREMENT=";
    const auto place = options == std::string::npos ? std::string::npos : create_statement.find(word, options);
    if (place == std::string::npos) return create_statement;
    const auto end = create_statement.find_first_not_of("0123456789", place + word.size());
    create_statement.erase(place, end == std::string::npos ? end : end - place);
    return create_statement;
}

std::string shape_of(const std::string& create_statement) {
    const std::string text = without_counter(create_statement);
    std::string shape;
    std::size_t begin = text.find('\n');  // the first line has the name
    while (begin != std::string::npos) {
        const std::size_t next = text.find('\n', ++begin);
        std::string_view line = std::string_view(text).substr(begin, next == std::string::npos ? next : next - begin);
        // Whether a line has a comma behind it depends on whether a constraint follows.
        if (line.ends_with(',')) line.remove_suffix(1);
        if (!line.starts_with("  CONSTRAINT ")) shape.append(line).append("\n");
        begin = next;
    }
    return shape;
}

}  // namespace sluice::migration
