#include <catch2/catch.hpp>

#include <lowbit/params.hpp>

namespace {

using lowbit::field;
using nlohmann::json;

struct Everything {
  std::int64_t num_bits = 4;
  int workers = 1;
  std::uint64_t limit = 0;
  double dampening_frac = 0.01;
  bool symmetric = true;
  std::string actorder = "none";
  std::vector<std::string> skip{"lm_head"};
  std::vector<int> group_sizes{64, 128};
  std::optional<double> clip;
  std::optional<std::string> preset;
  json extra = json::object();
  std::string model;

  static auto fields() {
    return lowbit::fields<Everything>(
        field(&Everything::num_bits, "num_bits").range(2, 8).unit("bits").doc("bits of a stored code"),
        field(&Everything::workers, "workers").at_least(1).no_effect_on_result().doc("threads that read"),
        field(&Everything::limit, "limit").doc("items; 0: all"),
        field(&Everything::dampening_frac, "dampening_frac").above(0).below(1).doc("of the mean diagonal"),
        field(&Everything::symmetric, "symmetric").doc("zero point in the middle of the grid"),
        field(&Everything::actorder, "actorder").one_of("none", "static", "group").doc("order of the columns"),
        field(&Everything::skip, "skip").doc("layers left alone"),
        field(&Everything::group_sizes, "group_sizes").one_of(32, 64, 128).not_empty().doc("sizes tried"),
        field(&Everything::clip, "clip").at_most(1).doc("share of the range kept"),
        field(&Everything::preset, "preset").one_of("fast", "best").doc("named settings"),
        field(&Everything::extra, "extra").doc("passed on as it is"),
        field(&Everything::model, "model").required().not_empty().doc("name at the endpoint"));
  }
};

std::string refusal(const json& params) {
  try {
    (void)lowbit::read_params<Everything>(params);
    return "accepted";
  } catch (const lowbit::StageError& e) {
    REQUIRE(e.status() == LB_BAD_PARAM);
    return e.text().why;
  }
}

json with(const char* name, json value) { return {{"model", "m"}, {name, std::move(value)}}; }

TEST_CASE("one field list gives the schema with defaults, bounds, units and documentation", "[sdk][params]") {
  const json expected = json::parse(R"({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": false,
    "required": ["model"],
    "properties": {
      "num_bits": {"type": "integer", "minimum": 2, "maximum": 8, "default": 4, "unit": "bits",
                   "description": "bits of a stored code"},
      "workers": {"type": "integer", "minimum": 1, "maximum": 2147483647, "default": 1, "affects_result": false,
                  "description": "threads that read"},
      "limit": {"type": "integer", "minimum": 0, "default": 0, "description": "items; 0: all"},
      "dampening_frac": {"type": "number", "exclusiveMinimum": 0.0, "exclusiveMaximum": 1.0, "default": 0.01,
                         "description": "of the mean diagonal"},
      "symmetric": {"type": "boolean", "default": true, "description": "zero point in the middle of the grid"},
      "actorder": {"type": "string", "enum": ["none", "static", "group"], "default": "none",
                   "description": "order of the columns"},
      "skip": {"type": "array", "items": {"type": "string"}, "default": ["lm_head"],
               "description": "layers left alone"},
      "group_sizes": {"type": "array", "minItems": 1, "default": [64, 128], "description": "sizes tried",
                      "items": {"type": "integer", "enum": [32, 64, 128],
                                "minimum": -2147483648, "maximum": 2147483647}},
      "clip": {"type": ["number", "null"], "maximum": 1.0, "default": null,
               "description": "share of the range kept"},
      "preset": {"type": ["string", "null"], "enum": ["fast", "best", null], "default": null,
                 "description": "named settings"},
      "extra": {"type": "object", "default": {}, "description": "passed on as it is"},
      "model": {"type": "string", "minLength": 1, "description": "name at the endpoint"}
    }})");
  CHECK(lowbit::params_schema<Everything>() == expected);
}

TEST_CASE("an absent parameter keeps the default of the struct", "[sdk][params]") {
  const auto params = lowbit::read_params<Everything>({{"model", "m"}});
  CHECK(params.num_bits == 4);
  CHECK(params.dampening_frac == 0.01);
  CHECK(params.skip == std::vector<std::string>{"lm_head"});
  CHECK_FALSE(params.clip.has_value());
}

