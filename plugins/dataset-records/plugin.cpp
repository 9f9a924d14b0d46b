// dataset-records: instruction and preference data of the usual forms as pairs to train on. README.md.
#include <lowbit/sdk.hpp>

#include <map>

#include "lm/error.h"
#include "prompts.h"
#include "records.h"

using namespace lowbit;
using records::Json;

namespace {

constexpr const char* kModels = "model/1|quantized-model/1";

/// What both stages have. A stage's own Params derive from it.
struct RecordParams {
  std::string prompt_template = "chat";
  std::string chat_date = std::string(lm::kChatDate);
  std::string end_token = "</s>";
  std::int64_t n = 0;

  [[nodiscard]] records::Prompts::Options options() const {
    return {.chat = prompt_template == "chat", .chat_date = chat_date, .end_token = end_token};
  }
};

template <class P>
auto record_fields() {
  return fields<P>(
      field(static_cast<std::string P::*>(&P::prompt_template), "template")
          .one_of("chat", "alpaca")
          .doc("how turns become texts: the model's chat template, or Stanford Alpaca's prompt"),
      field(static_cast<std::string P::*>(&P::chat_date), "chat_date")
          .doc("day that a chat template names as today's where it names one (Llama 3.1 and later)"),
      field(static_cast<std::string P::*>(&P::end_token), "end_token")
          .doc("template alpaca: written behind every completion; the model's own end token"),
      field(static_cast<std::int64_t P::*>(&P::n), "n").at_least(0).unit("items").doc("the first records; 0: all"));
}

struct InstructionParams : RecordParams {
  std::string turns = "all";

  static auto fields() {
    return std::tuple_cat(
        record_fields<InstructionParams>(),
        lowbit::fields<InstructionParams>(
            field(&InstructionParams::turns, "turns")
                .one_of("all", "last")
                .doc("which answers of a conversation are learned, each with what stands before it")));
  }
};

struct PreferenceParams : RecordParams {
  static auto fields() { return record_fields<PreferenceParams>(); }
};

/// Writes rows and counts what was left out, by reason.
class Rows {
 public:
  explicit Rows(const Job& job) : job_(job), out_(job.output("pairs") / "pairs.jsonl") {}

  void write(const Json& row) {
    out_.write(row);
    ++n_written_;
  }
  void leave_out(const std::string& reason) { ++left_out_[reason]; }

  void close() {
    out_.close();
    std::string counts;
    for (const auto& [reason, n] : left_out_) counts += ", " + reason + " " + std::to_string(n);
    if (n_written_ == 0) {
      throw StageError(LB_BAD_INPUT, {.what = "no record can be used",
                                      .where = "records",
                                      .why = counts.empty() ? "there are none" : "left out: " + counts.substr(2),
                                      .fix = "docs/datasets.md says what the reasons mean"});
    }
    if (!counts.empty()) job_.warn("records were left out: " + counts.substr(2));
    job_.metric("data/n_items", static_cast<double>(n_written_), "items");
    for (const auto& [reason, n] : left_out_) {
      job_.metric("data/dropped/" + reason, static_cast<double>(n), "items");
    }
  }

