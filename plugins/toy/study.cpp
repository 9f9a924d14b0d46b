// A study in miniature: five kinds of stage over a model of one weight matrix and a task of a few sums, with artifacts
// of the real types. Every number is a closed form, so a test can know it.
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <vector>

#include "stages.h"

namespace toy {
namespace {

using lowbit::field;
using lowbit::Job;
using nlohmann::json;

constexpr std::size_t kRows = 2;
constexpr std::size_t kColumns = 8;
using Weights = std::vector<float>;  ///< [kRows, kColumns]

struct Tensor {
  std::string name, dtype;
  std::vector<std::size_t> shape;
  std::string bytes;
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// safetensors: header length (u64, little-endian), JSON header, data.
void write_tensors(const std::filesystem::path& file, const std::vector<Tensor>& tensors) {
  static_assert(std::endian::native == std::endian::little);
  json header = json::object();
  std::string data;
  for (const Tensor& t : tensors) {
    header[t.name] = {
        {"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + t.bytes.size()}}};
    data += t.bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  write_text(file, bytes_of(std::vector<std::uint64_t>{text.size()}) + text + data);
}

std::string tensor_bytes(const std::filesystem::path& directory, const std::string& name) {
  const std::string file = read_text(directory / "model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const json header = json::parse(file.substr(sizeof length, length));
  const std::uint64_t begin = header.at(name).at("data_offsets").at(0);
  const std::uint64_t end = header.at(name).at("data_offsets").at(1);
  return file.substr(sizeof length + length + begin, end - begin);
}

Weights floats(const std::string& bytes) {
  Weights values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

void write_config(const std::filesystem::path& directory) {
  write_text(directory / "config.json", json{{"architectures", {"ToyLinear"}}, {"model_type", "toy"}}.dump(2) + "\n");
}

void write_model(const std::filesystem::path& directory, const Weights& weights) {
  write_config(directory);
  write_tensors(directory / "model.safetensors", {{"linear.weight", "F32", {kRows, kColumns}, bytes_of(weights)}});
}

/// Weights of a model/1 or a quantized-model/1, the latter read back from its codes: w = (q - 128) s.
Weights read_model(const lowbit::Input& model) {
  if (model.type != "quantized-model/1") return floats(tensor_bytes(model.path, "linear.weight"));
  const std::string codes = tensor_bytes(model.path, "linear.codes");
  const Weights scales = floats(tensor_bytes(model.path, "linear.scales"));
  Weights weights(kRows * kColumns);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(static_cast<unsigned char>(codes[i]) - 128) * scales[i / kColumns];
  }
  return weights;
}

// 0, 1, 2, ... : every weight another, the largest of each row at its end.
void run_model(const Job& job) {
  Weights weights(kRows * kColumns);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i);
  write_model(job.output("model"), weights);
}

struct QuantizerParams {
  std::int64_t levels = 127;
  static auto fields() {
    return lowbit::fields<QuantizerParams>(
        field(&QuantizerParams::levels, "levels").range(1, 127).doc("steps from 0 to the largest weight of a row"));
  }
};

void run_quantizer(const Job& job, const QuantizerParams& params) {
  const Weights weights = read_model(job.input("model"));
  std::vector<std::uint8_t> codes(weights.size());
  std::vector<float> scales(kRows);
  double squared_error = 0;
  double squared_norm = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    float largest = 0;
    for (std::size_t j = 0; j < kColumns; ++j) largest = std::max(largest, std::abs(weights[row * kColumns + j]));
    scales[row] = largest == 0 ? 1.0F : largest / static_cast<float>(params.levels);
    for (std::size_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
      const float steps = std::nearbyint(weights[i] / scales[row]);
      codes[i] = static_cast<std::uint8_t>(128 + static_cast<int>(steps));
      squared_error += std::pow(weights[i] - steps * scales[row], 2);
      squared_norm += std::pow(weights[i], 2);
    }
  }
  const std::filesystem::path out = job.output("quantized");
  write_config(out);
  write_tensors(out / "model.safetensors", {{"linear.codes", "U8", {kRows, kColumns}, bytes_of(codes)},
                                            {"linear.scales", "F32", {kRows, 1}, bytes_of(scales)}});
  const json grid{{"num_bits", 8}, {"group_size", -1}, {"symmetric", true}};
  json linear = grid;
  linear.update({{"out_features", kRows}, {"in_features", kColumns}, {"actorder", false}});
  json all = grid;
  all.update({{"method", "toy"}, {"linears", {{"linear", linear}}}});
  write_text(out / "quantization.json", all.dump(2) + "\n");
  job.metric("weights/nmse", squared_error / squared_norm, "ratio");
}

struct TrainerParams {
  double shift = 1;
  static auto fields() {
    return lowbit::fields<TrainerParams>(field(&TrainerParams::shift, "shift").doc("added to every weight"));
  }
};

void run_trainer(const Job& job, const TrainerParams& params) {
  Weights weights = read_model(job.input("model"));
  for (float& weight : weights) weight += static_cast<float>(params.shift);
  write_model(job.output("trained"), weights);
  job.metric("train/optimizer_steps", 1, "steps");
}

struct TaskParams {
  std::int64_t items = 3;
  static auto fields() {
    return lowbit::fields<TaskParams>(field(&TaskParams::items, "items").range(1, 100).unit("items").doc("sums asked"));
  }
};

// Item i asks for i + i.
void run_task(const Job& job, const TaskParams& params) {
  const std::filesystem::path out = job.output("task");
  lowbit::JsonLinesWriter items(out / "items.jsonl");
  for (std::int64_t i = 0; i < params.items; ++i) {
    const std::string id = "sum-" + std::to_string(i);
    items.write({{"item_id", id},
                 {"problem_id", id},
                 {"problem", std::to_string(i) + " + " + std::to_string(i)},
                 {"answer", std::to_string(2 * i)},
                 {"solution", nullptr},
                 {"steps", nullptr},
                 {"choices", nullptr},
                 {"answer_index", nullptr},
                 {"fields", json::object()}});
  }
  items.close();
  const json task{
      {"name", "toy-sums"},      {"kind", "generate"},
      {"n_items", params.items}, {"prompt", {{"template", "{{problem}}"}, {"system", nullptr}, {"chat", false}}},
      {"stop", json::array()},   {"response_format", nullptr},
      {"grader", "toy"}};
  write_text(out / "task.json", task.dump(2) + "\n");
  job.metric("data/n_items", static_cast<double>(params.items), "items");
}

// The answer to item i is twice the i-th weight, rounded: right as long as the model's weights are 0, 1, 2, ...
void run_evaluator(const Job& job) {
  const Weights weights = read_model(job.input("model"));
  lowbit::JsonLinesWriter predictions(job.output("predictions") / "predictions.jsonl");
  std::uint64_t n_items = 0;
  std::uint64_t n_correct = 0;
  lowbit::for_each_json_line(job.input("task").path / "items.jsonl", [&](const json& item, std::size_t) {
    job.tick(n_items, 0, "items");
    const std::string answer = std::to_string(std::lround(2 * weights.at(n_items % weights.size())));
    const bool correct = answer == item.at("answer").get<std::string>();
    predictions.write({{"item_id", item.at("item_id")},
                       {"problem_id", item.at("problem_id")},
                       {"prompt_sha", std::string(64, '0')},
                       {"text", answer},
                       {"steps", {answer}},
                       {"extracted", answer},
                       {"correct", correct},
                       {"n_tokens", 1},
                       {"truncated", false}});
    n_items += 1;
    n_correct += correct ? 1 : 0;
  });
  predictions.close();
  const double share = static_cast<double>(n_correct) / static_cast<double>(n_items);
  job.metric("toy-sums/accuracy", share, "fraction",
             {.count = n_items, .std_error = std::sqrt(share * (1 - share) / static_cast<double>(n_items))});
}

// A wrong answer has its error in its one step.
void run_judge(const Job& job) {
  lowbit::JsonLinesWriter verdicts(job.output("verdicts") / "verdicts.jsonl");
  std::uint64_t n_items = 0;
  std::uint64_t n_errors = 0;
  lowbit::for_each_json_line(job.input("predictions").path / "predictions.jsonl", [&](const json& p, std::size_t) {
    const bool correct = p.at("correct");
    verdicts.write({{"item_id", p.at("item_id")},
                    {"judge", "toy"},
                    {"first_error_step", correct ? json(nullptr) : json(1)},
                    {"category", correct ? json(nullptr) : json("execution")},
                    {"type", correct ? json(nullptr) : json("computational_error")},
                    {"explanation", nullptr},
                    {"confidence", 1},
                    {"status", correct ? "no_error" : "error"},
                    {"call_ids", json::array()}});
    n_items += 1;
    n_errors += correct ? 0 : 1;
  });
  verdicts.close();
  job.metric("judge/error", static_cast<double>(n_errors) / static_cast<double>(n_items), "fraction",
             {.count = n_items});
}

constexpr const char* kModels = "model/1|quantized-model/1";

}  // namespace

lowbit::Stage task() {
  return lowbit::Stage("lowbit.toy.task", LB_DATASET)
      .version("1.0.0")
      .summary("A benchmark of sums.")
      .output("task", "task/1", "item i asks for i + i")
      .run<run_task>();
}

lowbit::Stage model() {
  return lowbit::Stage("lowbit.toy.model", LB_DATASET)
      .version("1.0.0")
      .summary("A model of one matrix with the weights 0, 1, 2, ...")
      .output("model", "model/1", "linear.weight [2, 8]")
      .run<run_model>();
}

lowbit::Stage quantizer() {
  return lowbit::Stage("lowbit.toy.round", LB_QUANTIZER)
      .version("1.0.0")
      .summary("Rounds each row to equal steps.")
      .input("model", kModels, "a toy model")
      .output("quantized", "quantized-model/1", "its codes and one scale per row")
      .run<run_quantizer>();
}

lowbit::Stage trainer() {
  return lowbit::Stage("lowbit.toy.shift", LB_TRAINER)
      .version("1.0.0")
      .summary("Adds a number to every weight.")
      .input("model", kModels, "a toy model")
      .output("trained", "model/1", "the shifted model")
      .run<run_trainer>();
}

lowbit::Stage evaluator() {
  return lowbit::Stage("lowbit.toy.answer", LB_EVALUATOR)
      .version("1.0.0")
      .summary("Answers sums with the weights of a toy model.")
      .input("model", kModels, "a toy model")
      .input("task", "task/1", "sums")
      .output("predictions", "predictions/1", "the answers, graded")
      .run<run_evaluator>();
}

lowbit::Stage judge() {
  return lowbit::Stage("lowbit.toy.judge", LB_JUDGE)
      .version("1.0.0")
      .summary("Calls every wrong answer a computational error.")
      .input("predictions", "predictions/1", "what is judged")
      .input("task", "task/1", "what was asked")
      .output("verdicts", "verdicts/1", "one verdict for each prediction")
      .run<run_judge>();
}

}  // namespace toy
