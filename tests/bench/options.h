// Command lines of the benches: --name value pairs, each with a default.
#pragma once

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace lowbit::bench {

class Options {
 public:
  /// `known`: names without dashes, and their defaults. Ends the program with 2 for any other word.
  Options(int argc, char** argv, std::map<std::string, std::string> known) : values_(std::move(known)) {
    for (int i = 1; i < argc; i += 2) {
      const std::string word = argv[i];
      const auto found = word.rfind("--", 0) == 0 ? values_.find(word.substr(2)) : values_.end();
      if (found == values_.end() || i + 1 == argc) {
        std::fprintf(stderr, "options:");
        for (const auto& [name, value] : values_) std::fprintf(stderr, " --%s %s", name.c_str(), value.c_str());
        std::fprintf(stderr, "\n");
        std::exit(2);
      }
      found->second = argv[i + 1];
    }
  }
  [[nodiscard]] const std::string& text(const std::string& name) const { return values_.at(name); }
  [[nodiscard]] int64_t number(const std::string& name) const { return std::atoll(text(name).c_str()); }
  [[nodiscard]] std::vector<std::string> words(const std::string& name) const {
    std::vector<std::string> result;
    std::istringstream in(text(name));
    for (std::string word; std::getline(in, word, ',');) result.push_back(word);
    return result;
  }
  [[nodiscard]] std::vector<int64_t> numbers(const std::string& name) const {
    std::vector<int64_t> result;
    for (const std::string& word : words(name)) result.push_back(std::atoll(word.c_str()));
    return result;
  }

 private:
  std::map<std::string, std::string> values_;
};

/// What the benches measure by: time that passes, or processor time of all threads (`--clock cpu`), which on a machine
/// with other work says more, with `--threads 1`.
inline bool by_processor_time = false;

/// Seconds since some moment.
inline double now() {
  timespec time{};
  clock_gettime(by_processor_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Work>
double seconds(const Work& work) {
  const double start = now();
  work();
  return now() - start;
}

}  // namespace lowbit::bench
