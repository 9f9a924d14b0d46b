#include <catch2/catch.hpp>

#include "graph/draw.h"
#include "unit/graph/study.h"

namespace lowbit::test {
namespace {

constexpr const char* kCatalog = R"(
toy.quant: model:file -> quantized:file
  {"bits": {"type": "integer"}}
toy.eval: model:file -> answers:file
toy.join: answers*:file -> table:file
)";

constexpr const char* kStudy = R"(experiment: small & "quick"
matrix: {bits: [4, 3], source: [inputs.base, quantize.quantized]}
inputs: {base: {type: file, path: models/base}}
stages:
  - {id: quantize, use: toy.quant, with: {model: inputs.base}, params: {bits: "${bits}"}}
  - {id: evaluate, use: toy.eval, with: {model: "${source}"}}
  - {id: table, use: toy.join, with: {answers: {each: evaluate.answers, over: [bits, source]}}}
)";

std::string named(std::string yaml) { return yaml.replace(yaml.find("small & \"quick\""), 15, "small"); }

struct Drawn {
  explicit Drawn(const graph::DrawOptions& options) : study(kCatalog) {
    std::string three = named(kStudy);
    study.run(three.replace(three.find("[4, 3]"), 6, "[4]"));
    graph = study.expand(named(kStudy));
    drawing = graph::drawing_of(graph, study.plan(graph), options);
  }
  Study study;
  graph::ExpandedGraph graph;
  graph::Drawing drawing;
};

}  // namespace

TEST_CASE("a drawing as text lists every stage with what it reads", "[graph][draw]") {
  const Drawn drawn({.failed = {"quantize[bits=3]"}});
  CHECK(graph::draw_text(drawn.drawing) == R"(small  ✗ 1 failed, ? 2 maybe, ✓ 3 reuse
inputs.base  models/base
quantize  toy.quant  ✗ 1 failed, ✓ 1 reuse
  <- inputs.base  model
evaluate  toy.eval  ? 1 maybe, ✓ 2 reuse
  <- inputs.base  model
  <- quantize  quantized → model
table  toy.join  ? 1 maybe
  <- evaluate  each answers
)");
}

TEST_CASE("a drawing for Graphviz and one for Mermaid hold the same", "[graph][draw]") {
  const Drawn drawn({.failed = {"quantize[bits=3]"}});
  CHECK(graph::draw_dot(drawn.drawing) == R"GOLD(digraph "small" {
  rankdir=TB; node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11];
  edge [fontname="sans-serif", fontsize=9];
  n0 [label="inputs.base\nmodels/base", fillcolor="#f3f4f5", color="#5b646d", style=filled];
  n1 [label="quantize\ntoy.quant\n✗ 1 failed, ✓ 1 reuse", fillcolor="#fbe4d8", color="#b34700"];
  n2 [label="evaluate\ntoy.eval\n? 1 maybe, ✓ 2 reuse", fillcolor="#fdf1d3", color="#b37d00"];
  n3 [label="table\ntoy.join\n? 1 maybe", fillcolor="#fdf1d3", color="#b37d00"];
  n0 -> n1 [label="model"];
  n0 -> n2 [label="model"];
  n1 -> n2 [label="quantized → model"];
  n2 -> n3 [label="each answers"];
}
)GOLD");
  CHECK(graph::draw_mermaid(drawn.drawing) == R"GOLD(flowchart TB
  n0[/"inputs.base<br/>models/base"/]:::input
  n1["quantize<br/>toy.quant<br/>✗ 1 failed, ✓ 1 reuse"]:::failed
  n2["evaluate<br/>toy.eval<br/>? 1 maybe, ✓ 2 reuse"]:::maybe
  n3["table<br/>toy.join<br/>? 1 maybe"]:::maybe
  n0 -->|"model"| n1
  n0 -->|"model"| n2
  n1 -->|"quantized → model"| n2
  n2 -->|"each answers"| n3
  classDef failed fill:#fbe4d8,stroke:#b34700,color:#16191c
  classDef run fill:#dcecf7,stroke:#0072b2,color:#16191c
  classDef maybe fill:#fdf1d3,stroke:#b37d00,color:#16191c
  classDef reuse fill:#daf1e9,stroke:#00805d,color:#16191c
  classDef input fill:#f3f4f5,stroke:#5b646d,color:#16191c
)GOLD");
}

TEST_CASE("a drawing of variants has a box for each of them", "[graph][draw]") {
  const Drawn drawn({.variants = true, .failed = {}});
  CHECK(graph::draw_text(drawn.drawing) == R"GOLD(small  ▶ 1 run, ? 2 maybe, ✓ 3 reuse
inputs.base  models/base
quantize[bits=4]  toy.quant  ✓ 1 reuse
  <- inputs.base  model
quantize[bits=3]  toy.quant  ▶ 1 run
  <- inputs.base  model
evaluate[source=inputs.base]  toy.eval  ✓ 1 reuse
  <- inputs.base  model
evaluate[bits=4,source=quantize.quantized]  toy.eval  ✓ 1 reuse
  <- quantize[bits=4]  quantized → model
evaluate[bits=3,source=quantize.quantized]  toy.eval  ? 1 maybe
  <- quantize[bits=3]  quantized → model
table  toy.join  ? 1 maybe
  <- evaluate[bits=3,source=quantize.quantized]  each answers
  <- evaluate[bits=4,source=quantize.quantized]  each answers
  <- evaluate[source=inputs.base]  each answers
)GOLD");
}

