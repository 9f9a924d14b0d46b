// Plugins that exist on paper only, one a line, for tests of binding, keys and plans:
//
//   toy.gptq 1.2.0: model:model/1|adapter/1 calib?:token-batches/1 -> quantized:quantized-model/1; seeded
//     {"num_bits": {"type": "integer", "minimum": 2, "maximum": 8}}
//
// `?` an optional port, `*` one that takes a gathered binding. After `;`: seeded, device_sensitive. A line that begins
// with two spaces holds the `properties` of the parameter schema, or after `schema ` the whole of it. The version may
// be left out (1.0.0); `#` begins a comment line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "domain/stage_description.h"

namespace lowbit::test {

class ToyCatalog : public StageCatalog {
 public:
  /// Throws std::runtime_error on a line it cannot read.
  explicit ToyCatalog(std::string_view text);

  [[nodiscard]] const StageDescription* find(std::string_view id) const override;
  [[nodiscard]] std::vector<std::string> ids() const override;

 private:
  std::map<std::string, StageDescription, std::less<>> stages_;
};

}  // namespace lowbit::test
