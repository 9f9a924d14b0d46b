#include "answers/read_latex.h"

#include <algorithm>

#include "answers/characters.h"
#include "answers/reader.h"

namespace lowbit::answers {
namespace {

/// With every ± as + (`plus`) or as -.
Node resolved(const Node& node, bool plus) {
  if (!contains(*node, Kind::plus_minus)) return node;
  std::vector<Node> parts;
  for (const Node& part : node->parts) parts.push_back(resolved(part, plus));
  if (node->kind == Kind::plus_minus)
    return plus != node->opposite ? sum(std::move(parts)) : difference(parts[0], parts[1]);
  Expression copy = *node;
  copy.parts = std::move(parts);
  return std::make_shared<const Expression>(std::move(copy));
}

/// Numbers grouped by thousands are one number, not a list: the whole text 1,234,567.8
bool is_grouped_number(std::string_view text) {
  return text.find(',') != std::string_view::npos && text.find(' ') == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == ',' || c == '.' || c == '-'; });
}

}  // namespace

std::vector<Node> without_plus_minus(const Node& node) {
  if (!contains(*node, Kind::plus_minus)) return {node};
  if (!is(node, Kind::chain)) return {resolved(node, true), resolved(node, false)};
  // x = 1 ± 2 is x = {3, -1}
  std::vector<Node> parts = node->parts;
  parts.back() = collection(Kind::set, without_plus_minus(parts.back()));
  return {chain(std::move(parts), node->relations)};
}

Node answer_of(std::vector<std::vector<Node>> rows) {
  for (auto& row : rows) {
    std::vector<Node> expanded;
    for (const Node& element : row) {
      for (Node& variant : without_plus_minus(element)) expanded.push_back(std::move(variant));
    }
    row = std::move(expanded);
  }
  std::vector<Node> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  if (all.size() == 1) return all.front();
  const auto is_chain = [](const Node& node) { return is(node, Kind::chain); };
  const Node& first = all.front();
  const bool one_name = is_chain(first) && first->relations == std::vector{Relation::equal} &&
                        is_name(*first->parts.front()) && std::none_of(all.begin() + 1, all.end(), is_chain);
  if (one_name) {
    const Node name = first->parts.front();
    all.front() = first->parts.back();
    return chain({name, collection(Kind::set, std::move(all))}, {Relation::equal});
  }
  const bool rows_of_one = std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.size() == 1; });
  if (rows.size() == 1 || rows_of_one) return collection(Kind::set, std::move(all));
  std::vector<Node> tuples;
  tuples.reserve(rows.size());
  for (auto& row : rows) tuples.push_back(collection(Kind::tuple, std::move(row)));
  return collection(Kind::set, std::move(tuples));
}

std::optional<Node> read_latex(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text.size() > kAnswerBytes) return std::nullopt;
  if (is_grouped_number(text)) {
    auto grouped = read_typed_number(text);
    if (grouped && (!(*grouped)->decimal || text.find('.') != std::string_view::npos)) return grouped;
  }
  try {
    return Reader(text).whole();
  } catch (const Unreadable&) {
    return std::nullopt;
  }
}

std::string_view last_side(std::string_view text) {
  if (text.find_first_of(",;") != std::string_view::npos) return text;
  std::size_t n_signs = 0;
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '=' || (at > 0 && std::string_view("\\<>!").find(text[at - 1]) != std::string_view::npos)) continue;
    ++n_signs;
    last = at + 1;
  }
  return n_signs > 1 ? text.substr(last) : text;
}

bool is_name(const Expression& node) {
  if (node.kind == Kind::symbol) return true;
  if (node.kind == Kind::constant) return node.name != "infinity" && node.name != "pi";
  if (node.kind == Kind::power) return is_name(*node.parts[0]) && same_tree(*node.parts[1], *number(-1));
  const bool built = node.kind == Kind::product || node.kind == Kind::function || node.kind == Kind::tuple ||
                     node.kind == Kind::interval || node.kind == Kind::sum;
  return built && node.name != "root" &&
         std::all_of(node.parts.begin(), node.parts.end(), [](const Node& part) { return is_name(*part); });
}

}  // namespace lowbit::answers
