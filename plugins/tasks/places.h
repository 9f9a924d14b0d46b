// Templates of tasks and rubrics: `{{name}}` is replaced by a value.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace lowbit::tasks {

/// `text` with each `{{name}}` replaced by value_of(name), which throws for a name that it does not know. What is
/// filled in is not searched again; `{{` that nothing closes stays as it is.
[[nodiscard]] std::string fill_places(std::string_view text,
                                      const std::function<std::string(const std::string& name)>& value_of);

}  // namespace lowbit::tasks