TEST_CASE("an SVG tells states by mark, word and colour", "[graph][draw]") {
  const Drawn drawn({.failed = {"quantize[bits=3]"}});
  CHECK(graph::draw_svg(drawn.drawing) ==
        R"GOLD(<svg xmlns="http://www.w3.org/2000/svg" width="344" height="486" viewBox="0 0 344 486" role="img">
<title>small</title><desc>✗ 1 failed, ? 2 maybe, ✓ 3 reuse</desc>
<style>text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:#16191c;text-anchor:middle}.t{font-weight:600}.d,.c{font-size:11px}.d{fill:#56606a}.p{font-size:10px;fill:#56606a;stroke:#fff;stroke-width:3px;paint-order:stroke}.h{font-weight:600;font-size:14px;text-anchor:start}path{fill:none;stroke:#8a939b;stroke-width:1.3}</style>
<defs><marker id="a" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="6" markerHeight="6" orient="auto"><polygon points="0,0 8,4 0,8" fill="#8a939b"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
<text x="24" y="24" class="h">small: ✗ 1 failed, ? 2 maybe, ✓ 3 reuse</text>
<g transform="translate(0 28)">
<path d="M158 68 C158 96 102 96 102 124" marker-end="url(#a)"/>
<path d="M158 68 C158 114 214 114 214 160 C214 203 158 203 158 246" marker-end="url(#a)"/>
<path d="M102 190 C102 218 158 218 158 246" marker-end="url(#a)"/>
<path d="M158 312 C158 340 158 340 158 368" marker-end="url(#a)"/>
<g><title>inputs.base
models/base</title><rect x="104" y="24" width="108" height="44" rx="2" fill="#f3f4f5" stroke="#5b646d" stroke-dasharray="4 3"/><text x="158" y="42" class="t">inputs.base</text><text x="158" y="58" class="d">models/base</text></g>
<g><title>quantize
toy.quant</title><rect x="24" y="130" width="156" height="60" rx="8" fill="#fbe4d8" stroke="#b34700"/><text x="102" y="148" class="t">quantize</text><text x="102" y="164" class="d">toy.quant</text><text x="102" y="180" class="c">✗ 1 failed, ✓ 1 reuse</text></g>
<g><title>evaluate
toy.eval</title><rect x="83" y="252" width="150" height="60" rx="8" fill="#fdf1d3" stroke="#b37d00"/><text x="158" y="270" class="t">evaluate</text><text x="158" y="286" class="d">toy.eval</text><text x="158" y="302" class="c">? 1 maybe, ✓ 2 reuse</text></g>
<g><title>table
toy.join</title><rect x="116" y="374" width="84" height="60" rx="8" fill="#fdf1d3" stroke="#b37d00"/><text x="158" y="392" class="t">table</text><text x="158" y="408" class="d">toy.join</text><text x="158" y="424" class="c">? 1 maybe</text></g>
<text x="130" y="102" class="p">model</text>
<text x="186" y="209" class="p">model</text>
<text x="130" y="224" class="p">quantized → model</text>
<text x="158" y="346" class="p">each answers</text>
</g>
</svg>
)GOLD");
}

TEST_CASE("text from a file stays text in every format", "[graph][draw]") {
  graph::Drawing drawing;
  drawing.title = "a<b> & \"c\"";
  drawing.nodes = {{.id = "n0", .title = "x\"]<y>&", .detail = "back\\slash#1", .external = true, .counts = {}}};
  CHECK_THAT(graph::draw_svg(drawing), Catch::Contains("<title>a&lt;b&gt; &amp; &quot;c&quot;</title>") &&
                                           Catch::Contains(">x&quot;]&lt;y&gt;&amp;</text>"));
  CHECK_THAT(graph::draw_dot(drawing), Catch::Contains("digraph \"a<b> & \\\"c\\\"\" {") &&
                                           Catch::Contains("label=\"x\\\"]<y>&\\nback\\\\slash#1\""));
  CHECK_THAT(graph::draw_mermaid(drawing), Catch::Contains("n0[/\"x#quot;]#lt;y#gt;&<br/>back\\slash#35;1\"/]"));
}

TEST_CASE("stages that feed each other by different variants are joined by a dashed line back", "[graph][draw]") {
  graph::Drawing drawing;
  drawing.title = "loop";
  drawing.nodes = {{.id = "n0", .title = "a", .detail = "p", .external = false, .counts = {.run = 2}},
                   {.id = "n1", .title = "b", .detail = "p", .external = false, .counts = {.run = 1}}};
  drawing.edges = {{.from = 0, .to = 1, .ports = {"in"}, .back = false},
                   {.from = 1, .to = 0, .ports = {"again"}, .back = true}};
  CHECK_THAT(graph::draw_dot(drawing), Catch::Contains("n1 -> n0 [label=\"again\", style=dashed, constraint=false];"));
  CHECK_THAT(graph::draw_mermaid(drawing), Catch::Contains("n1 -.->|\"again\"| n0"));
  CHECK_THAT(graph::draw_svg(drawing), Catch::Contains("stroke-dasharray=\"5 4\"") && Catch::Contains(">again</text>"));
}

TEST_CASE("of many files behind one box two are named, without control characters", "[graph][draw]") {
  Study study(kCatalog);
  const graph::ExpandedGraph graph = study.expand(R"(experiment: paths
matrix: {model: [a, "b\u001b", c]}
inputs: {base: {type: file, path: "models/${model}"}}
stages: [{id: evaluate, use: toy.eval, with: {model: inputs.base}}]
)");
  const std::string text = graph::draw_text(graph::drawing_of(graph, study.plan(graph), {}));
  CHECK_THAT(text, Catch::Contains("inputs.base  models/a, models/b\\x1b and 1 more\n"));
}

}  // namespace lowbit::test
