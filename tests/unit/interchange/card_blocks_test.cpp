#include "interchange/card_blocks.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::interchange;

namespace {

const CardBlocks kBlocks{.metadata = "model-index:\n- name: new\n", .results = "new 1\nnew 2\n"};

std::string refusal(const std::string& card) {
  const auto patched = patched_card(card, kBlocks, "README.md");
  REQUIRE_FALSE(patched.ok());
  REQUIRE(patched.error().front().code == "LB7071");
  return patched.error().front().notes.at(0);
}

}  // namespace

TEST_CASE("a card is changed between its markers and nowhere else", "[interchange]") {
  const std::string card =
      "---\nlicense: mit\n# lowbit:model-index\nold\n# lowbit:end\ntags: [a]\n---\nMine.\n\n<!-- lowbit:results "
      "-->\nold\n"
      "<!-- lowbit:end -->\nMine, without a newline";
  const auto patched = patched_card(card, kBlocks, "README.md");
  REQUIRE(patched.ok());
  CHECK(*patched ==
        "---\nlicense: mit\n# lowbit:model-index\nmodel-index:\n- name: new\n# lowbit:end\ntags: [a]\n---\nMine.\n\n"
        "<!-- lowbit:results -->\nnew 1\nnew 2\n<!-- lowbit:end -->\nMine, without a newline");
  CHECK(*patched_card(*patched, kBlocks, "README.md") == *patched);
}

TEST_CASE("either place will do, and line ends stay", "[interchange]") {
  CHECK(*patched_card("a\r\n<!-- lowbit:results -->\r\n<!-- lowbit:end -->\r\n", kBlocks, "x") ==
        "a\r\n<!-- lowbit:results -->\r\nnew 1\r\nnew 2\r\n<!-- lowbit:end -->\r\n");
  CHECK(*patched_card("---\n# lowbit:model-index\n# lowbit:end\n---\n", kBlocks, "x") ==
        "---\n# lowbit:model-index\nmodel-index:\n- name: new\n# lowbit:end\n---\n");
  // A card may have an index of its own where only its text is patched.
  const std::string own = "---\nmodel-index: []\n---\n<!-- lowbit:results -->\n<!-- lowbit:end -->\n";
  CHECK(patched_card(own, kBlocks, "x").ok());
}

TEST_CASE("a whole card is one that can be patched", "[interchange]") {
  const std::string card = whole_card({.metadata = "model-index: []\n", .results = "old\n"});
  CHECK(*patched_card(card, kBlocks, "README.md") == whole_card(kBlocks));
}

TEST_CASE("a card without a place for results is refused", "[interchange]") {
  CHECK(refusal("# A card\n") == "no pair of lines marks one");
  CHECK(refusal("<!-- lowbit:results -->\n") == "no line <!-- lowbit:end --> stands behind <!-- lowbit:results -->");
  CHECK(refusal("<!-- lowbit:end -->\n<!-- lowbit:results -->\n") ==
        "no line <!-- lowbit:end --> stands behind <!-- lowbit:results -->");
  CHECK(refusal("<!-- lowbit:results -->\n<!-- lowbit:end -->\n<!-- lowbit:results -->\n<!-- lowbit:end -->\n") ==
        "the line <!-- lowbit:results --> is there twice");
  CHECK(refusal("---\nmodel-index: []\n# lowbit:model-index\n# lowbit:end\n---\n") ==
        "its metadata has a `model-index` of its own, and YAML allows one");
  CHECK(refusal("---\na: 1\n---\n# lowbit:model-index\n# lowbit:end\n")
            .starts_with("# lowbit:model-index does not stand"));
}
