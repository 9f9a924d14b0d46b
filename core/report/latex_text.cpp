#include "report/latex_text.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "base/words.h"

namespace lowbit::report {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 238> kLatex{{
    {"\\", "\\textbackslash{}"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"%", "\\%"},
    {"&", "\\&"},
    {"_", "\\_"},
    {"#", "\\#"},
    {"$", "\\$"},
    {"~", "\\textasciitilde{}"},
    {"^", "\\textasciicircum{}"},
    {"`", "\\textasciigrave{}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"–", "--"},
    {"—", "---"},
    {"…", "\\ldots{}"},
    {"\u2010", "-"},
    {"\u2011", "-"},
    {"“", "``"},
    {"”", "''"},
    {"‘", "`"},
    {"’", "'"},
    {"\u00A0", "~"},
    {"\u2009", "\\,"},
    {"\u202F", "\\,"},
    {"\u2007", "\\,"},
    {"\u2044", "/"},
    {"\u2215", "/"},
    {"α", "$\\alpha$"},
    {"β", "$\\beta$"},
    {"γ", "$\\gamma$"},
    {"δ", "$\\delta$"},
    {"ε", "$\\varepsilon$"},
    {"ζ", "$\\zeta$"},
    {"η", "$\\eta$"},
    {"θ", "$\\theta$"},
    {"ι", "$\\iota$"},
    {"κ", "$\\kappa$"},
    {"λ", "$\\lambda$"},
    {"μ", "$\\mu$"},
    {"ν", "$\\nu$"},
    {"ξ", "$\\xi$"},
    {"ο", "$o$"},
    {"π", "$\\pi$"},
    {"ρ", "$\\rho$"},
    {"ς", "$\\varsigma$"},
    {"σ", "$\\sigma$"},
    {"τ", "$\\tau$"},
    {"υ", "$\\upsilon$"},
    {"φ", "$\\varphi$"},
    {"χ", "$\\chi$"},
    {"ψ", "$\\psi$"},
    {"ω", "$\\omega$"},
    {"\u03D5", "$\\phi$"},
    {"\u03F5", "$\\epsilon$"},
    {"ϑ", "$\\vartheta$"},
    {"ϖ", "$\\varpi$"},
    {"ϱ", "$\\varrho$"},
    {"Α", "$\\mathrm{A}$"},
    {"Β", "$\\mathrm{B}$"},
    {"Γ", "$\\Gamma$"},
    {"Δ", "$\\Delta$"},
    {"Ε", "$\\mathrm{E}$"},
    {"Ζ", "$\\mathrm{Z}$"},
    {"Η", "$\\mathrm{H}$"},
    {"Θ", "$\\Theta$"},
    {"Ι", "$\\mathrm{I}$"},
    {"Κ", "$\\mathrm{K}$"},
    {"Λ", "$\\Lambda$"},
    {"Μ", "$\\mathrm{M}$"},
    {"Ν", "$\\mathrm{N}$"},
    {"Ξ", "$\\Xi$"},
    {"Ο", "$\\mathrm{O}$"},
    {"Π", "$\\Pi$"},
    {"Ρ", "$\\mathrm{P}$"},
    {"Σ", "$\\Sigma$"},
    {"Τ", "$\\mathrm{T}$"},
    {"Υ", "$\\Upsilon$"},
    {"Φ", "$\\Phi$"},
    {"Χ", "$\\mathrm{X}$"},
    {"Ψ", "$\\Psi$"},
    {"Ω", "$\\Omega$"},
    {"\u00B5", "$\\mu$"},
    {"\u2126", "$\\Omega$"},
    {"\u2206", "$\\Delta$"},
    {"⁰", "$^{0}$"},
    {"¹", "$^{1}$"},
    {"²", "$^{2}$"},
    {"³", "$^{3}$"},
    {"⁴", "$^{4}$"},
    {"⁵", "$^{5}$"},
    {"⁶", "$^{6}$"},
    {"⁷", "$^{7}$"},
    {"⁸", "$^{8}$"},
    {"⁹", "$^{9}$"},
    {"⁺", "$^{+}$"},
    {"⁻", "$^{-}$"},
    {"⁼", "$^{=}$"},
    {"⁽", "$^{(}$"},
    {"⁾", "$^{)}$"},
    {"ⁿ", "$^{n}$"},
    {"ⁱ", "$^{i}$"},
    {"₀", "$_{0}$"},
    {"₁", "$_{1}$"},
    {"₂", "$_{2}$"},
    {"₃", "$_{3}$"},
    {"₄", "$_{4}$"},
    {"₅", "$_{5}$"},
    {"₆", "$_{6}$"},
    {"₇", "$_{7}$"},
    {"₈", "$_{8}$"},
    {"₉", "$_{9}$"},
    {"₊", "$_{+}$"},
    {"₋", "$_{-}$"},
    {"₌", "$_{=}$"},
    {"₍", "$_{(}$"},
    {"₎", "$_{)}$"},
    {"ₐ", "$_{a}$"},
    {"ₑ", "$_{e}$"},
    {"ₒ", "$_{o}$"},
    {"ₓ", "$_{x}$"},
    {"ₕ", "$_{h}$"},
    {"ₖ", "$_{k}$"},
    {"ₗ", "$_{l}$"},
    {"ₘ", "$_{m}$"},
    {"ₙ", "$_{n}$"},
    {"ₚ", "$_{p}$"},
    {"ₛ", "$_{s}$"},
    {"ₜ", "$_{t}$"},
    {"ᵢ", "$_{i}$"},
    {"ⱼ", "$_{j}$"},
    {"ᵣ", "$_{r}$"},
    {"ᵤ", "$_{u}$"},
    {"ᵥ", "$_{v}$"},
    {"−", "$-$"},
    {"±", "$\\pm$"},
    {"∓", "$\\mp$"},
    {"×", "$\\times$"},
    {"÷", "$\\div$"},
    {"·", "$\\cdot$"},
    {"\u2219", "$\\cdot$"},
    {"\u22C5", "$\\cdot$"},
    {"∗", "$\\ast$"},
    {"∘", "$\\circ$"},
    {"⊙", "$\\odot$"},
    {"⊗", "$\\otimes$"},
    {"⊕", "$\\oplus$"},
    {"⊖", "$\\ominus$"},
    {"≤", "$\\leq$"},
    {"≥", "$\\geq$"},
    {"≪", "$\\ll$"},
    {"≫", "$\\gg$"},
    {"≠", "$\\neq$"},
    {"≈", "$\\approx$"},
    {"≡", "$\\equiv$"},
    {"∼", "$\\sim$"},
    {"≃", "$\\simeq$"},
    {"≅", "$\\cong$"},
    {"∝", "$\\propto$"},
    {"∞", "$\\infty$"},
    {"√", "$\\surd$"},
    {"∑", "$\\sum$"},
    {"∏", "$\\prod$"},
    {"∫", "$\\int$"},
    {"∂", "$\\partial$"},
    {"∇", "$\\nabla$"},
    {"∈", "$\\in$"},
    {"∉", "$\\notin$"},
    {"∋", "$\\ni$"},
    {"∅", "$\\emptyset$"},
    {"∩", "$\\cap$"},
    {"∪", "$\\cup$"},
    {"⊂", "$\\subset$"},
    {"⊆", "$\\subseteq$"},
    {"⊃", "$\\supset$"},
    {"⊇", "$\\supseteq$"},
    {"∀", "$\\forall$"},
    {"∃", "$\\exists$"},
    {"¬", "$\\neg$"},
    {"∧", "$\\wedge$"},
    {"∨", "$\\vee$"},
    {"⊥", "$\\perp$"},
    {"⊤", "$\\top$"},
    {"∥", "$\\parallel$"},
    {"\u2223", "$\\mid$"},
    {"∠", "$\\angle$"},
    {"⌈", "$\\lceil$"},
    {"⌉", "$\\rceil$"},
    {"⌊", "$\\lfloor$"},
    {"⌋", "$\\rfloor$"},
    {"⟨", "$\\langle$"},
    {"⟩", "$\\rangle$"},
    {"‖", "$\\|$"},
    {"⋯", "$\\cdots$"},
    {"←", "$\\leftarrow$"},
    {"→", "$\\rightarrow$"},
    {"↑", "$\\uparrow$"},
    {"↓", "$\\downarrow$"},
    {"↔", "$\\leftrightarrow$"},
    {"↕", "$\\updownarrow$"},
    {"↗", "$\\nearrow$"},
    {"↘", "$\\searrow$"},
    {"↙", "$\\swarrow$"},
    {"↖", "$\\nwarrow$"},
    {"⇐", "$\\Leftarrow$"},
    {"⇒", "$\\Rightarrow$"},
    {"⇑", "$\\Uparrow$"},
    {"⇓", "$\\Downarrow$"},
    {"⇔", "$\\Leftrightarrow$"},
    {"↦", "$\\mapsto$"},
    {"⟶", "$\\longrightarrow$"},
    {"⟵", "$\\longleftarrow$"},
    {"ℓ", "$\\ell$"},
    {"ℏ", "$\\hbar$"},
    {"ℝ", "$\\mathbf{R}$"},
    {"ℕ", "$\\mathbf{N}$"},
    {"ℤ", "$\\mathbf{Z}$"},
    {"ℜ", "$\\Re$"},
    {"ℑ", "$\\Im$"},
    {"✓", "$\\surd$"},
    {"✔", "$\\surd$"},
    {"✗", "$\\times$"},
    {"✘", "$\\times$"},
    {"•", "$\\bullet$"},
    {"★", "$\\star$"},
    {"☆", "$\\star$"},
    {"′", "$'$"},
    {"″", "$''$"},
    {"°", "$^{\\circ}$"},
    {"△", "$\\triangle$"},
    {"▲", "$\\triangle$"},
    {"▽", "$\\bigtriangledown$"},
    {"▼", "$\\bigtriangledown$"},
    {"◇", "$\\diamond$"},
    {"○", "$\\circ$"},
    {"●", "$\\bullet$"},
    {"†", "$\\dagger$"},
    {"‡", "$\\ddagger$"},
}};

/// Letters that LaTeX's own fonts lack among those of Latin-1 and Latin Extended-A.
constexpr std::string_view kLettersWithoutFont = "ĦħĸĿŀŉŦŧſ";

/// Whether pdfLaTeX has the character: ASCII, and the letters up to U+017F.
bool is_plain(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x80) return true;
  return character.size() == 2 && first >= 0xC2 && first <= 0xC5 &&
         kLettersWithoutFont.find(character) == std::string_view::npos;
}

}  // namespace