 private:
  const Job& job_;
  JsonLinesWriter out_;
  std::size_t n_written_ = 0;
  std::map<std::string, std::size_t> left_out_;
};

/// Its own id when it has one, else its number, from 1 on.
std::string id_of(const Json& record, std::size_t number) {
  for (const char* field : {"id", "prompt_id"}) {
    const auto it = record.find(field);
    if (it != record.end() && (it->is_string() || it->is_number_integer())) {
      return it->is_string() ? it->get<std::string>() : it->dump();
    }
  }
  return std::to_string(number + 1);
}

/// The first `n` records of the input.
template <class Use>
void for_each_wanted(const Job& job, const RecordParams& params, const Use& use) {
  records::for_each_record(job.input("records").path,
                           [&](std::size_t number, const Json& record, const std::string& where) {
                             if (params.n > 0 && number >= static_cast<std::size_t>(params.n)) return;
                             job.tick(number, static_cast<std::uint64_t>(params.n), "records");
                             use(record, number, where);
                           });
}

void write_instructions(const Job& job, const InstructionParams& params) {
  const records::Prompts prompts(job.input("model").path, params.options());
  Rows rows(job);
  for_each_wanted(job, params, [&](const Json& record, std::size_t number, const std::string& where) {
    auto read = records::conversation_of(record, where);
    if (const auto* left_out = std::get_if<records::LeftOut>(&read)) return rows.leave_out(left_out->reason);
    const auto& [messages, context] = std::get<records::Conversation>(read);
    const std::string id = std::to_string(number + 1);
    for (std::size_t end = params.turns == "last" ? messages.size() : 1; end <= messages.size(); ++end) {
      if (messages[end - 1].role != "assistant") continue;
      const bool is_last = end == messages.size();
      const auto example = prompts.example({messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(end)},
                                           is_last ? context : std::string());
      if (!example) return rows.leave_out("turns");
      rows.write({{"item_id", is_last ? id : id + "/" + std::to_string(end)},
                  {"problem_id", id_of(record, number)},
                  {"prompt", example->prompt},
                  {"completion", example->completion}});
    }
  });
  rows.close();
}

void write_preferences(const Job& job, const PreferenceParams& params) {
  const records::Prompts prompts(job.input("model").path, params.options());
  Rows rows(job);
  for_each_wanted(job, params, [&](const Json& record, std::size_t number, const std::string& where) {
    auto read = records::preference_of(record, where);
    if (const auto* left_out = std::get_if<records::LeftOut>(&read)) return rows.leave_out(left_out->reason);
    const auto& preference = std::get<records::Preference>(read);
    const auto with = [&](const std::string& answer) {
      std::vector<lm::ChatMessage> messages = preference.messages;
      messages.push_back({.role = "assistant", .content = answer});
      return prompts.example(std::move(messages), preference.context);
    };
    const auto chosen = with(preference.chosen);
    const auto rejected = with(preference.rejected);
    if (!chosen || !rejected) return rows.leave_out("turns");
    rows.write({{"item_id", std::to_string(number + 1)},
                {"problem_id", id_of(record, number)},
                {"prompt", chosen->prompt},
                {"chosen", chosen->completion},
                {"rejected", rejected->completion},
                {"category", nullptr},
                {"type", nullptr},
                {"first_error_step", nullptr},
                {"agreement", nullptr},
                {"at", Json::object()}});
  });
  rows.close();
}

/// `write`, whose errors of tokenizer and template become the stage's.
template <class Params, void (*write)(const Job&, const Params&)>
void stage(const Job& job, const Params& params) {
  try {
    write(job, params);
  } catch (const lm::Error& e) {
    throw StageError(static_cast<lb_status>(e.status()),
                     {.what = e.text().what, .where = e.text().where, .why = e.text().why, .fix = e.text().fix});
  }
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.instruction-records", LB_DATASET)
                  .version("1")
                  .summary("Instructions and conversations (Alpaca, ShareGPT, messages) as examples to train on.")
                  .input("records", "file", "a JSON array, or JSON Lines")
                  .input("model", kModels, "whose tokenizer and chat template are used")
                  .output("pairs", "sft-pairs/1", "prompt and completion of each answer")
                  .run<stage<InstructionParams, write_instructions>>(),
              Stage("lowbit.preference-records", LB_DATASET)
                  .version("1")
                  .summary("Preferences (Alpaca, ShareGPT, Hugging Face's forms) as pairs to train on.")
                  .input("records", "file", "a JSON array, or JSON Lines")
                  .input("model", kModels, "whose tokenizer and chat template are used")
                  .output("pairs", "preference-pairs/1", "prompt, chosen and rejected completion")
                  .run<stage<PreferenceParams, write_preferences>>())
