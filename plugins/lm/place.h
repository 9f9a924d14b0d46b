// Errors that say where in a model they happened.
#pragma once

#include <string>
#include <utility>

#include "lm/error.h"

namespace lowbit::lm {

/// action(); an Error that it throws gets `place` before its own.
template <class Action>
auto at_place(const std::string& place, const Action& action) -> decltype(action()) {
  try {
    return action();
  } catch (const Error& e) {
    Error::Text text = e.text();
    text.where = place + ", " + text.where;
    throw Error(e.status(), std::move(text));
  }
}

}  // namespace lowbit::lm
