#pragma once

// result<T, E>: an expected failure as a value. Used by every room; see docs/architecture.md, "Errors".
// (boost::system::result was tried first; its value() wants an ADL hook per error type and its constructors cannot be
// inherited, so that [[nodiscard]] on the class is out of reach with it.)

#include <concepts>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace sluice {

/// Thrown by SLUICE_ASSERT; caught at thread roots, where the owner closes the session or parks the migration.
class assertion_failure : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

[[noreturn]] inline void fail_assertion(const char* condition, const char* file, int line) {
    throw assertion_failure(std::string(file) + ":" + std::to_string(line) + ": assertion failed: " + condition);
}

/// An invariant that holds unless Sluice itself is wrong. Kept in release builds.
#define SLUICE_ASSERT(condition) \
    (static_cast<bool>(condition) ? void(0) : ::sluice::fail_assertion(#condition, __FILE__, __LINE__))

/// A value of type T, or a failure of type E. Ignoring one is a compile error. T and E must be different types.
/// Asking for the alternative that is not there trips an assertion.
template <class T, class E>
class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = E;

    template <class U = T>
        requires(std::convertible_to<U, T> && !std::convertible_to<U, E> &&
                 !std::same_as<std::remove_cvref_t<U>, result>)
    result(U&& value) : alternatives_(std::in_place_index<0>, std::forward<U>(value)) {}
    result(const E& error) : alternatives_(std::in_place_index<1>, error) {}
    result(E&& error) : alternatives_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return alternatives_.index() == 0; }
    [[nodiscard]] bool has_error() const noexcept { return alternatives_.index() == 1; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & { return check(), *std::get_if<0>(&alternatives_); }
    [[nodiscard]] const T& value() const& { return check(), *std::get_if<0>(&alternatives_); }
    [[nodiscard]] T&& value() && { return check(), std::move(*std::get_if<0>(&alternatives_)); }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] const T& operator*() const& { return value(); }
    [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] const T* operator->() const { return &value(); }

    [[nodiscard]] const E& error() const& { return check_error(), *std::get_if<1>(&alternatives_); }
    [[nodiscard]] E&& error() && { return check_error(), std::move(*std::get_if<1>(&alternatives_)); }

private:
    void check() const { SLUICE_ASSERT(has_value()); }
    void check_error() const { SLUICE_ASSERT(has_error()); }

    std::variant<T, E> alternatives_;
};

template <class E>
class [[nodiscard]] result<void, E> {
public:
    using value_type = void;
    using error_type = E;

    result() = default;
    result(const E& error) : alternatives_(std::in_place_index<1>, error) {}
    result(E&& error) : alternatives_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool has_value() const noexcept { return alternatives_.index() == 0; }
    [[nodiscard]] bool has_error() const noexcept { return alternatives_.index() == 1; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] const E& error() const& { return check_error(), *std::get_if<1>(&alternatives_); }
    [[nodiscard]] E&& error() && { return check_error(), std::move(*std::get_if<1>(&alternatives_)); }

private:
    void check_error() const { SLUICE_ASSERT(has_error()); }

    std::variant<std::monostate, E> alternatives_;
};

}  // namespace sluice

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)
#define SLUICE_TRY_INNER(outcome, declaration, expression)      \
    auto outcome = (expression);                                \
    if (outcome.has_error()) return std::move(outcome).error(); \
    declaration = std::move(outcome).value()

/// SLUICE_TRY(auto x, f()): declares x from f()'s value, or returns f()'s error from the enclosing function.
/// Two statements: never the sole body of an `if`.
#define SLUICE_TRY(declaration, expression) \
    SLUICE_TRY_INNER(SLUICE_CONCAT(sluice_try_, __LINE__), declaration, expression)

/// SLUICE_TRY_VOID(f()): returns f()'s error from the enclosing function, if there is one.
#define SLUICE_TRY_VOID(expression)                                                       \
    do {                                                                                  \
        auto sluice_try_outcome = (expression);                                           \
        if (sluice_try_outcome.has_error()) return std::move(sluice_try_outcome).error(); \
    } while (false)
