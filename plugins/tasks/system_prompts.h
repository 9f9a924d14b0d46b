// System messages by name. A name stands for the same bytes for ever: another wording is another version (`….v2`), so
// what is trained and what is measured with one name were told the same.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::tasks {

/// `value` begins with `lowbit.`: the message of that name, without a line feed at its end; any other text is itself a
/// message. Throws StageError{LB_BAD_PARAM} for a name that is not known.
[[nodiscard]] std::string system_message(std::string_view value);

}  // namespace lowbit::tasks
