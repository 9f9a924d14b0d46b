// What a finished stage left behind, and the keys it is found by.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"

namespace lowbit {

struct ArtifactRef {
  std::string type;  ///< "quantized-model/1"
  Digest digest;     ///< of its manifest: every relative path, size and SHA-256
};

struct MetricRow {
  std::string name;
  std::string unit;
  double value = 0;
  std::optional<double> std_error;
  std::uint64_t count = 0;  ///< items averaged over; 0: not an average
  std::int64_t step = -1;   ///< -1: final
};

/// A stored success.
struct StageResult {
  std::int64_t id = 0;  ///< of the store's row; 0 before it is stored
  Digest content_key;
  JsonText content_record;                     ///< what content_key is the digest of; empty where it was not asked for
  Digest plugin_digest;                        ///< of the plugin file that made it; recorded, not in the key
  std::map<std::string, ArtifactRef> outputs;  ///< by port; an optional port left unwritten is absent
  std::vector<MetricRow> metrics = {};         ///< final ones, NaN: not a number; empty where not asked for
};

}  // namespace lowbit
