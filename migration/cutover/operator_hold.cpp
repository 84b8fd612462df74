#include "migration/cutover/operator_hold.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>

namespace sluice::migration {
namespace {

flag_file_state state_of(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) return flag_file_state::none;
    return status.type() == std::filesystem::file_type::none ? flag_file_state::unreadable : flag_file_state::exists;
}

}  // namespace

operator_facts operator_hold::facts(const migration_options& options, const operator_words& words) {
    operator_facts facts{.postponed = words.postponed,
                         .flag_file = flag_file_state::none,
                         .flag_file_path = options.postpone_flag_file,
                         .window = options.cutover_window,
                         .window_opens_again = std::nullopt};
    if (!options.postpone_flag_file.empty() && !words.flag_file_overruled) {
        facts.flag_file = state_of(options.postpone_flag_file);
    }
    if (window_text_ != options.cutover_window) {
        window_text_ = options.cutover_window;
        window_.reset();
        if (auto window = cutover_window::parse(window_text_)) window_ = *window;
    }
    const auto now = std::chrono::system_clock::now();
    if (window_ && !window_->open_at(now)) facts.window_opens_again = window_->next_opening(now);
    return facts;
}

}  // namespace sluice::migration
