#include "lm/hessian_store.h"

#include <array>
#include <cstdio>
#include <utility>

#include "lm/error.h"
#include "lm/files.h"
#include "lm/json_file.h"
#include "lm/tensor_names.h"

namespace lowbit::lm {
namespace {

constexpr const char* kHessiansFile = "hessians.json";

std::string moments_file(int64_t block) {
  std::array<char, 40> name{};
  (void)std::snprintf(name.data(), name.size(), "block-%05lld.safetensors", static_cast<long long>(block));
  return name.data();
}

std::string site_name(const ModelConfig& config, int64_t block, Linear group) {
  return module_of(linear_name(config, block, group));
}

[[noreturn]] void malformed_hessians(const std::filesystem::path& where, const std::string& why) {
  throw Error(Status::bad_input, {.what = "the second moments do not fit",
                                  .where = where.string(),
                                  .why = why,
                                  .fix = "collect them from the model that is quantized"});
}

}  // namespace

HessianWriter::HessianWriter(std::filesystem::path directory, const ModelConfig& config, std::string model_digest)
    : directory_(std::move(directory)), config_(config), model_digest_(std::move(model_digest)) {}

void HessianWriter::add(int64_t block, const std::map<Linear, at::Tensor>& moments) {
  NamedTensors tensors;
  for (const auto& [group, moment] : moments) {
    const std::string site = site_name(config_, block, group);
    if (!at::isfinite(moment).all().item<bool>()) {
      throw Error(Status::numeric, {.what = "activations are not finite",
                                    .where = "inputs of " + site,
                                    .why = "the calibration windows lead to NaN or Inf there",
                                    .fix = "use an undamaged model, and compute in fp32"});
    }
    tensors[site] = moment;
  }
  write_safetensors(directory_ / moments_file(block), tensors);
  n_finished_ = block + 1;
}

void HessianWriter::finish(int64_t n_tokens) {
  auto sites = nlohmann::json::object();
  for (int64_t block = 0; block < config_.n_blocks; ++block) {
    for (const Linear linear : linears(config_)) {
      auto& site = sites[site_name(config_, block, input_group(config_, linear))];
      site["in_features"] = linear_shape(config_, linear).back();
      site["linears"].push_back(site_name(config_, block, linear));
    }
  }
  write_json_file(directory_ / kHessiansFile, {{"n_tokens", n_tokens}, {"model", model_digest_}, {"sites", sites}});
}

void HessianWriter::save(const std::filesystem::path& directory) const {
  for (int64_t i = 0; i < n_finished_; ++i) link_or_copy(directory_ / moments_file(i), directory / moments_file(i));
  write_json_file(directory / "hessian_writer.json", {{"n_finished", n_finished_}});
}

int64_t HessianWriter::restore(const std::filesystem::path& directory) {
  n_finished_ = read_json_file(directory / "hessian_writer.json").at("n_finished").get<int64_t>();
  for (int64_t i = 0; i < n_finished_; ++i) link_or_copy(directory / moments_file(i), directory_ / moments_file(i));
  return n_finished_;
}

Hessians Hessians::open(const std::filesystem::path& directory, const ModelConfig& config,
                        const std::string& model_digest) {
  const std::filesystem::path file = directory / kHessiansFile;
  const nlohmann::json json = read_json_file(file);
  Hessians result;
  result.directory_ = directory;
  result.config_ = config;
  try {
    result.n_tokens_ = json.at("n_tokens").get<int64_t>();
    const auto observed = json.at("model").get<std::string>();
    if (observed != model_digest) {
      throw Error(Status::bad_input, {.what = "the second moments are of another model",
                                      .where = "hessians",
                                      .why = "they were collected from " + observed + ", the model is " + model_digest,
                                      .fix = "bind lowbit.hessians and this stage to the same model"});
    }
    for (int64_t block = 0; block < config.n_blocks; ++block) {
      for (const Linear linear : linears(config)) {
        if (input_group(config, linear) != linear) continue;
        const std::string site = site_name(config, block, linear);
        if (!json.at("sites").contains(site)) malformed_hessians(file, "it has no site " + site);
        const auto width = json["sites"][site].at("in_features").get<int64_t>();
        if (width != linear_shape(config, linear).back()) {
          malformed_hessians(file, site + " reads " + std::to_string(linear_shape(config, linear).back()) +
                                       " features, the moments are of " + std::to_string(width));
        }
      }
    }
  } catch (const nlohmann::json::exception& e) {
    malformed_hessians(file, e.what());
  }
  return result;
}

at::Tensor Hessians::moments(int64_t block, Linear group) const {
  const std::filesystem::path file = directory_ / moments_file(block);
  const std::string site = site_name(config_, block, group);
  const int64_t n = linear_shape(config_, group).back();
  const auto stored = SafetensorsFile::open(file);
  at::Tensor tensor = stored.tensor(site).clone();
  if (tensor.dim() != 2 || tensor.size(0) != n || tensor.size(1) != n || tensor.scalar_type() != at::kFloat) {
    malformed_hessians(file, "tensor " + site + " is not F32 [" + std::to_string(n) + ", " + std::to_string(n) + "]");
  }
  return tensor;
}

}  // namespace lowbit::lm
