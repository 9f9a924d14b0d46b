// \boxed{...} and \fbox{...} in a response.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lowbit::answers {

/// The content of the last box of a text, blanks at its ends dropped; of the last \boxed where there is one, else of
/// the last \fbox. Nothing when there is none or it does not close.
[[nodiscard]] std::optional<std::string_view> last_box(std::string_view text);

/// How far back from the last box those before it belong to the same answer.
enum class Boxes {
  all,   ///< all of the text
  near,  ///< as long as less than 10 characters stand between two, or less than 70 with a comma, `and` or `or` among
         ///< them
};
/// Contents from left to right with commas between them, one that repeats its neighbour left out; the text itself
/// without a box. A box that does not close reaches to the end.
[[nodiscard]] std::string boxed_answers(std::string_view text, Boxes boxes);

}  // namespace lowbit::answers
