// The recursive reader behind read_latex(); see there. One function per level of binding, loosest first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "answers/expression.h"
#include "answers/limits.h"

namespace lowbit::answers {

/// Thrown where the text is not understood; read_latex() turns it into nothing.
struct Unreadable {};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  Node whole();

 private:
  using Rows = std::vector<std::vector<Node>>;  // elements between commas, rows between semicolons

  // Levels of binding.
  Rows rows();
  Node relation();
  Node set_expression();
  Node additive();
  Node term();
  Node signed_factor();
  Node implicit_product();
  Node factor();
  Node with_postfix(Node base);
  Node primary();

  // Groups (reader_groups.cpp).
  Node bracketed(char open);
  Node braced();
  Node visible_set();
  Node absolute_value(std::string_view closing);
  Node between(std::string_view name, std::string_view closing);
  Node matrix_environment();
  std::string raw_group();
  Node group_or_token();

  // Commands and words (reader_commands.cpp).
  Node command();
  Node named_command(std::string_view name);
  Node fraction();
  Node root();
  Node applied(std::string_view name);
  Node text_command(std::string_view name);
  Node letter_or_word();
  Node subscripted(std::string name);
  Node call_or_symbol(const std::string& name);
  Node indexed_sum(std::string_view name);

  // Numbers (reader_numbers.cpp).
  Node number_literal();
  Node mixed_with(const Node& whole);

  // The cursor.
  void blanks();
  bool at_end() { return blanks(), at_ == text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool sees(std::string_view word) const { return text_.substr(at_, word.size()) == word; }
  bool take(std::string_view word);
  /// A command, not the beginning of a longer one.
  [[nodiscard]] bool sees_command(std::string_view name) const;
  bool take_command(std::string_view name);
  void expect(std::string_view word);
  bool begins_factor();
  bool take_relation(Relation& relation, bool& approximate);
  void count_node();

  /// Counts nesting; more than kDepth is unreadable.
  class Nesting {
   public:
    explicit Nesting(Reader& reader) : reader_(reader) {
      if (++reader_.depth_ > kDepth) throw Unreadable{};
    }
    ~Nesting() { --reader_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Reader& reader_;
  };

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0, n_nodes_ = 0;
  std::vector<std::string_view> bars_;  // how the absolute values that are open will close
};

/// One element is itself; several are a set; rows of several are a set of tuples. a = 1, 2 is a = {1, 2}.
[[nodiscard]] Node answer_of(std::vector<std::vector<Node>> rows);
/// Its value with each ± taken as + and as -, or itself.
[[nodiscard]] std::vector<Node> without_plus_minus(const Node& node);

}  // namespace lowbit::answers
