// What hostile texts are held to: reading and comparing answers ends in bounded time and memory whatever they hold.
// Beyond a limit an answer is unreadable, or a comparison too large: never equal, never endless.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lowbit::answers {

inline constexpr std::size_t kResponseBytes = 65536;  ///< searched at the end of a response
inline constexpr std::size_t kCandidates = 64;        ///< places of a response that are tried as its answer
inline constexpr std::size_t kAnswerBytes = 4096;     ///< of one answer
inline constexpr std::size_t kDepth = 64;             ///< groups and factors inside one another
inline constexpr std::size_t kNodes = 2000;           ///< of one expression tree
inline constexpr std::size_t kLiteralDigits = 400;    ///< of one number as written
inline constexpr long kLiteralExponent = 400;         ///< of one number in E-notation
inline constexpr unsigned kNumberBits = 65536;        ///< of an exact number on the way
inline constexpr std::int64_t kDegree = 20000;        ///< of a power in a normal form
inline constexpr std::size_t kTerms = 600;            ///< of a polynomial on the way
inline constexpr std::size_t kMembers = 128;          ///< of a set or tuple that is compared
inline constexpr std::size_t kMatrixSide = 24;        ///< of a matrix that is multiplied
inline constexpr std::uint64_t kWork = 20'000'000;    ///< word products of one comparison, about 0.1 s

/// Thrown inside the library where a limit is passed; never leaves it.
struct TooLarge {};

/// What is left of one comparison's work.
class Budget {
 public:
  void spend(std::uint64_t work) {
    if (work > left_) throw TooLarge{};
    left_ -= work;
  }

 private:
  std::uint64_t left_ = kWork;
};

}  // namespace lowbit::answers
