#include "spec/scalar.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/check.h"
#include "domain/coordinates.h"
#include "spec/language.h"

namespace lowbit::spec {
namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool only(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

constexpr std::string_view kDecimal = "0123456789";

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text;
}

// std::from_chars knows no plus sign.
std::string_view without_plus(std::string_view text) { return text.starts_with('+') ? text.substr(1) : text; }

std::optional<std::int64_t> integer(std::string_view digits, int base) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool has_form_of_float(std::string_view text) {
  text = without_sign(text);
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    if (!only(without_sign(text.substr(e + 1)), kDecimal)) return false;
    text = text.substr(0, e);
  }
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return only(text, kDecimal);
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(point + 1);
  return (whole.empty() || only(whole, kDecimal)) && (fraction.empty() || only(fraction, kDecimal)) &&
         !(whole.empty() && fraction.empty());
}

// [1-9][0-9]* ( : [0-5]?[0-9] )+ ( \. [0-9]* )?
bool has_form_of_base_60(std::string_view text) {
  text = without_sign(text);
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    const std::string_view fraction = text.substr(point + 1);
    if (!fraction.empty() && !only(fraction, kDecimal)) return false;
    text = text.substr(0, point);
  }
  std::size_t parts = 0;
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (!only(part, kDecimal)) return false;
    if (parts == 0 && part.front() == '0') return false;
    if (parts > 0 && (part.size() > 2 || (part.size() == 2 && part.front() > '5'))) return false;
    ++parts;
    if (colon == std::string_view::npos) return parts > 1;
    text.remove_prefix(colon + 1);
  }
}

std::string base_60_value(std::string_view text) {
  if (text.size() > 12 || text.find('.') != std::string_view::npos) return "a number in base 60";
  const bool negative = text.starts_with('-');
  std::int64_t value = 0;
  std::int64_t part = 0;
  for (const char c : without_sign(text)) {
    if (c == ':') {
      value = 60 * (value + part);
      part = 0;
    } else {
      part = 10 * part + (c - '0');
    }
  }
  return "the number " + std::to_string(negative ? -(value + part) : value + part) + " (base 60)";
}

struct Trap {
  std::string old_reading;  ///< what YAML 1.1 makes of it
  std::string plainly;      ///< how to write that without doubt
};

std::optional<Trap> yaml_1_1_trap(std::string_view text) {
  if (one_of(text, {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})) return Trap{"true", "`true`"};
  if (one_of(text, {"n", "N", "no", "No", "NO", "off", "Off", "OFF"})) return Trap{"false", "`false`"};

  const std::string_view unsigned_text = without_sign(text);
  const std::string sign = text.starts_with('-') ? "-" : "";
  if (unsigned_text.size() > 1 && unsigned_text.front() == '0' && only(unsigned_text, kDecimal)) {
    const std::size_t first = unsigned_text.find_first_not_of('0');
    const std::string digits(first == std::string_view::npos ? "0" : unsigned_text.substr(first));
    const std::optional<std::int64_t> octal = integer(unsigned_text, 8);
    return Trap{octal ? "the octal number " + sign + std::to_string(*octal) : std::string("text"),
                "`" + sign + digits + "`"};
  }
  if (unsigned_text.starts_with("0b") && only(unsigned_text.substr(2), "01_")) {
    std::string digits(unsigned_text.substr(2));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    const std::optional<std::int64_t> value = integer(digits, 2);
    const std::string decimal = value ? sign + std::to_string(*value) : "a decimal number";
    return Trap{value ? "the binary number " + decimal : std::string("a binary number"),
                value ? ticked(decimal) : decimal};
  }
  if (!unsigned_text.empty() && kDecimal.find(unsigned_text.front()) != std::string_view::npos &&
      unsigned_text.find('_') != std::string_view::npos) {
    std::string joined(text);
    joined.erase(std::remove(joined.begin(), joined.end(), '_'), joined.end());
    const bool hexadecimal =
        without_sign(joined).starts_with("0x") && only(without_sign(joined).substr(2), "0123456789abcdefABCDEF");
    if (has_form_of_float(joined) || hexadecimal) return Trap{"the number " + joined, ticked(joined)};
  }
  if (has_form_of_base_60(text)) return Trap{base_60_value(text), "the number in full"};
  return std::nullopt;
}

