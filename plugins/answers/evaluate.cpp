#include "answers/evaluate.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>

namespace lowbit::answers {
namespace {

/// Thrown where an expression has no value.
struct Undefined {};

constexpr std::uint64_t kOperation = 400;  // of work: a product of 50 digits
constexpr std::uint64_t kFunction = 20000;
constexpr int kLargestExponent = 230000;  // natural logarithm of what is still computed with
constexpr int kLargestFactorial = 3000;

const Real& pi() {
  static const Real value = boost::math::constants::pi<Real>();
  return value;
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// Between -3 and 3, away from 0 and from anything that answers are made of. All are positive at point 0, negative
/// at 1.
Complex value_named(std::string_view name, std::uint64_t point) {
  std::uint64_t hash = mixed(point);
  for (const char c : name) hash = mixed(hash ^ static_cast<unsigned char>(c));
  const Real magnitude = Real(hash >> 11U) / Real(std::uint64_t{1} << 53U) * 2.5 + Real(0.375);
  const bool negative = point == 1 || (point > 1 && (hash & 1U) != 0);
  return {negative ? Real(-magnitude) : magnitude, Real(0)};
}

class Evaluator {
 public:
  Evaluator(std::uint64_t point, Budget& budget) : point_(point), budget_(budget) {}

  Complex of(const Node& node) {
    budget_.spend(kOperation);
    Complex value = raw(node);
    if (!isfinite(value.real()) || !isfinite(value.imag())) throw Undefined{};
    return value;
  }

 private:
  Complex raw(const Node& node) {
    switch (node->kind) {
      case Kind::number: return {Real(node->value), Real(0)};
      case Kind::symbol: return value_named(node->name, point_);
      case Kind::constant: return named(node->name);
      case Kind::sum: {
        Complex total(0);
        for (const Node& part : node->parts) total += of(part);
        return total;
      }
      case Kind::product: {
        Complex total(1);
        for (const Node& part : node->parts) total *= of(part);
        return total;
      }
      case Kind::power: return power_of(of(node->parts[0]), of(node->parts[1]));
      case Kind::function: return function_of(*node);
      default: throw Undefined{};
    }
  }

  static Complex named(std::string_view name) {
    if (name == "pi") return {pi(), Real(0)};
    if (name == "e") return {boost::math::constants::e<Real>(), Real(0)};
    if (name == "i") return {Real(0), Real(1)};
    throw Undefined{};
  }

  Complex power_of(const Complex& base, const Complex& exponent) {
    budget_.spend(kFunction);
    const bool real_exponent = exponent.imag() == 0;
    if (base == Complex(0)) {
      if (exponent == Complex(0)) return {1};
      if (!real_exponent || exponent.real() < 0) throw Undefined{};
      return {0};
    }
    if (real_exponent && abs(exponent.real()) <= 64 && exponent.real() == trunc(exponent.real())) {
      const int n = static_cast<int>(exponent.real());
      Complex result(1);
      for (int i = 0; i < std::abs(n); ++i) result *= base;
      return n < 0 ? Complex(Complex(1) / result) : result;
    }
    const Complex log_of_power = exponent * logarithm(base);
    if (abs(log_of_power.real()) > kLargestExponent || abs(log_of_power.imag()) > kLargestExponent) throw TooLarge{};
    return exponential(log_of_power);
  }

  // Spelled out in real functions: what the complex ones of Boost do at the edges is not documented.
  static Complex logarithm(const Complex& z) {
    const Real size = sqrt(z.real() * z.real() + z.imag() * z.imag());
    if (size == 0) throw Undefined{};
    return {log(size), atan2(z.imag(), z.real())};
  }
  static Complex exponential(const Complex& z) {
    const Real size = exp(z.real());
    return {size * cos(z.imag()), size * sin(z.imag())};
  }

  Complex function_of(const Expression& call) {
    budget_.spend(kFunction);
    if (call.name == "sum" || call.name == "prod" || call.name == "det") throw Undefined{};
    std::vector<Complex> arguments;
    for (const Node& part : call.parts) arguments.push_back(of(part));
    const Complex& z = arguments.front();
    if (call.name == "root") return root_of(z, arguments[1]);
    if (call.name == "abs") return {sqrt(z.real() * z.real() + z.imag() * z.imag()), Real(0)};
    if (call.name == "log" || call.name == "ln")
      return arguments.size() == 1 ? logarithm(z) : Complex(logarithm(z) / logarithm(arguments[1]));
    if (z.imag() == 0) {
      if (const auto value = real_function(call.name, z.real(), arguments)) return {*value, Real(0)};
    }
    return unknown_function(call.name, arguments);
  }

  Complex root_of(const Complex& z, const Complex& degree) {
    const bool odd = degree.imag() == 0 && abs(degree.real()) < 1000 && degree.real() == trunc(degree.real()) &&
                     static_cast<int>(degree.real()) % 2 != 0;
    const Complex exponent = Complex(1) / degree;
    if (odd && z.imag() == 0 && z.real() < 0) return -power_of(-z, exponent);
    return power_of(z, exponent);
  }

  static std::optional<Real> real_function(const std::string& name, const Real& x,
                                           const std::vector<Complex>& arguments) {
    if (abs(x) > 1e15) throw TooLarge{};
    using F = std::function<Real(const Real&)>;
    static const std::map<std::string, F, std::less<>> anywhere{
        {"sin", [](const Real& t) { return Real(sin(t)); }},
        {"cos", [](const Real& t) { return Real(cos(t)); }},
        {"tan", [](const Real& t) { return Real(sin(t) / cos(t)); }},
        {"cot", [](const Real& t) { return Real(cos(t) / sin(t)); }},
        {"sec", [](const Real& t) { return Real(1 / cos(t)); }},
        {"csc", [](const Real& t) { return Real(1 / sin(t)); }},
        {"arctan", [](const Real& t) { return Real(atan(t)); }},
        {"arccot", [](const Real& t) { return Real(pi() / 2 - atan(t)); }},
        {"floor", [](const Real& t) { return Real(floor(t)); }},
        {"ceil", [](const Real& t) { return Real(ceil(t)); }},
    };
    static const std::map<std::string, F, std::less<>> inside{
        // of arguments between -1 and 1
        {"arcsin", [](const Real& t) { return Real(asin(t)); }},
        {"arccos", [](const Real& t) { return Real(acos(t)); }},
    };
    static const std::map<std::string, F, std::less<>> hyperbolic{
        {"sinh", [](const Real& t) { return Real((exp(t) - exp(-t)) / 2); }},
        {"cosh", [](const Real& t) { return Real((exp(t) + exp(-t)) / 2); }},
        {"tanh", [](const Real& t) { return Real((exp(t) - exp(-t)) / (exp(t) + exp(-t))); }},
    };
    if (const auto f = anywhere.find(name); f != anywhere.end()) return f->second(x);
    if (const auto f = inside.find(name); f != inside.end()) {
      if (abs(x) > 1) throw Undefined{};
      return f->second(x);
    }
    if (const auto f = hyperbolic.find(name); f != hyperbolic.end()) {
      if (abs(x) > kLargestExponent) throw TooLarge{};
      return f->second(x);
    }
    const auto small = [](const Real& t) { return t >= 0 && t <= kLargestFactorial && t == trunc(t); };
    if (name == "factorial" && small(x)) return product_down(static_cast<int>(x), static_cast<int>(x));
    if (name == "binom" && small(x) && small(arguments[1].real()) && arguments[1].real() <= x) {
      const int k = static_cast<int>(arguments[1].real());
      return Real(product_down(static_cast<int>(x), k) / product_down(k, k));
    }
    return std::nullopt;
  }

  static Real product_down(int n, int k) {
    Real product = 1;
    for (int i = 0; i < k; ++i) product *= n - i;
    return product;
  }

  Complex unknown_function(const std::string& name, const std::vector<Complex>& arguments) const {
    std::string key = name;
    for (const Complex& argument : arguments)
      key += ' ' + argument.real().str(30, std::ios_base::scientific) + ' ' +
             argument.imag().str(30, std::ios_base::scientific);
    return value_named(key, point_);
  }

  std::uint64_t point_;
  Budget& budget_;
};

}  // namespace

std::optional<Complex> value_at(const Node& node, std::uint64_t point, Budget& budget) {
  try {
    return Evaluator(point, budget).of(node);
  } catch (const Undefined&) {
    return std::nullopt;
  }
}

std::optional<Real> real_value(const Node& node, Budget& budget) {
  if (has_variables(*node)) return std::nullopt;
  const auto value = value_at(node, 0, budget);
  if (!value || abs(value->imag()) > 1e-40) return std::nullopt;
  return value->real();
}

bool has_variables(const Expression& node) {
  if (node.kind == Kind::symbol || (node.kind == Kind::function && node.name.rfind("call ", 0) == 0)) return true;
  return std::any_of(node.parts.begin(), node.parts.end(), [](const Node& part) { return has_variables(*part); });
}

bool close(const Complex& a, const Complex& b) {
  static const Real absolute("1e-40");
  static const Real relative("1e-32");
  const auto size = [](const Complex& z) { return Real(abs(z.real()) + abs(z.imag())); };
  const Real tolerance = std::max(absolute, Real(relative * std::max(size(a), size(b))));
  return size(a - b) <= tolerance;
}

}  // namespace lowbit::answers