std::string latex_text(const std::string& text) {
  const std::string plain = printable(text);
  std::string out;
  for (std::size_t i = 0; i < plain.size();) {
    const std::size_t close = plain[i] == '`' ? plain.find('`', i + 1) : std::string::npos;
    if (close != std::string::npos) {
      out += "\\texttt{" + latex_text(plain.substr(i + 1, close - i - 1)) + "}";
      i = close + 1;
      continue;
    }
    const std::string_view rest = std::string_view(plain).substr(i);
    const std::string_view character = rest.substr(0, std::max<std::size_t>(utf8_length(rest), 1));
    const auto special =
        std::find_if(kLatex.begin(), kLatex.end(), [&](const auto& known) { return known.first == character; });
    out += special == kLatex.end() ? character : special->second;
    // Two hyphens would become a dash.
    if (rest.starts_with("--")) out += "{}";
    i += character.size();
  }
  return out;
}

std::string latex_engine_comment(std::string_view latex) {
  std::vector<std::string_view> unknown;
  while (!latex.empty()) {
    const std::string_view character = latex.substr(0, std::max<std::size_t>(utf8_length(latex), 1));
    latex.remove_prefix(character.size());
    if (is_plain(character) || std::find(unknown.begin(), unknown.end(), character) != unknown.end()) continue;
    unknown.push_back(character);
  }
  return unknown.empty() ? "" : "% needs XeLaTeX or LuaLaTeX, and a font that has: " + joined(unknown, " ") + "\n";
}

}  // namespace lowbit::report