TEST_CASE("every type is read", "[sdk][params]") {
  const auto params = lowbit::read_params<Everything>({{"model", "m"},
                                                       {"num_bits", 3.0},
                                                       {"limit", 18446744073709551615U},
                                                       {"dampening_frac", 0.5},
                                                       {"symmetric", false},
                                                       {"actorder", "group"},
                                                       {"skip", json::array()},
                                                       {"group_sizes", {32}},
                                                       {"clip", 1},
                                                       {"preset", "fast"},
                                                       {"extra", {{"a", {1, 2}}}}});
  CHECK(params.num_bits == 3);
  CHECK(params.limit == 18446744073709551615U);
  CHECK(params.dampening_frac == 0.5);
  CHECK_FALSE(params.symmetric);
  CHECK(params.actorder == "group");
  CHECK(params.skip.empty());
  CHECK(params.group_sizes == std::vector<int>{32});
  CHECK(params.clip == 1.0);
  CHECK(params.preset == "fast");
  CHECK(params.extra.at("a").at(1) == 2);
}

TEST_CASE("null resets an optional parameter", "[sdk][params]") {
  CHECK_FALSE(lowbit::read_params<Everything>(with("clip", nullptr)).clip.has_value());
}

TEST_CASE("a value the schema refuses is refused by name, with what was expected", "[sdk][params]") {
  CHECK(refusal(with("num_bits", 9)) == "`num_bits` is 9, at most 8");
  CHECK(refusal(with("num_bits", 1)) == "`num_bits` is 1, at least 2");
  CHECK(refusal(with("num_bits", 3.5)) == "`num_bits` is 3.5, expected type: integer");
  CHECK(refusal(with("num_bits", 1e300)) == "`num_bits` is 1e+300, expected type: integer");
  CHECK(refusal(with("num_bits", true)) == "`num_bits` is true, expected type: integer");
  CHECK(refusal(with("workers", 4294967297)) == "`workers` is 4294967297, expected type: integer");
  CHECK(refusal(with("limit", -1)) == "`limit` is -1, expected type: integer");
  CHECK(refusal(with("dampening_frac", 0)) == "`dampening_frac` is 0, more than 0.0");
  CHECK(refusal(with("dampening_frac", 1)) == "`dampening_frac` is 1, less than 1.0");
  CHECK(refusal(with("dampening_frac", "1")) == "`dampening_frac` is \"1\", expected type: number");
  CHECK(refusal(with("symmetric", 1)) == "`symmetric` is 1, expected type: boolean");
  CHECK(refusal(with("actorder", "desc")) == "`actorder` is \"desc\", one of \"none\", \"static\", \"group\"");
  CHECK(refusal(with("skip", "lm_head")) == "`skip` is \"lm_head\", a list is expected");
  CHECK(refusal(with("skip", {1})) == "`skip` is 1, expected type: string");
  CHECK(refusal(with("group_sizes", json::array())) == "`group_sizes` is [], at least one member is expected");
  CHECK(refusal(with("group_sizes", {64, 65})) == "`group_sizes` is 65, one of 32, 64, 128");
  CHECK(refusal(with("clip", 1.5)) == "`clip` is 1.5, at most 1.0");
  CHECK(refusal(with("extra", 1)) == "`extra` is 1, expected type: object");
  CHECK(refusal({{"model", ""}}) == "`model` is \"\", a text is expected");
}

TEST_CASE("all problems of the parameters are reported at once", "[sdk][params]") {
  CHECK(refusal({{"grup_size", 3}, {"num_bits", 0}}) ==
        "`grup_size` is not a parameter of this stage; `num_bits` is 0, at least 2; `model` is required");
}

TEST_CASE("the defaults of the schema are parameters the reader accepts", "[sdk][params]") {
  json defaults{{"model", "m"}};
  const json schema = lowbit::params_schema<Everything>();
  for (const auto& [name, property] : schema.at("properties").items()) {
    if (property.contains("default")) defaults[name] = property.at("default");
  }
  CHECK(refusal(defaults) == "accepted");
}

}  // namespace
