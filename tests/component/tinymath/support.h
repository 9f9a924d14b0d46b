// Problems for the tests, and what follows from their texts alone.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "answers/response.h"
#include "tinymath/generator.h"

namespace lowbit::test {

inline std::vector<tinymath::Problem> problems(const tinymath::GeneratorOptions& options, std::size_t n) {
  tinymath::Generator generator(options);
  std::vector<tinymath::Problem> all;
  while (all.size() < n) {
    auto problem = generator.next();
    REQUIRE(problem);
    all.push_back(std::move(*problem));
  }
  return all;
}

inline std::vector<std::string> step_texts(const tinymath::Problem& problem) {
  std::vector<std::string> texts;
  for (const tinymath::Step& step : problem.steps) texts.push_back(step.text());
  return texts;
}

inline std::string solution(const tinymath::Problem& problem, answers::Format format) {
  return answers::render(step_texts(problem), std::to_string(problem.answer()), format);
}

}  // namespace lowbit::test
