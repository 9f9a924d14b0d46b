// Expected failure is a value: `Result<T>` holds a T or at least one Diagnostic. Exceptions of third-party
// libraries end at the room that calls them.
//
//   Result<Spec> read(std::string_view text) {
//     LB_TRY_ASSIGN(const Document document, parse(text));
//     LB_TRY(check(document));
//     return Spec{...};
//   }
#pragma once

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

#include "base/diagnostic.h"

namespace lowbit {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}                 // NOLINT(*-explicit-*)
  Result(Diagnostics problems) : state_(std::in_place_index<1>, std::move(problems)) {  // NOLINT(*-explicit-*)
    assert(!std::get<1>(state_).empty());
  }
  Result(Diagnostic problem) : Result(Diagnostics{std::move(problem)}) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// REQUIRES: ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !ok().
  [[nodiscard]] const Diagnostics& error() const& { return std::get<1>(state_); }
  [[nodiscard]] Diagnostics&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Diagnostics> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Diagnostics problems) : problems_(std::move(problems)) {  // NOLINT(*-explicit-*)
    assert(!problems_->empty());
  }
  Result(Diagnostic problem) : Result(Diagnostics{std::move(problem)}) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool ok() const { return !problems_.has_value(); }
  explicit operator bool() const { return ok(); }
  /// REQUIRES: !ok().
  [[nodiscard]] const Diagnostics& error() const& { return *problems_; }
  [[nodiscard]] Diagnostics&& error() && { return *std::move(problems_); }

 private:
  std::optional<Diagnostics> problems_;
};

}  // namespace lowbit

#define LB_DETAIL_JOIN2(a, b) a##b
#define LB_DETAIL_JOIN(a, b) LB_DETAIL_JOIN2(a, b)

/// Returns the error of `expression` from the enclosing function, or goes on.
#define LB_TRY(expression)                                \
  do {                                                    \
    if (auto lb_result = (expression); !lb_result.ok()) { \
      return std::move(lb_result).error();                \
    }                                                     \
  } while (false)

#define LB_DETAIL_TRY_ASSIGN(temporary, declaration, expression) \
  auto temporary = (expression);                                 \
  if (!temporary.ok()) return std::move(temporary).error();      \
  declaration = *std::move(temporary) /* NOLINT(bugprone-macro-parentheses) */

/// `LB_TRY_ASSIGN(const Spec spec, read(text));` - two statements: not for an unbraced `if`.
#define LB_TRY_ASSIGN(declaration, expression) \
  LB_DETAIL_TRY_ASSIGN(LB_DETAIL_JOIN(lb_result_, __LINE__), declaration, expression)
