// dataset-token-names: a model whose reserved tokens have names, so that they can be written in texts and learned.
//
// Vocabularies keep tokens free that no text contains. Naming one changes tokenizer.json and nothing else: shapes, ids
// and weights stay, which appended tokens would not leave so. Rows of reserved tokens were never trained: see
// `train_tokens` and `token_init` of the trainers.
#include <lowbit/sdk.hpp>

#include <algorithm>
#include <regex>
#include <set>

#include "lm/error.h"
#include "lm/files.h"
#include "lm/json_file.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

namespace fs = std::filesystem;

struct Params {
  std::vector<std::string> tokens{"<|step_start|>", "<|step_end|>", "<|answer_start|>", "<|answer_end|>"};

  static auto fields() {
    return lowbit::fields<Params>(field(&Params::tokens, "tokens")
                                      .doc("names to give, in order, to the first reserved tokens of the vocabulary"));
  }
};

/// <|reserved_special_token_0|>, <reserved_0>, <unused0>, [unused0], <extra_id_0>, <|extra_0|>, <SPECIAL_12>
bool is_reserved(const std::string& content) {
  static const std::regex pattern(
      R"([<\[]\|?(reserved(_special_token|_token)?|unused|extra(_id)?|SPECIAL)[_ ]?[0-9]+\|?[>\]])");
  return std::regex_match(content, pattern);
}

/// Every text that is exactly `from` becomes `to`; keys too.
void rename_in(Json& json, const std::string& from, const std::string& to) {
  if (json.is_string() && json == from) json = to;
  if (json.is_object() && json.contains(from)) {
    json[to] = json[from];
    json.erase(from);
  }
  if (json.is_structured()) {
    for (Json& part : json) rename_in(part, from, to);
  }
}

/// Where a tokenizer.json names its added tokens.
void rename_token(Json& tokenizer, const std::string& from, const std::string& to) {
  for (const char* part : {"added_tokens", "post_processor"}) {
    if (tokenizer.contains(part)) rename_in(tokenizer[part], from, to);
  }
  if (!tokenizer.contains("model") || !tokenizer["model"].contains("vocab")) return;
  Json& vocabulary = tokenizer["model"]["vocab"];
  if (!vocabulary.is_object() || !vocabulary.contains(from)) return;
  vocabulary[to] = vocabulary[from];
  vocabulary.erase(from);
}

[[noreturn]] void cannot_be_named(const std::string& name, const std::string& why) {
  throw StageError(LB_BAD_PARAM, {.what = "`" + name + "` cannot be the name of a reserved token",
                                  .where = "tokens",
                                  .why = why,
                                  .fix = "give each token a text that the vocabulary does not have"});
}

/// Reserved name to new name; names that added tokens have already are left out.
std::vector<std::pair<std::string, std::string>> choose(const Json& tokenizer, const std::vector<std::string>& wanted,
                                                        const fs::path& file) {
  std::set<std::string> known;
  std::vector<std::string> reserved;
  for (const Json& added : tokenizer.value("added_tokens", Json::array())) {
    const auto content = added.at("content").get<std::string>();
    known.insert(content);
    if (is_reserved(content)) reserved.push_back(content);
  }
  const Json vocabulary = tokenizer.value("model", Json::object()).value("vocab", Json::object());
  std::vector<std::pair<std::string, std::string>> names;
  for (const std::string& name : wanted) {
    if (name.empty()) cannot_be_named(name, "it is empty");
    if (std::count(wanted.begin(), wanted.end(), name) > 1) cannot_be_named(name, "it stands there twice");
    if (is_reserved(name)) cannot_be_named(name, "it is the name of a reserved token itself");
    if (known.contains(name)) continue;
    if (vocabulary.is_object() && vocabulary.contains(name)) cannot_be_named(name, "it is an ordinary token");
    if (names.size() == reserved.size()) {
      throw StageError(LB_BAD_INPUT, {.what = "the vocabulary has too few reserved tokens",
                                      .where = file.string(),
                                      .why = std::to_string(reserved.size()) + " are reserved, " +
                                             std::to_string(wanted.size()) + " names are wanted",
                                      .fix = "take fewer names, or tags that are ordinary text"});
    }
    names.emplace_back(reserved[names.size()], name);
  }
  return names;
}

void name_tokens(const Job& job, const Params& params) {
  const fs::path from = job.input("model").path;
  const fs::path to = job.output("model");
  if (!fs::exists(from / "tokenizer.json")) {
    throw StageError(LB_BAD_INPUT, {.what = "the model has no tokenizer.json",
                                    .where = from.string(),
                                    .why = "names of tokens stand there",
                                    .fix = "put the model's tokenizer.json into its directory"});
  }
  Json tokenizer = lm::read_json_file(from / "tokenizer.json");
  const auto names = choose(tokenizer, params.tokens, from / "tokenizer.json");
  const auto files = fs::directory_iterator(from);
  for (const fs::directory_entry& entry : files) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name == "tokenizer.json") continue;
    const bool names_tokens = name == "tokenizer_config.json" || name == "special_tokens_map.json";
    if (!names_tokens) {
      lm::copy_in_parts(entry.path(), to / name, [&job] { job.stop_if_cancelled(); });
      continue;
    }
    Json json = lm::read_json_file(entry.path());
    for (const auto& [reserved, given] : names) rename_in(json, reserved, given);
    lm::write_json_file(to / name, json);
  }
  for (const auto& [reserved, given] : names) {
    rename_token(tokenizer, reserved, given);
    job.info(reserved + " is " + given);
  }
  lm::write_json_file(to / "tokenizer.json", tokenizer);
  job.metric("data/n_items", static_cast<double>(names.size()), "items");
}

/// Errors of files become the stage's.
void stage(const Job& job, const Params& params) {
  try {
    name_tokens(job, params);
  } catch (const lm::Error& e) {
    throw StageError(static_cast<lb_status>(e.status()),
                     {.what = e.text().what, .where = e.text().where, .why = e.text().why, .fix = e.text().fix});
  }
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.name-tokens", LB_DATASET)
                  .version("1")
                  .summary("Gives reserved tokens of a vocabulary names, for tags that a model is to learn.")
                  .input("model", "model/1", "with its tokenizer")
                  .output("model", "model/1", "the same weights, other names")
                  .run<stage>())
