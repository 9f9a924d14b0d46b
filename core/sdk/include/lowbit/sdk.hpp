// lowbit/sdk.hpp - what a stage plugin in C++20 includes. Header-only: all of it is compiled into the plugin, so none
// of it is part of the binary contract (that is lowbit/plugin_abi.h). docs/write-a-plugin.md is the tour.
//
//   struct Params {
//     std::int64_t group_size = 128;
//     static auto fields() {
//       return lowbit::fields<Params>(
//           lowbit::field(&Params::group_size, "group_size").one_of(32, 64, 128).unit("weights").doc("share one
//           scale"));
//     }
//   };
//   static void quantize(const lowbit::Job& job, const Params& params) { ... }
//
//   LOWBIT_PLUGIN(LOWBIT_COMPILER, lowbit::Stage("example.sign", LB_QUANTIZER)
//                                      .version("1.0.0")
//                                      .summary("One bit per weight.")
//                                      .input("model", "model/1", "full-precision weights")
//                                      .output("quantized", "quantized-model/1", "sign times scale")
//                                      .run<quantize>())
#pragma once

#include <lowbit/plugin_abi.h>
#include <lowbit/errors.hpp>
#include <lowbit/job.hpp>
#include <lowbit/json_lines.hpp>
#include <lowbit/params.hpp>
#include <lowbit/stage.hpp>
