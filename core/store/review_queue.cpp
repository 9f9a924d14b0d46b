#include "store/review_queue.h"

#include <algorithm>

#include "env/files.h"

namespace lowbit::store {
namespace {

ReviewCase case_of(const Json& line) {
  return {.case_id = line.at("case"),
          .item_id = line.at("item_id"),
          .problem_id = line.at("problem_id"),
          .reason = line.at("reason"),
          .audited = line.at("audited"),
          .problem = line.at("problem"),
          .answer = value_if<std::string>(line.at("answer")),
          .solution = value_if<std::string>(line.at("solution")),
          .reference_steps =
              value_if<std::vector<std::string>>(line.at("reference_steps")).value_or(std::vector<std::string>()),
          .steps = line.at("steps"),
          .text = line.at("text"),
          .extracted = value_if<std::string>(line.at("extracted"))};
}

}  // namespace

Result<ReviewQueue> read_review_queue(const std::filesystem::path& directory) {
  LB_TRY_ASSIGN(const std::string header, env::read_file(directory / "review.json"));
  LB_TRY_ASSIGN(const std::string lines, env::read_file(directory / "queue.jsonl"));
  ReviewQueue queue;
  try {
    queue.taxonomy = Json::parse(header).at("taxonomy");
    for (std::size_t from = 0; from < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', from), lines.size());
      queue.cases.push_back(case_of(Json::parse(lines.substr(from, end - from))));
      from = end + 1;
    }
  } catch (const Json::exception& e) {
    return error("LB6015", "a review queue cannot be read")
        .note(directory.string() + ": " + e.what())
        .fix("`lowbit doctor --verify` tells whether its bytes are what they were; run its stage again");
  }
  return queue;
}

}  // namespace lowbit::store
