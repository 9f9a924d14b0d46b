// How a stage says that it cannot go on: StageError for everything that went wrong, Cancelled when the host asked.
// Both are thrown; guarded<> in lowbit/stage.hpp is the one place where they end.
#pragma once

#include <lowbit/plugin_abi.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace lowbit {

/// Text for the C boundary: valid while `text` is.
[[nodiscard]] inline lb_str to_c(std::string_view text) { return {text.data(), text.size()}; }
[[nodiscard]] inline std::string_view view(lb_str text) {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}

/// What a person reads when a stage fails. `fix` is an instruction and is never empty.
struct ErrorText {
  std::string what;   ///< "the Hessian of layer 3 is singular"
  std::string where;  ///< the file, layer, line or parameter
  std::string why;    ///< the facts behind it
  std::string fix;    ///< "raise `dampening_frac`"
};

/// The exception a stage throws on purpose. The status says whether a retry may help (plugin_abi.h).
///
///   throw lowbit::StageError(LB_NUMERIC, {.what = "...", .where = "layer 3", .why = "...", .fix = "..."});
class StageError : public std::exception {
 public:
  StageError(lb_status status, ErrorText text) : status_(status), text_(std::move(text)) {}

  [[nodiscard]] const char* what() const noexcept override { return text_.what.c_str(); }
  [[nodiscard]] lb_status status() const noexcept { return status_; }
  [[nodiscard]] const ErrorText& text() const noexcept { return text_; }

 private:
  lb_status status_;
  ErrorText text_;
};

/// The host asked to stop. Not a std::exception, so that no `catch (const std::exception&)` on the way swallows it.
struct Cancelled {};

}  // namespace lowbit
