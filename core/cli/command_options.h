// The words after a command's name: options and positional arguments, read with Boost.ProgramOptions. A mistake is a
// diagnostic (LB0001) with the nearest option, never an exception.
//
//   CommandOptions options("logs");
//   options.argument("stage", "one variant of a stage", true).flag("path", "print only the directory");
//   LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
//   if (asked_for_help) return 0;
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/command.h"

namespace lowbit::cli {

/// What a command takes, for those who write it for a person: shell completion.
struct OptionsHelp {
  struct Option {
    std::string name;    ///< "--json"
    std::string letter;  ///< "-n", or empty
    std::string help;
    bool takes_value = false;
    bool repeats = false;
  };
  struct Argument {
    std::string name;
    std::string help;
    bool repeats = false;
  };
  std::vector<Option> options;
  std::vector<Argument> arguments;
};

/// Asks a command itself, as `COMMAND --help` does, but nothing is printed.
[[nodiscard]] OptionsHelp options_of(CommandFunction command);

/// As a shell takes it for one word.
[[nodiscard]] std::string shell_word(const std::string& text);

class CommandOptions {
 public:
  explicit CommandOptions(std::string_view command);

  /// `names` is "dry-run,n": the long name and, optionally, a letter.
  CommandOptions& flag(const char* names, const char* help);
  CommandOptions& text(const char* names, const char* help);
  /// Collects repeats.
  CommandOptions& many(const char* names, const char* help);
  /// A whole number from 1 on.
  CommandOptions& number(const char* names, const char* help);
  /// The next positional argument; required ones come first.
  CommandOptions& argument(const char* name, const char* help, bool required);
  /// All further positional arguments: all(name); the last call.
  CommandOptions& arguments(const char* name, const char* help, bool required);

  /// `--project`, which project_of() and existing_project() (cli/session.h) read.
  CommandOptions& project();

  /// True: `--help` stood there and was answered, and there is nothing left to do.
  [[nodiscard]] Result<bool> read(const Words& words);

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) > 0; }
  [[nodiscard]] std::string get(const std::string& name, const std::string& otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> all(const std::string& name) const;
  [[nodiscard]] std::optional<unsigned> get_number(const std::string& name) const;
  /// What was read, to be given to a shell again: `experiment.yaml --set 'seeds=[3]'`, without these names.
  [[nodiscard]] std::string shell_words(const std::set<std::string>& without) const;
  /// The same of these names alone.
  [[nodiscard]] std::string shell_words_of(const std::set<std::string>& names) const;

 private:
  [[nodiscard]] OptionsHelp described() const;
  [[nodiscard]] std::string help() const;
  template <class IsMeant>
  [[nodiscard]] std::string words_where(const IsMeant& is_meant) const;

  std::string command_;
  boost::program_options::options_description visible_{"options"};
  boost::program_options::options_description hidden_;
  boost::program_options::positional_options_description positions_;
  std::vector<std::string> required_;
  std::vector<std::string> numbers_;  ///< long names
  std::vector<std::pair<std::string, std::string>> arguments_;
  bool last_argument_repeats_ = false;
  boost::program_options::variables_map values_;
};

}  // namespace lowbit::cli
