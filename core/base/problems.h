// Problems that are gathered from many places, each kept once: of an experiment file while it is read, bound and
// expanded.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/diagnostic.h"

namespace lowbit {

/// The same problem met in many stages, or at many points of a matrix, is kept once.
class Problems {
 public:
  void add(Diagnostic problem) {
    if (seen_.emplace(problem.code, problem.span.source.get(), problem.span.line, problem.span.column, problem.what)
            .second) {
      all_.push_back(std::move(problem));
    }
  }
  void add(Diagnostics problems) {
    for (Diagnostic& problem : problems) add(std::move(problem));
  }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  [[nodiscard]] Diagnostics take() { return std::move(all_); }

 private:
  Diagnostics all_;
  std::set<std::tuple<std::string, const SourceText*, std::size_t, std::size_t, std::string>> seen_;
};

}  // namespace lowbit
