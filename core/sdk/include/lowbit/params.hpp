// Parameters that describe themselves: one list of fields is the struct's defaults, its JSON Schema (draft-07) and its
// reader, so the three cannot disagree. What the schema accepts, the reader accepts, and nothing else.
//
//   struct Params {
//     std::int64_t num_bits = 4;
//     std::optional<double> clip;
//     std::vector<std::string> skip = {"lm_head"};
//     static auto fields() {
//       return lowbit::fields<Params>(
//           lowbit::field(&Params::num_bits, "num_bits").range(2, 8).unit("bits").doc("bits of a stored code"),
//           lowbit::field(&Params::clip, "clip").above(0).at_most(1).doc("share of the range kept; null: all of it"),
//           lowbit::field(&Params::skip, "skip").doc("layers left as they are"));
//     }
//   };
//
// Types of a field: bool, integers, double, std::string, nlohmann::json (an object), std::vector and std::optional of
// these. The default is the member's initial value; a .required() field has none. Bounds and choices speak of the
// value inside a vector or an optional.
#pragma once

#include <lowbit/plugin_abi.h>
#include <lowbit/errors.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace lowbit {

namespace detail {

template <class T>
struct Shape {  // a plain value
  using Scalar = T;
};
template <class E>
struct Shape<std::vector<E>> {
  using Scalar = typename Shape<E>::Scalar;
  using Element = E;
};
template <class E>
struct Shape<std::optional<E>> {
  using Scalar = typename Shape<E>::Scalar;
  using Element = E;
};
template <class T>
inline constexpr bool is_vector = false;
template <class E>
inline constexpr bool is_vector<std::vector<E>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class E>
inline constexpr bool is_optional<std::optional<E>> = true;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;
template <class T>
concept Number = Integer<T> || std::same_as<T, double>;
template <class T>
concept Scalar = Number<T> || std::same_as<T, bool> || std::same_as<T, std::string> || std::same_as<T, nlohmann::json>;

template <class T>
nlohmann::json to_json_value(const T& value) {
  if constexpr (is_optional<T>) {
    return value ? to_json_value(*value) : nlohmann::json(nullptr);
  } else {
    return value;
  }
}

}  // namespace detail

/// One parameter: made by field(), refined by its own members, collected by fields().
template <class P, class T>
class Field {
 public:
  using Value = typename detail::Shape<T>::Scalar;
  static_assert(detail::Scalar<Value>, "a parameter is bool, an integer, double, std::string or nlohmann::json");

  Field(T P::*member, std::string name) : member_(member), name_(std::move(name)) {
    if constexpr (detail::Integer<Value>) {  // the schema never accepts what the member cannot hold
      if constexpr (std::unsigned_integral<Value> || sizeof(Value) < 8) minimum_ = std::numeric_limits<Value>::min();
      if constexpr (sizeof(Value) < 8) maximum_ = std::numeric_limits<Value>::max();
    }
  }

