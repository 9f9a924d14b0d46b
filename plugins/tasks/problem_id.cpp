#include "tasks/problem_id.h"

#include "lm/digest.h"
#include "overlap/words.h"

namespace lowbit::tasks {

std::string problem_id_of(std::string_view problem) {
  return "text-" + lm::sha256_of_text(overlap::normalised(problem)).substr(0, 16);
}

}  // namespace lowbit::tasks
