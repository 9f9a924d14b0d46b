#include "gsm8k.h"

#include "lm/text_input.h"
#include "tasks/problem_id.h"

namespace lowbit::benchmarks {
namespace {

/// Without what stands between `<<` and `>>`, these included.
std::string without_notes(std::string_view text) {
  std::string result;
  while (true) {
    const std::size_t open = text.find("<<");
    const std::size_t close = open == std::string_view::npos ? open : text.find(">>", open);
    if (close == std::string_view::npos) return result.append(text);
    result.append(text.substr(0, open));
    text.remove_prefix(close + 2);
  }
}

}  // namespace

tasks::Item gsm8k_item(const tasks::Record& record, const Gsm8kParams& params) {
  constexpr std::string_view kMark = "####";
  const auto written = record.json.at("answer").get<std::string>();
  const std::size_t mark = written.rfind(kMark);
  const std::string_view answer =
      mark == std::string::npos ? "" : lm::stripped(std::string_view(written).substr(mark + kMark.size()));
  if (answer.empty()) {
    throw StageError(LB_BAD_INPUT, {.what = "a problem of GSM8K has no answer",
                                    .where = record.where,
                                    .why = "nothing stands behind `#### ` in its field `answer`",
                                    .fix = "repair the record, or take it out of the input"});
  }
  const std::string solution = params.calculator ? written : without_notes(written);
  const std::string_view reasoning = std::string_view(solution).substr(0, solution.rfind(kMark));
  tasks::Item item{.item_id = (params.split.empty() ? "" : params.split + "/") + std::to_string(record.number),
                   .problem_id = {},
                   .problem = record.json.at("question").get<std::string>(),
                   .answer = std::string(answer),
                   .solution = solution,
                   .steps = std::vector<std::string>()};
  item.problem_id = tasks::problem_id_of(item.problem);
  for (std::size_t begin = 0; begin < reasoning.size();) {
    const std::size_t end = std::min(reasoning.find('\n', begin), reasoning.size());
    const std::string_view line = lm::stripped(reasoning.substr(begin, end - begin));
    if (!line.empty()) item.steps->emplace_back(line);
    begin = end + 1;
  }
  return item;
}

void write_gsm8k(const Job& job, const Gsm8kParams& params) {
  tasks::Task task = empty_task(params);
  tasks::for_each_record(job.input("records").path, [&](const tasks::Record& record) {
    job.tick(record.number, 0, "records");
    task.items.push_back(gsm8k_item(record, params));
  });
  publish(job, std::move(task), params);
}

}  // namespace lowbit::benchmarks
