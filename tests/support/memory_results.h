// The committed facts that planning asks for, in memory.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "graph/plan.h"

namespace lowbit::test {

class MemoryResults : public graph::ResultLookup {
 public:
  /// The result becomes the current one of its content key and of the provenance key.
  void publish(const Digest& provenance_key, const JsonText& own, const StageResult& result) {
    own_records_.insert(graph::digest_of(own));
    results_[result.content_key] = result;
    link(provenance_key, result.content_key);
  }
  void link(const Digest& provenance_key, const Digest& content_key) { links_[provenance_key] = content_key; }
  void record(const std::string& experiment, const graph::Variant& variant, const JsonText& provenance_record) {
    records_[{experiment, variant.label()}] = provenance_record;
  }
  void lose_artifact(const Digest& digest) { lost_.insert(digest); }

  [[nodiscard]] std::optional<StageResult> by_content_key(const Digest& key) const override {
    const auto it = results_.find(key);
    return it == results_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] std::optional<StageResult> by_provenance_key(const Digest& key) const override {
    const auto it = links_.find(key);
    return it == links_.end() ? std::nullopt : by_content_key(it->second);
  }
  [[nodiscard]] std::vector<MetricRow> metrics_of(const StageResult& result) const override { return result.metrics; }
  [[nodiscard]] bool has_own_record(const Digest& own) const override { return own_records_.count(own) > 0; }
  [[nodiscard]] std::optional<JsonText> last_record(const std::string& experiment, const std::string& stage,
                                                    const Coordinates& coordinates) const override {
    const auto it = records_.find({experiment, stage_label(stage, coordinates)});
    return it == records_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] bool artifact_present(const Digest& digest) const override { return lost_.count(digest) == 0; }

 private:
  std::map<Digest, StageResult> results_;
  std::map<Digest, Digest> links_;
  std::set<Digest> own_records_;
  std::map<std::pair<std::string, std::string>, JsonText> records_;
  std::set<Digest> lost_;
};

}  // namespace lowbit::test
