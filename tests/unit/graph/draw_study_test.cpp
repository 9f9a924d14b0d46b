#include <catch2/catch.hpp>

#include <map>
#include <regex>

#include "graph/draw.h"
#include "support/written_study.h"

using namespace lowbit;

namespace {

/// Two widths of a quantizer that are scored; a stage that was lost; and a chain that has nothing to do with them.
test::WrittenStudy written() {
  test::WrittenStudy study;
  for (const int bits : {4, 3}) {
    const std::size_t made = study.add("quantize", {{"bits", bits}}, {}, Json::object(), "quantizer",
                                       bits == 4 ? "lowbit.rtn" : "lowbit.gptq");
    study.recipes[made].inputs.push_back(
        {.port = "model", .type = "model/1", .digest = "e27b2671aa", .maker_port = {}});
    const std::size_t scored =
        study.add("score", {{"bits", bits}}, {}, Json::object(), "evaluator", "lowbit.perplexity");
    study.recipes[scored].inputs.push_back(
        {.port = "model", .type = {}, .digest = "11", .maker_port = "quantized", .maker = made});
  }
  study.study.variants.back().state = "lost";
  const std::size_t cases = study.add("cases", Json::object(), {}, Json::object(), "dataset", "lowbit.cases");
  const std::size_t judged = study.add("judge", Json::object(), {}, Json::object(), "judge", "lowbit.judge");
  study.recipes[judged].inputs.push_back(
      {.port = "cases", .type = {}, .digest = "22", .maker_port = "cases", .maker = cases});
  study.study.variants.back().state = "never";
  return study;
}

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// Of the nodes, as the picture has them.
std::vector<Box> boxes_in(const std::string& svg) {
  std::vector<Box> boxes;
  const std::regex rect(R"re(<rect x="([-0-9.]+)" y="([-0-9.]+)" width="([0-9.]+)" height="([0-9.]+)")re");
  for (std::sregex_iterator it(svg.begin(), svg.end(), rect), end; it != end; ++it) {
    const double x = std::stod((*it)[1]);
    const double y = std::stod((*it)[2]);
    boxes.push_back({x, y, x + std::stod((*it)[3]), y + std::stod((*it)[4])});
  }
  return boxes;
}

}  // namespace

TEST_CASE("a study is drawn from its results alone", "[graph][draw]") {
  const test::WrittenStudy study = written();
  const graph::Drawing drawing =
      graph::drawing_of(study.study, study.recipes, std::map<std::string, std::string>{{"e27b2671aa", "models/base"}});
  CHECK(graph::draw_text(drawing) == R"(study  ✗ 1 failed, · 1 missing, ✓ 4 done
base  e27b2671
quantize  lowbit.rtn 1, lowbit.gptq 1  ✓ 2 done
  <- base  model
score  lowbit.perplexity 1  ✗ 1 failed, ✓ 1 done
  <- quantize  quantized → model
cases  lowbit.cases 1  ✓ 1 done
judge  lowbit.judge 1  · 1 missing
  <- cases  cases
)");
  CHECK(drawing.counts.all() == study.study.variants.size());
}

TEST_CASE("a file from outside whose place is not known goes by its port", "[graph][draw]") {
  const test::WrittenStudy study = written();
  CHECK_THAT(graph::draw_text(graph::drawing_of(study.study, study.recipes, {})), Catch::Contains("model  e27b2671\n"));
}

TEST_CASE("parts of a picture that are not joined stand side by side", "[graph][draw]") {
  graph::Drawing drawing;
  // A wide fan, whose layers drift apart, and a chain beside it.
  for (int i = 0; i < 14; ++i) drawing.nodes.push_back({.id = "n" + std::to_string(i), .title = "stage"});
  for (std::size_t leaf = 1; leaf < 12; ++leaf) drawing.edges.push_back({.from = 0, .to = leaf, .ports = {"model"}});
  drawing.edges.push_back({.from = 12, .to = 13, .ports = {"model"}});
  const std::vector<Box> boxes = boxes_in(graph::draw_svg(drawing));
  REQUIRE(boxes.size() == 14);
  double free = boxes[12].left;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool apart = boxes[i].right <= boxes[j].left || boxes[j].right <= boxes[i].left ||
                         boxes[i].bottom <= boxes[j].top || boxes[j].bottom <= boxes[i].top;
      CHECK(apart);
    }
    if (i < 12) free = std::min(free, boxes[13].left - boxes[i].right);
  }
  // The chain could stand no further left: its lower box follows the fan's last one by the gap between neighbours.
  CHECK(free > 0);
  CHECK(free <= 40);
}
