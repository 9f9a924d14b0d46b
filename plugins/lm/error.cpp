#include "lm/error.h"

#include <utility>

namespace lowbit::lm {

Error::Error(Status status, Text text)
    : status_(status),
      text_(std::move(text)),
      rendered_(text_.what + "\n  where: " + text_.where + "\n  why: " + text_.why + "\n  fix: " + text_.fix) {}

}  // namespace lowbit::lm
