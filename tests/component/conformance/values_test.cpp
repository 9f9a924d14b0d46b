#include <catch2/catch.hpp>

#include "exec/conformance_values.h"

using namespace lowbit;
using exec::is_legal_value;
using exec::values_beside;
using exec::values_outside;

namespace {

Json outside(const char* schema) { return values_outside(Json::parse(schema)); }
Json beside(const char* schema, const Json& value) { return values_beside(Json::parse(schema), value); }

}  // namespace

TEST_CASE("values outside stand just beyond each bound", "[conformance]") {
  CHECK(outside(R"({"type": "integer", "minimum": 2, "maximum": 8})") == Json{1, 9});
  CHECK(outside(R"({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5})") == Json{1.5, 0});
  CHECK(outside(R"({"type": "integer", "enum": [32, 128, 64]})") == Json{129});
  CHECK(outside(R"({"type": "string", "enum": ["a", "b"]})") == Json{"not-among-the-choices"});
  CHECK(outside(R"({"type": "string", "minLength": 1, "maxLength": 3})") == Json{"", "xxxx"});
  CHECK(outside(R"({"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}})") ==
        Json{Json::array(), Json::array({-1})});
  CHECK(outside(R"({"type": ["integer", "null"], "minimum": 1})") == Json::array({0}));
}

TEST_CASE("what is not bounded has no values outside", "[conformance]") {
  CHECK(outside(R"({"type": "string"})").empty());
  CHECK(outside(R"({"type": "boolean"})").empty());
  CHECK(outside(R"({"type": "object"})").empty());
  CHECK(outside(R"({"type": "integer", "minimum": -9223372036854775808})").empty());
  CHECK(outside(R"({"type": "integer", "maximum": 9223372036854775807})").empty());
}

TEST_CASE("values beside are legal, other, and near", "[conformance]") {
  CHECK(beside(R"({"type": "integer", "minimum": 1, "maximum": 1024})", 8) == Json{9, 4, 7});
  CHECK(beside(R"({"type": "integer", "minimum": 0})", 0) == Json{1});
  CHECK(beside(R"({"type": "number", "minimum": 0, "maximum": 1})", 0.5) == Json{0.25});
  CHECK(beside(R"({"type": "boolean"})", true) == Json::array({false}));
  CHECK(beside(R"({"type": "string", "enum": ["a", "b", "c", "d", "e", "f"]})", "b") == Json{"a", "c", "d", "e"});
  CHECK(beside(R"({"type": ["integer", "null"], "minimum": 4})", nullptr) == Json{4, 5});
  CHECK(beside(R"({"type": "string"})", "a").empty());
}

TEST_CASE("values outside are illegal and values beside are legal, whatever the schema", "[conformance]") {
  const auto value = GENERATE(Json(0), Json(3), Json(-2.5), Json(1e300), Json(nullptr));
  const auto schema =
      GENERATE(R"({"type": "integer"})", R"({"type": "number", "minimum": -5, "maximum": 1e300})",
               R"({"type": ["number", "null"], "exclusiveMaximum": 4})", R"({"type": "integer", "enum": [1, 3, 5]})");
  const Json json = Json::parse(schema);
  for (const Json& other : values_outside(json)) CHECK_FALSE(is_legal_value(json, other));
  if (!is_legal_value(json, value)) return;
  for (const Json& other : values_beside(json, value)) {
    CHECK(is_legal_value(json, other));
    CHECK(other != value);
  }
}
