#include "cli/command_options.h"

#include <cstdio>
#include <sstream>

#include "base/whole_number.h"
#include "base/words.h"

namespace lowbit::cli {

namespace po = boost::program_options;

namespace {

/// Set while options_of() asks.
thread_local OptionsHelp* asked = nullptr;

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

OptionsHelp options_of(CommandFunction command) {
  OptionsHelp help;
  asked = &help;
  static_cast<void>(command({"--help"}));
  asked = nullptr;
  return help;
}

OptionsHelp CommandOptions::described() const {
  OptionsHelp help;
  for (const auto& option : visible_.options()) {
    const std::string letter = option->canonical_display_name(po::command_line_style::allow_dash_for_short);
    help.options.push_back({.name = "--" + option->long_name(),
                            .letter = letter.size() == 2 ? letter : "",
                            .help = option->description(),
                            .takes_value = option->semantic()->max_tokens() > 0,
                            .repeats = option->semantic()->is_composing()});
  }
  for (const auto& [name, text] : arguments_) {
    help.arguments.push_back(
        {.name = name, .help = text, .repeats = last_argument_repeats_ && name == arguments_.back().first});
  }
  return help;
}

CommandOptions::CommandOptions(std::string_view command) : command_(command) {
  visible_.add_options()("help,h", "show this help");
}

CommandOptions& CommandOptions::flag(const char* names, const char* help) {
  visible_.add_options()(names, help);
  return *this;
}

CommandOptions& CommandOptions::text(const char* names, const char* help) {
  visible_.add_options()(names, po::value<std::string>(), help);
  return *this;
}

CommandOptions& CommandOptions::many(const char* names, const char* help) {
  visible_.add_options()(names, po::value<std::vector<std::string>>()->composing(), help);
  return *this;
}

CommandOptions& CommandOptions::number(const char* names, const char* help) {
  const std::string_view long_and_letter = names;
  numbers_.emplace_back(long_and_letter.substr(0, long_and_letter.find(',')));
  return text(names, help);
}

CommandOptions& CommandOptions::argument(const char* name, const char* help, bool required) {
  hidden_.add_options()(name, po::value<std::string>(), help);
  positions_.add(name, 1);
  arguments_.emplace_back(name, help);
  if (required) required_.emplace_back(name);
  return *this;
}

CommandOptions& CommandOptions::arguments(const char* name, const char* help, bool required) {
  hidden_.add_options()(name, po::value<std::vector<std::string>>(), help);
  positions_.add(name, -1);
  arguments_.emplace_back(name, help);
  last_argument_repeats_ = true;
  if (required) required_.emplace_back(name);
  return *this;
}

CommandOptions& CommandOptions::project() {
  return text("project,C", "the project's directory (default: upward from here)");
}

Result<bool> CommandOptions::read(const Words& words) {
  const std::string see = "see `lowbit " + command_ + " --help`";
  po::options_description all;
  all.add(visible_).add(hidden_);
  try {
    // No guessing: an option that a later version adds must not change what a script's abbreviation means.
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(positions_).style(style).run(), values_);
    po::notify(values_);
  } catch (const po::unknown_option& e) {
    Diagnostic problem = error("LB0001", "`lowbit " + command_ + "` has no option " + e.get_option_name());
    std::vector<std::string> names;
    for (const auto& option : visible_.options()) names.push_back("--" + option->long_name());
    if (const std::string near = nearest(e.get_option_name(), names); !near.empty()) {
      problem.note("an option with a similar name exists: " + near);
    }
    return problem.fix(see);
  } catch (const po::too_many_positional_options_error&) {
    return error("LB0001", "`lowbit " + command_ + "` was given too many arguments").fix(see);
  } catch (const po::error& e) {
    return error("LB0001", "the arguments of `lowbit " + command_ + "` cannot be read").note(e.what()).fix(see);
  }
  if (has("help")) {
    if (asked != nullptr) {
      *asked = described();
    } else {
      std::fputs(help().c_str(), stdout);
    }
    return true;
  }
  for (const std::string& name : numbers_) {
    if (has(name) && get_number(name).value_or(0) == 0) {
      return error("LB0001",
                   "`lowbit " + command_ + " --" + name + "` needs a whole number from 1 on, not " + get(name))
          .fix(see);
    }
  }
  for (const std::string& name : required_) {
    if (!has(name)) return error("LB0001", "`lowbit " + command_ + "` needs " + name).fix(see);
  }
  return false;
}

std::string CommandOptions::help() const {
  std::ostringstream out;
  out << "lowbit " << command_;
  if (const Command* command = find_command(command_)) out << " " << command->usage << "\n" << command->summary;
  out << "\n\n";
  for (const auto& [name, text] : arguments_) out << "  " << name << ": " << text << "\n";
  if (!arguments_.empty()) out << "\n";
  out << visible_;
  return out.str();
}

std::string CommandOptions::get(const std::string& name, const std::string& otherwise) const {
  return has(name) ? values_[name].as<std::string>() : otherwise;
}

std::vector<std::string> CommandOptions::all(const std::string& name) const {
  return has(name) ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>();
}

std::optional<unsigned> CommandOptions::get_number(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  return whole_number_in<unsigned>(get(name));
}

template <class IsMeant>
std::string CommandOptions::words_where(const IsMeant& is_meant) const {
  std::vector<std::string> words;
  const auto values = [&](const std::string& name) {
    const boost::any& value = values_[name].value();
    if (const auto* many = boost::any_cast<std::vector<std::string>>(&value)) return *many;
    return std::vector<std::string>{get(name)};
  };
  for (const auto& [name, help] : arguments_) {
    if (!has(name) || !is_meant(name)) continue;
    for (const std::string& value : values(name)) words.push_back(shell_word(value));
  }
  for (const auto& option : visible_.options()) {
    const std::string& name = option->long_name();
    if (!has(name) || !is_meant(name)) continue;
    if (option->semantic()->max_tokens() == 0) {
      words.push_back("--" + name);
      continue;
    }
    for (const std::string& value : values(name)) words.push_back("--" + name + " " + shell_word(value));
  }
  return joined(words, " ");
}

std::string CommandOptions::shell_words(const std::set<std::string>& without) const {
  return words_where([&](const std::string& name) { return !without.contains(name); });
}

std::string CommandOptions::shell_words_of(const std::set<std::string>& names) const {
  return words_where([&](const std::string& name) { return names.contains(name); });
}

}  // namespace lowbit::cli
