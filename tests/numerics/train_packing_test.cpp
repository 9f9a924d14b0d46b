// Packing: which rows share a sequence, and that sharing one changes nothing that is computed.
#include "lm/train/bins.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "lm/quantized_model.h"
#include "lm/train/lora.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
namespace train = lm::train;

namespace {

using Bins = std::vector<std::vector<int64_t>>;

std::vector<train::Sequence> rows_of(const std::vector<int64_t>& lengths, int64_t vocab_size) {
  std::vector<train::Sequence> rows;
  for (size_t b = 0; b < lengths.size(); ++b) {
    train::Sequence& row = rows.emplace_back();
    for (int64_t t = 0; t < lengths[b]; ++t) {
      row.ids.push_back((7 * t * t + 3 * t + 13 * static_cast<int64_t>(b) + 1) % vocab_size);
      row.scored.push_back(t >= 2 + static_cast<int64_t>(b % 2));
    }
  }
  return rows;
}

/// Loss by token over all rows, and the gradient, the loss first.
at::Tensor numbers_of(const lm::ModelConfig& config, const lm::WeightSource& base,
                      const std::vector<train::Sequence>& rows, at::ScalarType dtype) {
  std::vector<std::string> all;
  for (const lm::Linear linear : lm::linears(config)) all.push_back(lm::module_name(config, linear));
  auto adapter = train::new_adapter(config, base, {.rank = 3, .alpha = 6, .targets = all, .token_ids = {5, 9}}, 5);
  uint64_t seed = 100;
  for (auto& [name, update] : adapter.updates) {
    update.b = (0.05 * test::normal(update.b.sizes(), ++seed)).to(at::kFloat);
  }
  const train::LoraModel model(config, base, adapter, {.matrices = dtype, .dtype = dtype});
  const train::Parameters parameters(model.initial());
  train::ThreadPool pool(1);
  train::Gradients gradients(parameters, 1, pool);
  std::vector<const train::Sequence*> batch;
  for (const train::Sequence& row : rows) batch.push_back(&row);
  const double loss = gradients.compute(
      [&](int64_t, const lm::NamedTensors& leaves) { return model.nll(leaves, train::collate(batch, 0)).mean(); });
  return at::cat({at::tensor({loss}, at::kDouble), gradients.total().to(at::kDouble)});
}

}  // namespace

TEST_CASE("bins are those of TRL's tests", "[train][packing]") {
  // trl tests/test_data_utils.py: rows of 3, 4 and 1 tokens in sequences of 4; and of its docstring, where the row of 5
  // is cut to 4: here rows that are too long never come this far.
  CHECK(train::best_fit_decreasing({3, 4, 1}, 4) == Bins{{1}, {0, 2}});
  CHECK(train::best_fit_decreasing({4, 2, 3, 1}, 4) == Bins{{0}, {2, 3}, {1}});
}

TEST_CASE("bins hold every row once, never too much, and no two of them would fit into one", "[train][packing]") {
  std::mt19937_64 rng(3);
  for (int round = 0; round < 50; ++round) {
    const auto size = static_cast<int64_t>(8 + rng() % 60);
    std::vector<int64_t> lengths(1 + rng() % 80);
    for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(rng() % static_cast<uint64_t>(size));
    const Bins bins = train::best_fit_decreasing(lengths, size);
    std::vector<int64_t> seen;
    std::vector<int64_t> used;
    for (const auto& bin : bins) {
      used.push_back(0);
      for (const int64_t row : bin) used.back() += lengths[static_cast<size_t>(row)];
      seen.insert(seen.end(), bin.begin(), bin.end());
      CHECK(used.back() <= size);
    }
    std::sort(seen.begin(), seen.end());
    std::vector<int64_t> all(lengths.size());
    std::iota(all.begin(), all.end(), int64_t{0});
    CHECK(seen == all);
    std::sort(used.begin(), used.end());
    if (used.size() > 1) CHECK(used[0] + used[1] > size);
  }
}

TEST_CASE("a packed sequence keeps ids, scores and beginnings of its rows", "[train][packing]") {
  const auto rows = rows_of({5, 3, 7}, 40);
  const auto packed = train::pack(rows, 8);
  REQUIRE(packed.size() == 2);
  CHECK(packed[0].ids == rows[2].ids);
  CHECK(packed[0].starts == std::vector<int64_t>{0});
  CHECK(packed[1].starts == std::vector<int64_t>{0, 5});
  CHECK(packed[1].scored == std::vector<bool>{false, false, true, true, true, false, false, false});
  const auto batch = train::collate({&packed[1], &packed[0]}, 0);
  const at::Tensor start = at::tensor({0, 0, 0, 0, 0, 5, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0}, at::kLong).view({2, 8});
  CHECK(at::equal(batch.start, start));
  // The prompt's tokens, the first of each row among them, are targets of nothing.
  CHECK(batch.n_scored() == rows[0].n_scored() + rows[1].n_scored() + rows[2].n_scored());
  CHECK_FALSE(train::collate({&packed[0]}, 0).start.defined());
}

TEST_CASE("packed rows have the loss and the gradients of rows by themselves", "[train][packing]") {
  const auto directory = test::fixtures() / GENERATE(from_range(test::kReferenceModels));
  INFO(directory.string());
  const lm::ModelConfig config = lm::read_model_config(directory);
  const auto base = lm::open_weights(directory);
  const auto rows = rows_of({9, 4, 6, 12, 5, 8}, config.vocab_size);
  const auto packed = train::pack(rows, 16);
  REQUIRE(packed.size() == 3);
  const at::Tensor apart = numbers_of(config, *base, rows, at::kDouble);
  CHECK(test::max_difference(apart, numbers_of(config, *base, packed, at::kDouble)) < 1e-12);
  CHECK(test::max_difference(apart, numbers_of(config, *base, packed, at::kFloat)) < 1e-5);
  // Rows that see each other are another loss.
  auto wrapped = packed;
  for (train::Sequence& sequence : wrapped) sequence.starts.clear();
  CHECK(std::abs((apart - numbers_of(config, *base, wrapped, at::kDouble))[0].item<double>()) > 1e-4);
}
