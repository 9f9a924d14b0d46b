#include "spec/scalar.h"

#include <catch2/catch.hpp>

namespace lowbit::spec {
namespace {

Result<Json> plain(const std::string& text) {
  Node node;
  node.text = text;
  node.plain = true;
  return scalar_value(node);
}

struct Reading {
  const char* text;
  Json value;
};

}  // namespace

TEST_CASE("unquoted scalars are read by the YAML 1.2 core schema", "[spec][scalar]") {
  const std::vector<Reading> readings{
      {"null", nullptr},
      {"~", nullptr},
      {"NULL", nullptr},
      {"true", true},
      {"True", true},
      {"FALSE", false},
      {"0", 0},
      {"-0", 0},
      {"12", 12},
      {"-3", -3},
      {"+4", 4},
      {"0x1F", 31},
      {"0o17", 15},
      {".5", 0.5},
      {"5.", 5.0},
      {"1e3", 1000.0},
      {"-1.5", -1.5},
      {"+.5e1", 5.0},
      {"1e-6", 1e-6},
      {"1.0E+2", 1e2},
      {"4.0", 4.0},
      {"010.5", 10.5},
      {"nUll", "nUll"},
      {"tRUE", "tRUE"},
      {"nope", "nope"},
      {"1.2.3", "1.2.3"},
      {"e3", "e3"},
      {"1e", "1e"},
      {".", "."},
      {"-", "-"},
      {"+", "+"},
      {"0x", "0x"},
      {"0xG", "0xG"},
      {"a_1", "a_1"},
      {"2h", "2h"},
      {"1:99", "1:99"},
      {"01:30", "01:30"},
      {"2024-01-01", "2024-01-01"},
      {"${a}", "${a}"},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
  };
  for (const Reading& reading : readings) {
    INFO(reading.text);
    const Result<Json> value = plain(reading.text);
    REQUIRE(value.ok());
    CHECK(*value == reading.value);
    CHECK(value->type_name() == std::string(reading.value.type_name()));
    CHECK(value->is_number_float() == reading.value.is_number_float());
  }
}

TEST_CASE("what YAML 1.1 reads as something else is refused with both readings", "[spec][scalar]") {
  struct Trapped {
    const char* text;
    const char* label;
    const char* help;
  };
  const std::vector<Trapped> traps{
      {"yes", "YAML 1.1 reads true", "write `true`, or quote it if it is text: \"yes\""},
      {"On", "YAML 1.1 reads true", "write `true`, or quote it if it is text: \"On\""},
      {"y", "YAML 1.1 reads true", "write `true`, or quote it if it is text: \"y\""},
      {"no", "YAML 1.1 reads false", "write `false`, or quote it if it is text: \"no\""},
      {"OFF", "YAML 1.1 reads false", "write `false`, or quote it if it is text: \"OFF\""},
      {"010", "YAML 1.1 reads the octal number 8", "write `10`, or quote it if it is text: \"010\""},
      {"-010", "YAML 1.1 reads the octal number -8", "write `-10`, or quote it if it is text: \"-010\""},
      {"00", "YAML 1.1 reads the octal number 0", "write `0`, or quote it if it is text: \"00\""},
      {"08", "YAML 1.1 reads text", "write `8`, or quote it if it is text: \"08\""},
      {"0b101", "YAML 1.1 reads the binary number 5", "write `5`, or quote it if it is text: \"0b101\""},
      {"1_000", "YAML 1.1 reads the number 1000", "write `1000`, or quote it if it is text: \"1_000\""},
      {"1_0.5", "YAML 1.1 reads the number 10.5", "write `10.5`, or quote it if it is text: \"1_0.5\""},
      {"0x_1F", "YAML 1.1 reads the number 0x1F", "write `0x1F`, or quote it if it is text: \"0x_1F\""},
      {"1:30", "YAML 1.1 reads the number 90 (base 60)",
       "write the number in full, or quote it if it is text: \"1:30\""},
      {"-1:30:20", "YAML 1.1 reads the number -5420 (base 60)",
       "write the number in full, or quote it if it is text: \"-1:30:20\""},
      {"1:30.5", "YAML 1.1 reads a number in base 60",
       "write the number in full, or quote it if it is text: \"1:30.5\""},
  };
  for (const Trapped& trap : traps) {
    INFO(trap.text);
    const Result<Json> value = plain(trap.text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().front().code == "LB1012");
    CHECK(value.error().front().label == trap.label);
    CHECK(value.error().front().help == trap.help);
  }
}

TEST_CASE("numbers that cannot be kept exactly are refused", "[spec][scalar]") {
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "1e400", "-1e400",
                           "1e-400", ".inf", "-.INF", ".nan"}) {
    INFO(text);
    const Result<Json> value = plain(text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().front().code == "LB1013");
  }
}

TEST_CASE("quoted scalars are text whatever they look like", "[spec][scalar]") {
  for (const char* text : {"no", "010", "1:30", "12", "true", "", "99999999999999999999"}) {
    Node node;
    node.text = text;
    CHECK(*scalar_value(node) == Json(text));
  }
}

}  // namespace lowbit::spec