  /// One sentence; every field has one.
  Field& doc(std::string text) { return doc_ = std::move(text), *this; }
  Field& unit(std::string name) { return unit_ = std::move(name), *this; }
  Field& at_least(Value bound) requires detail::Number<Value> { return minimum_ = bound, *this; }
  Field& at_most(Value bound) requires detail::Number<Value> { return maximum_ = bound, *this; }
  Field& range(Value low, Value high) requires detail::Number<Value> { return at_least(low).at_most(high); }
  Field& above(Value bound) requires std::same_as<Value, double> { return above_ = bound, *this; }
  Field& below(Value bound) requires std::same_as<Value, double> { return below_ = bound, *this; }
  template <class... Choices>
  Field& one_of(Choices&&... choices) {
    (choices_.push_back(static_cast<Value>(std::forward<Choices>(choices))), ...);
    return *this;
  }
  /// The text, or the list, has at least one member.
  Field& not_empty() requires(detail::is_vector<T> || std::same_as<Value, std::string>) {
    return not_empty_ = true, *this;
  }
  /// The experiment must give it: for what a paper reports and nobody should get by accident.
  Field& required() { return required_ = true, *this; }
  /// It changes how fast or how loud, never what comes out: it stays out of the key. `lowbit plugins check` tries it.
  Field& no_effect_on_result() { return affects_result_ = false, *this; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_required() const { return required_; }

  [[nodiscard]] nlohmann::json schema(const P& defaults) const {
    nlohmann::json out = schema_of<T>();
    out["description"] = doc_;
    if (!required_) out["default"] = detail::to_json_value(defaults.*member_);
    if (!unit_.empty()) out["unit"] = unit_;
    if (!affects_result_) out["affects_result"] = false;
    return out;
  }

  /// Adds to `problems` what is wrong with the value, if anything is.
  void read(const nlohmann::json& object, P& into, std::vector<std::string>& problems) const {
    const auto found = object.find(name_);
    if (found != object.end()) {
      read_value(*found, into.*member_, problems);
    } else if (required_) {
      problems.push_back("`" + name_ + "` is required");
    }
  }

 private:
  template <class V>
  [[nodiscard]] nlohmann::json schema_of() const {
    nlohmann::json out = nlohmann::json::object();
    if constexpr (detail::is_optional<V>) {
      out = schema_of<typename detail::Shape<V>::Element>();
      nlohmann::json types = nlohmann::json::array();  // member by member: clang 14 leaks such an initializer list
      types.push_back(out["type"]);
      types.push_back("null");
      out["type"] = std::move(types);
      if (out.contains("enum")) out["enum"].push_back(nullptr);
    } else if constexpr (detail::is_vector<V>) {
      out["type"] = "array";
      out["items"] = schema_of<typename detail::Shape<V>::Element>();
      if (not_empty_) out["minItems"] = 1;
    } else {
      out["type"] = type_name();
      if (minimum_) out["minimum"] = *minimum_;
      if (maximum_) out["maximum"] = *maximum_;
      if (above_) out["exclusiveMinimum"] = *above_;
      if (below_) out["exclusiveMaximum"] = *below_;
      if (!choices_.empty()) out["enum"] = choices_;
      if (not_empty_ && !detail::is_vector<T>) out["minLength"] = 1;
    }
    return out;
  }

  [[nodiscard]] static constexpr const char* type_name() {
    if constexpr (std::same_as<Value, bool>) return "boolean";
    if constexpr (detail::Integer<Value>) return "integer";
    if constexpr (std::same_as<Value, double>) return "number";
    if constexpr (std::same_as<Value, std::string>) return "string";
    return "object";
  }

  template <class V>
  void read_value(const nlohmann::json& json, V& into, std::vector<std::string>& problems) const {
    if constexpr (detail::is_optional<V>) {
      into.reset();
      if (!json.is_null()) read_value(json, into.emplace(), problems);
    } else if constexpr (detail::is_vector<V>) {
      if (!json.is_array()) return problems.push_back(complaint(json, "a list is expected"));
      if (not_empty_ && json.empty()) return problems.push_back(complaint(json, "at least one member is expected"));
      into.clear();
      for (const nlohmann::json& member : json) {
        typename detail::Shape<V>::Element element{};
        read_value(member, element, problems);
        into.push_back(std::move(element));
      }
    } else {
      read_scalar(json, into, problems);
    }
  }

  void read_scalar(const nlohmann::json& json, Value& into, std::vector<std::string>& problems) const {
    if (!convert(json, into)) {
      return problems.push_back(complaint(json, std::string("expected type: ") + type_name()));
    }
    if constexpr (detail::Number<Value>) {
      if (minimum_ && into < *minimum_) return problems.push_back(complaint(json, "at least " + text(*minimum_)));
      if (maximum_ && into > *maximum_) return problems.push_back(complaint(json, "at most " + text(*maximum_)));
    }
    if constexpr (std::same_as<Value, double>) {
      if (above_ && into <= *above_) return problems.push_back(complaint(json, "more than " + text(*above_)));
      if (below_ && into >= *below_) return problems.push_back(complaint(json, "less than " + text(*below_)));
    }
    if constexpr (std::same_as<Value, std::string>) {
      if (not_empty_ && !detail::is_vector<T> && into.empty())
        problems.push_back(complaint(json, "a text is expected"));
    }
    if (choices_.empty()) return;
    std::string allowed;
    for (const auto& choice : choices_) {
      if (into == static_cast<Value>(choice)) return;
      allowed += (allowed.empty() ? "" : ", ") + text(choice);
    }
    problems.push_back(complaint(json, "one of " + allowed));
  }

  static bool convert(const nlohmann::json& json, Value& into) {
    if constexpr (detail::Integer<Value>) {
      constexpr double kExact = 9007199254740992.0;  // 2^53: above it a double does not say which integer is meant
      if (json.is_number_float()) {                  // draft-07: 4.0 is an integer
        const auto number = json.template get<double>();
        if (std::trunc(number) != number || std::abs(number) > kExact) return false;
        return narrow(static_cast<std::int64_t>(number), into);
      }
      if (json.is_number_unsigned()) return narrow(json.template get<std::uint64_t>(), into);
      return json.is_number_integer() && narrow(json.template get<std::int64_t>(), into);
    } else if constexpr (std::same_as<Value, nlohmann::json>) {
      into = json;
      return json.is_object();
    } else {
      const bool fits = std::same_as<Value, bool>     ? json.is_boolean()
                        : std::same_as<Value, double> ? json.is_number()
                                                      : json.is_string();
      if (fits) into = json.template get<Value>();
      return fits;
    }
  }

  template <class Wide>
  static bool narrow(Wide wide, Value& into) {
    if constexpr (detail::Integer<Value>) {
      if (!std::in_range<Value>(wide)) return false;
      into = static_cast<Value>(wide);
    }
    return true;
  }

  template <class V>
  [[nodiscard]] static std::string text(const V& value) {
    return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  [[nodiscard]] std::string complaint(const nlohmann::json& found, const std::string& expected) const {
    return "`" + name_ + "` is " + text(found) + ", " + expected;
  }

  T P::*member_;
  std::string name_;
  std::string doc_;
  std::string unit_;
  std::optional<Value> minimum_;
  std::optional<Value> maximum_;
  std::optional<double> above_;
  std::optional<double> below_;
  std::vector<Value> choices_;
  bool not_empty_ = false;
  bool required_ = false;
  bool affects_result_ = true;
};

template <class P, class T>
[[nodiscard]] Field<P, T> field(T P::*member, std::string name) {
  return Field<P, T>(member, std::move(name));
}

template <class P, class... T>
[[nodiscard]] std::tuple<Field<P, T>...> fields(Field<P, T>... all) {
  return {std::move(all)...};
}

/// A struct with defaults and a static fields().
template <class P>
concept ParamSet = std::default_initializable<P> && requires {
  P::fields();
};

/// A stage without parameters.
struct NoParams {
  static std::tuple<> fields() { return {}; }
};

/// A closed draft-07 object schema with description, default, unit and bounds of every field.
template <ParamSet P>
[[nodiscard]] nlohmann::json params_schema() {
  nlohmann::json properties = nlohmann::json::object();
  nlohmann::json required = nlohmann::json::array();
  const P defaults{};
  const auto add = [&](const auto& field) {
    properties[field.name()] = field.schema(defaults);
    if (field.is_required()) required.push_back(field.name());
  };
  std::apply([&](const auto&... field) { (add(field), ...); }, P::fields());
  nlohmann::json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                        {"type", "object"},
                        {"additionalProperties", false},
                        {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

/// Reads P from an object; what is absent keeps its default. Throws StageError(LB_BAD_PARAM) with every problem.
template <ParamSet P>
[[nodiscard]] P read_params(const nlohmann::json& object) {
  P params{};
  std::vector<std::string> problems;
  std::vector<std::string> known;
  std::apply([&](const auto&... field) { (known.push_back(field.name()), ...); }, P::fields());
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      problems.push_back("`" + name + "` is not a parameter of this stage");
    }
  }
  std::apply([&](const auto&... field) { (field.read(object, params, problems), ...); }, P::fields());
  if (problems.empty()) return params;

  std::string why;
  for (const std::string& problem : problems) why += (why.empty() ? "" : "; ") + problem;
  throw StageError(LB_BAD_PARAM, {.what = "the parameters do not fit the stage",
                                  .where = "params",
                                  .why = std::move(why),
                                  .fix = "correct `params` of this stage in the experiment"});
}

}  // namespace lowbit