Result<Json> out_of_range(const Node& node) {
  return error("LB1013", "the number " + ticked(node.text) + " is out of range")
      .at(node.span, "too large, or too near to 0")
      .note(
          "integers lie between -9223372036854775808 and 9223372036854775807, other numbers between -1.8e308 and "
          "1.8e308 and no nearer to 0 than 4.9e-324")
      .fix("quote it if it is text");
}

}  // namespace

Result<Json> scalar_value(const Node& node) {
  LB_CHECK(node.kind == Node::Kind::scalar && !node.missing());
  const std::string_view text = node.text;
  if (!node.plain) return Json(node.text);
  if (one_of(text, {"null", "Null", "NULL", "~"})) return Json(nullptr);
  if (one_of(text, {"true", "True", "TRUE"})) return Json(true);
  if (one_of(text, {"false", "False", "FALSE"})) return Json(false);
  if (const std::optional<Trap> trap = yaml_1_1_trap(text)) {
    return error("LB1012", ticked(node.text) + " means one thing in YAML 1.1 and another in YAML 1.2")
        .at(node.span, "YAML 1.1 reads " + trap->old_reading)
        .fix("write " + trap->plainly + ", or quote it if it is text: \"" + node.text + "\"");
  }
  if (only(without_sign(text), kDecimal)) {
    const std::optional<std::int64_t> value = integer(without_plus(text), 10);
    return value ? Result<Json>(Json(*value)) : out_of_range(node);
  }
  for (const auto& [prefix, base, digits] : {std::tuple("0x", 16, "0123456789abcdefABCDEF"), {"0o", 8, "01234567"}}) {
    if (!text.starts_with(prefix) || !only(text.substr(2), digits)) continue;
    const std::optional<std::int64_t> value = integer(text.substr(2), base);
    return value ? Result<Json>(Json(*value)) : out_of_range(node);
  }
  if (has_form_of_float(text)) {
    const std::string_view number = without_plus(text);
    double value = 0;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
    return failure == std::errc() ? Result<Json>(Json(value)) : out_of_range(node);
  }
  if (one_of(without_sign(text), {".inf", ".Inf", ".INF"}) || one_of(text, {".nan", ".NaN", ".NAN"})) {
    return error("LB1013", ticked(node.text) + " is not a finite number")
        .at(node.span, "expected a finite number")
        .fix("leave the value out, or quote it if it is text");
  }
  return Json(node.text);
}

Json value_of(const Node& node, Diagnostics& problems) {
  switch (node.kind) {
    case Node::Kind::sequence: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(value_of(item, problems));
      return list;
    }
    case Node::Kind::mapping: {
      Json object = Json::object();
      for (const Node::Entry& entry : node.entries) object[entry.key.value] = value_of(entry.value, problems);
      return object;
    }
    case Node::Kind::scalar: break;
  }
  if (node.missing()) {
    problems.push_back(error("LB1014", "a value is missing")
                           .at(node.span, "nothing is written for it")
                           .fix("write the value, or `null` if nothing is meant"));
    return nullptr;
  }
  Result<Json> value = scalar_value(node);
  if (value) return *std::move(value);
  problems.insert(problems.end(), value.error().begin(), value.error().end());
  return nullptr;
}

std::string found(const Node& node) {
  if (node.kind == Node::Kind::sequence) return "a list";
  if (node.kind == Node::Kind::mapping) return "a mapping";
  if (node.missing()) return "nothing";
  const Result<Json> value = scalar_value(node);
  if (!value || value->is_string()) return "the text " + ticked(node.text);
  return (value->is_number() ? "the number " : "") + scalar_text(*value);
}

}  // namespace lowbit::spec
