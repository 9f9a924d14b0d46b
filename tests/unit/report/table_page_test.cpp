#include "report/table_page.h"

#include "report/latex_text.h"

#include <catch2/catch.hpp>

using namespace lowbit::report;

namespace {

PrintedTable table_of(const std::string& label) {
  return {.title = {}, .columns = {}, .rows = {{"", label, {}}}, .marks = false, .notes = {}, .source = "source"};
}

}  // namespace

TEST_CASE("LaTeX prints Greek letters, indices, operators and arrows as mathematics", "[report]") {
  CHECK(latex_text("α β γ λ μ σ π τ ε Ω") ==
        "$\\alpha$ $\\beta$ $\\gamma$ $\\lambda$ $\\mu$ $\\sigma$ $\\pi$ $\\tau$ $\\varepsilon$ $\\Omega$");
  CHECK(latex_text("x₀₉ 10⁻⁹ x²") == "x$_{0}$$_{9}$ 10$^{-}$$^{9}$ x$^{2}$");
  CHECK(
      latex_text("≠ ∞ √ ∑ ∈ ∂ ∇ ✓ ✗ ↔ ℓ") ==
      "$\\neq$ $\\infty$ $\\surd$ $\\sum$ $\\in$ $\\partial$ $\\nabla$ $\\surd$ $\\times$ $\\leftrightarrow$ $\\ell$");
  CHECK(latex_text("a_b {50 %} c\\d “e” – --f") == "a\\_b \\{50 \\%\\} c\\textbackslash{}d ``e'' -- -{}-f");
  CHECK(latex_text("größe Łódź") == "größe Łódź");
}

TEST_CASE("LaTeX prints what stands between two backticks as code", "[report]") {
  CHECK(latex_text("graded by `judge_1`, `a` and `b") ==
        "graded by \\texttt{judge\\_1}, \\texttt{a} and \\textasciigrave{}b");
}

TEST_CASE("LaTeX names the characters that pdfLaTeX cannot print", "[report]") {
  const std::string page = render(table_of("量 子 量 ħ α é"), PageFormat::latex);
  CHECK(page.starts_with("% source\n% needs XeLaTeX or LuaLaTeX, and a font that has: 量 子 ħ\n\\begingroup\n"));
  CHECK(render(table_of("α é"), PageFormat::latex).starts_with("% source\n\\begingroup\n"));
  CHECK(render(table_of("量"), PageFormat::latex, true).starts_with("% needs XeLaTeX"));
}
