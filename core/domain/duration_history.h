// What earlier results took, by what they are likes of.
#pragma once

#include <map>
#include <string>

namespace lowbit {

/// Mean seconds that results took, of a stage of this experiment and of a plugin anywhere.
struct DurationHistory {
  std::map<std::string, double> by_stage;
  std::map<std::string, double> by_plugin;
};

}  // namespace lowbit
