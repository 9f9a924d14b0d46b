// What a person wants to know of one stage before writing it into an experiment: ports, parameters, environment. Pure.
//
//   std::cout << stage_page(*catalog.find("lowbit.sft"));
#pragma once

#include <string>

#include "domain/stage_description.h"

namespace lowbit::report {

/// Several tables, ending in a newline. Everything that an experiment can bind or set is in it; to_json() has the rest.
[[nodiscard]] std::string stage_page(const StageDescription& stage);

}  // namespace lowbit::report
