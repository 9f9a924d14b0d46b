// dataset-preference-pairs: what one model solved and another did not, as pairs to prefer the first answer by.
//
// Members of the two gathered inputs are compared where the axes that both have agree: predictions of seed 1 with
// predictions of seed 1. An item gives a pair when the chosen side is right and ended by itself and the rejected side
// is wrong. Equal pairs are kept once.
#include <lowbit/sdk.hpp>

#include <map>
#include <set>
#include <unordered_map>

#include "lm/digest.h"
#include "tasks/task.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t n = 0;
  std::string end_token = "<eos>";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::n, "n").at_least(0).unit("items").doc("most pairs kept, in order of the task; 0: all"),
        field(&Params::end_token, "end_token")
            .doc("written behind every completion that ended by itself; the model's own end token"));
  }
};

struct Prediction {
  std::string text;
  std::optional<bool> correct;
  bool truncated;
};

/// Predictions of one model by item.
struct Member {
  nlohmann::json coordinates;
  std::unordered_map<std::string, Prediction> by_item;
};

/// `prompt_shas`: item to the SHA-256 of the prompt that this task gives it.
std::vector<Member> read_members(const Job& job, const std::string& port,
                                 const std::unordered_map<std::string, std::string>& prompt_shas) {
  std::vector<Member> members;
  for (const Input& input : job.inputs(port)) {
    Member& member = members.emplace_back(Member{.coordinates = input.coordinates, .by_item = {}});
    const auto file = input.path / "predictions.jsonl";
    for_each_json_line(file, [&](const nlohmann::json& row, std::size_t line) {
      const auto id = row.at("item_id").get<std::string>();
      const auto prompt = prompt_shas.find(id);
      if (prompt == prompt_shas.end() || prompt->second != row.at("prompt_sha")) {
        throw StageError(LB_BAD_INPUT,
                         {.what = "the predictions are not about this task",
                          .where = file.string() + ":" + std::to_string(line),
                          .why = prompt == prompt_shas.end() ? "the task has no item " + id
                                                             : "the model was given another prompt for item " + id,
                          .fix = "bind `" + port + "` to predictions on the task of this stage"});
      }
      const auto& correct = row.at("correct");
      member.by_item.emplace(
          id, Prediction{.text = row.at("text").get<std::string>(),
                         .correct = correct.is_null() ? std::nullopt : std::optional(correct.get<bool>()),
                         .truncated = row.at("truncated").get<bool>()});
    });
  }
  return members;
}

bool agree(const nlohmann::json& a, const nlohmann::json& b) {
  for (const auto& [axis, value] : a.items()) {
    if (b.contains(axis) && b[axis] != value) return false;
  }
  return true;
}

/// Writes the pairs of one task and counts what became of the others.
class PairWriter {
 public:
  PairWriter(const std::filesystem::path& file, const Params& params) : out_(file), params_(params) {}

  [[nodiscard]] bool full() const { return params_.n > 0 && written_ >= static_cast<std::size_t>(params_.n); }
  [[nodiscard]] std::size_t written() const { return written_; }
  [[nodiscard]] const std::map<std::string, std::size_t>& dropped() const { return dropped_; }

  void offer(const tasks::Item& item, const std::string& prompt, const Prediction& chosen, const Prediction& rejected,
             const nlohmann::json& at) {
    if (!chosen.correct || !rejected.correct) return drop("not_graded");
    if (!*chosen.correct || chosen.truncated) return drop("chosen_wrong");
    if (*rejected.correct) return drop("rejected_right");
    const std::string better = chosen.text + params_.end_token;
    const std::string worse = rejected.text + (rejected.truncated ? "" : params_.end_token);
    if (worse.empty() || !seen_.emplace(prompt, better, worse).second) {
      return drop(worse.empty() ? "rejected_empty" : "duplicate");
    }
    const std::size_t nth = n_of_item_[item.item_id]++;
    out_.write({{"item_id", nth == 0 ? item.item_id : item.item_id + "#" + std::to_string(nth)},
                {"problem_id", item.problem_id},
                {"prompt", prompt},
                {"chosen", better},
                {"rejected", worse},
                {"category", nullptr},
                {"type", nullptr},
                {"first_error_step", nullptr},
                {"agreement", nullptr},
                {"at", at}});
    ++written_;
  }
  void close() { out_.close(); }

 private:
  void drop(const std::string& reason) { ++dropped_[reason]; }

  JsonLinesWriter out_;
  const Params& params_;
  std::size_t written_ = 0;
  std::map<std::string, std::size_t> dropped_;
  std::map<std::string, std::size_t> n_of_item_;
  std::set<std::tuple<std::string, std::string, std::string>> seen_;
};

void write_pairs(const Job& job, const Params& params) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  tasks::expect_plain_generation(task);
  std::unordered_map<std::string, std::string> prompt_shas;
  for (const tasks::Item& item : task.items) {
    prompt_shas[item.item_id] = lm::sha256_of_text(tasks::prompt_of(task, item));
  }
  const auto chosen = read_members(job, "chosen", prompt_shas);
  const auto rejected = read_members(job, "rejected", prompt_shas);
  PairWriter pairs(job.output("pairs") / "pairs.jsonl", params);
  for (std::size_t i = 0; i < task.items.size() && !pairs.full(); ++i) {
    job.tick(i, task.items.size(), "items");
    const tasks::Item& item = task.items[i];
    const std::string prompt = tasks::prompt_of(task, item);
    for (const Member& worse : rejected) {
      const auto of_worse = worse.by_item.find(item.item_id);
      if (of_worse == worse.by_item.end()) continue;
      for (const Member& better : chosen) {
        const auto of_better = better.by_item.find(item.item_id);
        if (of_better == better.by_item.end() || !agree(better.coordinates, worse.coordinates) || pairs.full())
          continue;
        pairs.offer(item, prompt, of_better->second, of_worse->second, worse.coordinates);
      }
    }
  }
  pairs.close();
  if (pairs.written() == 0) {
    std::string counts;
    for (const auto& [reason, count] : pairs.dropped()) counts += ", " + reason + " " + std::to_string(count);
    throw StageError(LB_BAD_INPUT, {.what = "there is no preference pair",
                                    .where = "task " + task.name,
                                    .why = "no item is right among `chosen` and wrong among `rejected`" + counts,
                                    .fix = "use more items, or models that differ more"});
  }
  job.metric("data/n_items", static_cast<double>(pairs.written()), "items");
  for (const auto& [reason, count] : pairs.dropped()) {
    job.metric("data/dropped/" + reason, static_cast<double>(count), "items");
  }
}

}  // namespace

LOWBIT_PLUGIN(
    LOWBIT_COMPILER,
    Stage("lowbit.preference-pairs", LB_DATASET)
        .version("1")
        .summary("Pairs of a right and a wrong answer to the same item, from the predictions of different models.")
        .input("task", "task/1", "the problems that both sides answered")
        .input("chosen", "predictions/1", "where right answers come from", LB_PORT_MANY)
        .input("rejected", "predictions/1", "where wrong answers come from", LB_PORT_MANY)
        .output("pairs", "preference-pairs/1", "prompt, right and wrong completion")
        .run<write_pairs>())
