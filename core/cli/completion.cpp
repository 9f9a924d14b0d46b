#include "cli/completion.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "cli/command_options.h"

namespace lowbit::cli {
namespace {

// Each asks `lowbit completion --words WORDS`: lines `word<tab>help`, and `:files PATTERN` or `:directories` where the
// shell knows better.
constexpr std::string_view kBash = R"script(# bash completion for lowbit: source <(lowbit completion bash)
_lowbit() {
  local -a words=()
  local piece current='' line prefix
  # Readline cuts words at `=`; lowbit reads them whole.
  for piece in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if ((${#words[@]})) && { [[ $piece == = ]] || [[ ${words[-1]} == *= ]]; }; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
  done
  ((${#words[@]})) || words=('')
  current=${words[-1]}
  prefix=''
  [[ ${COMP_WORDS[COMP_CWORD]} != [\'\"]* && $current == *=* ]] && prefix=${current%=*}=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      ':directories') compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$current")) ;;
      ':files '*)
        compopt -o filenames 2>/dev/null
        COMPREPLY+=($(compgen -d -- "$current") $(compgen -f -X "!${line#:files }" -- "$current"))
        ;;
      *)
        line=${line%%$'\t'*}
        line=${line#"$prefix"}
        if [[ ${COMP_WORDS[COMP_CWORD]} == [\'\"]* ]]; then
          COMPREPLY+=("$line")
        else
          COMPREPLY+=("$(printf %q "$line")")
        fi
        ;;
    esac
  done < <("${COMP_WORDS[0]}" completion --words "${words[@]//[\'\"\\]/}" 2>/dev/null)
}
complete -F _lowbit lowbit
)script";

constexpr std::string_view kZsh = R"script(#compdef lowbit
# zsh completion for lowbit: source <(lowbit completion zsh)
_lowbit() {
  local line word
  local -a found shown
  while IFS= read -r line; do
    case $line in
      ':directories') _files -/ ;;
      ':files '*) _files -g "${line#:files }" ;;
      *)
        word=${line%%$'\t'*}
        found+=("$word")
        shown+=("$word  ${line#*$'\t'}")
        ;;
    esac
  done < <("${words[1]}" completion --words "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (($#found)) && compadd -l -d shown -a found
}
compdef _lowbit lowbit
)script";

constexpr std::string_view kFish = R"script(# fish completion for lowbit: lowbit completion fish | source
function __lowbit_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    $words[1] completion --words $words[2..-1] "$current" 2>/dev/null | while read -l line
        switch $line
            case ':directories' ':files *'
                __fish_complete_path "$current"
            case '*'
                echo $line
        end
    end
end
complete -c lowbit -f -a '(__lowbit_complete)'
)script";

struct Choice {
  std::string_view command;  ///< empty: any
  std::string_view name;     ///< of the option or argument
  std::vector<std::string_view> words;
};

const std::vector<Choice>& choices() {
  static const std::vector<Choice> all{
      {"graph", "--format", {"text", "svg", "dot", "mermaid"}},
      {"table", "--format", {"text", "md", "csv", "json"}},
      {"agreement", "--level", {"type", "category"}},
      {"retry", "--cause", {"stage", "resource", "preempted", "timeout", "cancelled", "transient", "stalled"}},
      {"completion", "shell", {"bash", "zsh", "fish"}},
      {"ls", "what", {"experiments", "runs"}},
  };
  return all;
}

class Completer {
 public:
  Completer(const Words& words, const CompletionSources& sources)
      : words_(words), current_(words.empty() ? "" : words.back()), sources_(sources) {}

  Completion completion() {
    if (words_.size() < 2) {
      for (const Command& command : commands()) {
        if (!command.summary.empty()) add(std::string(command.name), std::string(command.summary));
      }
      add("help", "the commands");
      return std::move(out_);
    }
    const Command* command = find_command(words_.front());
    if (command == nullptr || command->summary.empty()) return {};
    command_ = command->name;
    const bool check = command_ == "plugins" && words_.size() > 2 && words_[1] == "check";
    help_ = options_of(check ? plugins_check_command : command->function);
    read_words(check ? 2 : 1);
    if (const OptionsHelp::Option* open = open_option()) {
      value_of(open->name);
    } else if (current_.rfind('-', 0) == 0) {
      for (const OptionsHelp::Option& option : help_.options) {
        if (option.repeats || !has(option)) add(option.name, option.help);
      }
    } else {
      argument();
    }
    return std::move(out_);
  }

 private:
  void add(const std::string& word, const std::string& help = {}) {
    if (word.rfind(current_, 0) == 0) out_.candidates.push_back({word, help});
  }
  void add_all(const std::function<std::vector<std::string>()>& source) {
    if (!source) return;
    for (const std::string& word : source()) add(word);
  }

  [[nodiscard]] const OptionsHelp::Option* option_named(const std::string& word) const {
    const auto it = std::find_if(help_.options.begin(), help_.options.end(), [&](const OptionsHelp::Option& option) {
      return word == option.name || (!option.letter.empty() && word == option.letter);
    });
    return it == help_.options.end() ? nullptr : &*it;
  }

  [[nodiscard]] bool has(const OptionsHelp::Option& option) const {
    return std::find_if(words_.begin(), words_.end() - 1, [&](const std::string& word) {
             return word == option.name || word == option.letter;
           }) != words_.end() - 1;
  }

  /// The positional words before the one that is written.
  void read_words(std::size_t first) {
    for (std::size_t i = first; i + 1 < words_.size(); ++i) {
      const OptionsHelp::Option* option = option_named(words_[i]);
      if (option == nullptr && words_[i].rfind('-', 0) != 0) positional_.push_back(words_[i]);
      if (option != nullptr && option->takes_value) ++i;
    }
  }

  /// The option whose value is being written.
  [[nodiscard]] const OptionsHelp::Option* open_option() const {
    const OptionsHelp::Option* option = option_named(words_[words_.size() - 2]);
    return option != nullptr && option->takes_value ? option : nullptr;
  }

  bool choose(std::string_view name) {
    for (const Choice& choice : choices()) {
      if (choice.command != command_ || choice.name != name) continue;
      for (const std::string_view word : choice.words) add(std::string(word));
      return true;
    }
    return false;
  }

  void value_of(const std::string& option) {
    if (choose(option)) return;
    if (option == "--force") {
      stages();
    } else if (option == "--experiment") {
      add_all(sources_.experiments);
    } else if (option == "--baseline") {
      add_all(command_ == "compare" ? sources_.names_in_project : sources_.judges);
    } else if (option == "--project" || option == "--plugin-path" || option == "--to") {
      out_.directories = true;
    } else if (option == "--output") {
      out_.files = "*";
    }
  }

  /// Of the experiment that stands in the words, else of what the project has.
  void stages() {
    for (const std::string& word : positional_) {
      if (word.find(".yaml") == std::string::npos && word.find(".yml") == std::string::npos) continue;
      if (!sources_.stages_of_file) return;
      for (const std::string& stage : sources_.stages_of_file(word)) add(stage);
      return;
    }
    add_all(sources_.stages_in_project);
  }

  void argument() {
    if (help_.arguments.empty()) return;
    const std::size_t index = std::min(positional_.size(), help_.arguments.size() - 1);
    const OptionsHelp::Argument& argument = help_.arguments[index];
    if (index < positional_.size() && !argument.repeats) return;  // all of them stand there
    if (choose(argument.name)) return;
    if (command_ == "plugins") {
      add("check", "whether a plugin keeps the rules");
      add_all(sources_.plugin_stages);
    } else if (argument.name == "stage") {
      add_all(sources_.stages_in_project);
    } else if (command_ == "show" || command_ == "diff" || command_ == "samples" || argument.name == "selection") {
      add_all(sources_.names_in_project);
    } else if (argument.name == "experiment") {
      add_all(sources_.experiments);
    } else if (argument.name == "code") {
      add_all(sources_.error_codes);
    } else if (argument.name == "file") {
      out_.files = "*.y*ml";
    } else if (argument.name == "directory" || argument.name == "out") {
      out_.directories = true;
    } else if (argument.name != "sql" && argument.name != "name" && argument.name != "cell") {
      out_.files = "*";
    }
  }

  const Words& words_;
  std::string current_;
  const CompletionSources& sources_;
  std::string_view command_;
  OptionsHelp help_;
  std::vector<std::string> positional_;
  Completion out_;
};

}  // namespace

Completion complete(const Words& words, const CompletionSources& sources) {
  return Completer(words, sources).completion();
}

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

}  // namespace lowbit::cli
