// Every expected failure of this library: what is wrong, where, why, and what to do. A plugin turns it into the SDK's
// stage error; the library itself does not know the SDK.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace lowbit::lm {

/// Whose problem it is; the numbers are those of lb_status.
enum class Status {
  bad_param = 2,  ///< the parameters contradict each other or the inputs
  bad_input = 3,  ///< a file is malformed or of a kind that is not supported
  resource = 5,   ///< memory, disk: a retry may help
  numeric = 6     ///< NaN, Inf, a matrix that cannot be factorized: a retry will not help
};

class Error : public std::exception {
 public:
  struct Text {
    std::string what;   ///< lower case, no full stop
    std::string where;  ///< file, tensor or parameter
    std::string why;    ///< the facts: expected and found
    std::string fix;    ///< an instruction
  };

  Error(Status status, Text text);

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const Text& text() const { return text_; }
  /// All four parts, one a line.
  [[nodiscard]] const char* what() const noexcept override { return rendered_.c_str(); }

 private:
  Status status_;
  Text text_;
  std::string rendered_;
};

/// Runs `action`; an Error that it throws says first that it happened at `place`.
template <class Action>
auto at_place(const std::string& place, const Action& action) {
  try {
    return action();
  } catch (const Error& e) {
    Error::Text text = e.text();
    text.where = place + ", " + text.where;
    throw Error(e.status(), std::move(text));
  }
}

}  // namespace lowbit::lm
