#include "tinymath/wording.h"

#include <array>
#include <cctype>
#include <map>
#include <sstream>

namespace lowbit::tinymath {
namespace {

/// A sentence of families.cpp and two others that say the same. `$word` stands for one word, `$$word` for all the rest.
struct Sentence {
  std::string_view written;
  std::array<std::string_view, 2> instead;
};

constexpr std::array kSentences{
    // boxes
    Sentence{"$p has $a $t . $he buys $n $c with $b $t each .",
             {"$P starts out with $a $t . Later $he comes home with $n $c , and every one of them holds $b $t .",
              "In $P 's room there are $a $t . $P gets $n new $c that contain $b $t apiece ."}},
    Sentence{"then $he gives $b $t to $q .",
             {"After that , $Q receives $b $t from $P .", "$Q is handed $b of the $t afterwards ."}},
    Sentence{"how many $t does $p have now ?",
             {"What is the number of $t that $P owns at the end ?", "Find how many $t are in $P 's possession now ."}},
    // money
    Sentence{"$p has $a dollars . $he buys $n $t for $b dollars each .",
             {"The purse of $P holds $a dollars . A purchase of $n $t follows , at a price of $b dollars per piece .",
              "Out of $a dollars , $P pays for $n $t that cost $b dollars apiece ."}},
    Sentence{"then $he earns $b dollars .",
             {"A job then brings in another $b dollars .", "Later on , $b dollars are received as pay ."}},
    Sentence{"how many dollars does $p have left ?",
             {"How much money remains with $P ?", "State the dollars that $P still owns ."}},
    // share
    Sentence{"$p has $a $t and $q has $b $t . they put them together and share them equally among $n friends .",
             {"$P brings $a $t , $Q brings $b $t . The whole pile is split evenly between $n friends .",
              "A pile is made of $a $t from $P and $b $t from $Q , and $n friends divide it into equal parts ."}},
    Sentence{"each friend then finds $b more $t .",
             {"Everyone of these friends discovers $b further $t later .", "Afterwards every friend gains $b $t ."}},
    Sentence{"how many $t does each friend have ?",
             {"What does a single friend own in $t ?", "Give the number of $t that one friend ends up with ."}},
    // compare
    Sentence{
        "$p has $a $t . $q has $b $more $t than $p . $r has $n times as many $t as $q . how many $t",
        {"$P counts $a $t . Next to $P , $Q counts $b $more . The count of $R is that of $Q times $n . What number of "
         "$t",
         "There are $a $t with $P . With $Q there are $b $more than that , and $R owns $n times the amount of $Q . "
         "Which number of $t"}},
    Sentence{"does $r have ?", {"belongs to $R ?", "is owned by $R ?"}},
    Sentence{"do $q and $r have together ?", {"belongs to $Q and $R jointly ?", "is that of $Q plus $R ?"}},
    Sentence{"do they have in all ?", {"belongs to the three of them ?", "is owned by all three ?"}},
    // journey
    Sentence{"a $v goes $a miles each hour for $b hours and then $c miles each hour for $d hours .",
             {"For $b hours a $v travels at $a miles per hour , and for $d further hours at $c miles per hour .",
              "A $v drives at a steady $a miles per hour during $b hours , then changes to $c miles per hour during $d "
              "hours ."}},
    Sentence{"how many more miles did it go in the first part ?",
             {"By how many miles is the first stretch longer than the second ?",
              "Find the lead , in miles , of the first stretch over the second ."}},
    Sentence{"how many miles does it go in all ?",
             {"What distance is covered altogether ?", "Give the length of the whole trip in miles ."}},
    Sentence{"then it goes $a miles back . how far is it from the start ?",
             {"It returns $a miles along the same road . What separates it from where it set out ?",
              "Turning round , it drives $a miles of the way home . At what distance from its origin does it stop ?"}},
    // week
    Sentence{
        "a $p $v $a $t on monday , $b $more $t on tuesday than on monday , and $c $less $t on friday than on "
        "tuesday . how many $t",
        {"On monday , $a $t is what a $p $v . Its tuesday figure is $b $more , and its friday figure is $c $less than "
         "tuesday 's . What number of $t",
         "A $p keeps a list : on monday it $v $a $t , on tuesday $b $more than the day before , on friday $c $less "
         "than on tuesday . Which number of $t"}},
    Sentence{"on friday ?", {"is noted for friday ?", "belongs to friday ?"}},
    Sentence{"in all ?", {"do the three days sum up to ?", "belongs to the three days taken together ?"}},
    // shelves
    Sentence{
        "there are $n shelves with $a $t each . $b $t are $added and $c $t are $removed . how many $t are there now "
        "?",
        {"A cupboard has $n shelves that carry $a $t apiece . Somebody comes and $b $t are $added ; later $c $t are "
         "$removed . What is the number of $t in the end ?",
         "$n shelves carry $a $t per shelf . First $b $t are $added , next $c are $removed . Find the number of $t "
         "that results ."}},
    // riddle
    Sentence{
        "i think of a number . i multiply it by $n , $add $a and $subtract $b . the result is $c . what is the number "
        "?",
        {"Guess my number : take it $n times , $add $a , $subtract $b , and you arrive at $c .",
         "Somebody takes a secret number $n times , then says $add $a , then says $subtract $b . That makes $c . "
         "Which number was secret ?"}},
    // wages
    Sentence{
        "$p earns $a dollars each hour and works $b hours each day for $d days . then $he spends $c dollars .",
        {"At an hourly wage of $a dollars , $P works for $d days of $b hours . Of the money , $c dollars are spent .",
         "$P is paid $a dollars per hour . On $d days $he works $b hours a day , and then $c dollars are gone ."}},
    Sentence{"$he shares the rest equally among $n $r . how many dollars does each get ?",
             {"What remains goes in equal parts to $n $r . How much is one part ?",
              "$n $r divide the remainder evenly . What does one of them receive in dollars ?"}},
    // equations
    Sentence{"find $x if $$e", {"Determine the value of $x : $$e", "For which $x is it true that $$e ?"}},
    Sentence{"solve $$e", {"Work out the unknown in $$e", "What must the letter stand for so that $$e ?"}},
};

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::string capitalised(std::string word) {
  if (!word.empty()) word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

using Slots = std::map<std::string, std::string>;

/// Binds the slots of `written` to the words from `at` on and moves `at` behind them; names keep their capital.
bool matches(std::string_view written, const std::vector<std::string>& words, std::size_t& at, Slots& slots) {
  std::size_t i = at;
  for (const std::string& part : words_of(written)) {
    if (part.substr(0, 2) == "$$") {
      std::string rest;
      for (; i < words.size(); ++i) rest += (rest.empty() ? "" : " ") + words[i];
      slots[part] = rest;
      continue;
    }
    if (i == words.size()) return false;
    const std::string& word = words[i++];
    if (part[0] != '$') {
      if (part != word) return false;
    } else if (const auto [bound, is_new] = slots.emplace(part, word); !is_new && bound->second != word) {
      return false;
    }
  }
  at = i;
  return true;
}

/// Words with the slots filled in; `$P` is `$p` with a capital. Signs stand close to the word before them.
std::string filled(std::string_view sentence, const Slots& slots) {
  std::string text;
  for (std::string part : words_of(sentence)) {
    if (part[0] == '$') {
      std::string name = part;
      const bool capital = std::isupper(static_cast<unsigned char>(name[1])) != 0;
      if (capital) name[1] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[1])));
      part = capital ? capitalised(slots.at(name)) : slots.at(name);
    }
    const bool close = part == "." || part == "," || part == "?" || part == ";" || part == "'s";
    text += (text.empty() || close ? "" : " ") + part;
  }
  return text;
}

std::string named(Op op) {
  switch (op) {
    case Op::add: return "plus";
    case Op::subtract: return "minus";
    case Op::multiply: return "times";
    case Op::divide: break;
  }
  return "divided by";
}

std::string doing(int left, Op op, int right) {
  const std::string a = std::to_string(left);
  const std::string b = std::to_string(right);
  switch (op) {
    case Op::add: return "Adding " + b + " to " + a;
    case Op::subtract: return "Subtracting " + b + " from " + a;
    case Op::multiply: return "Multiplying " + a + " by " + b;
    case Op::divide: break;
  }
  return "Dividing " + a + " by " + b;
}

std::string worded(const Step& step, std::size_t index, int style) {
  const std::string result = std::to_string(step.result);
  const std::string sum =
      std::to_string(step.left.value) + " " + named(step.op) + " " + std::to_string(step.right.value);
  std::string unknown = step.unknown.empty() ? "" : step.unknown.substr(0, step.unknown.size() - 3);
  if (step.coefficient) unknown = std::to_string(step.coefficient->value) + " " + unknown;
  switch (style) {
    case 0: return (index == 0 ? "First, " : "Next, ") + step.text() + ".";
    case 1:
      return (index == 0 ? "To begin, " : "Then ") +
             (unknown.empty() ? sum + " is " + result : unknown + " equals " + sum + ", which is " + result) + ".";
    case 2: return "We have " + step.text() + (index == 0 ? " to start with." : " now.");
    default: break;
  }
  const std::string gives = doing(step.left.value, step.op, step.right.value) + " gives ";
  return unknown.empty() ? gives + result + "." : gives + unknown + " = " + result + ".";
}

}  // namespace

std::optional<std::string> reworded(std::string_view problem_text, Draw& draw) {
  const std::vector<std::string> words = words_of(problem_text);
  Slots slots;
  std::string text;
  const int manner = draw.between(0, 1);
  for (std::size_t at = 0; at < words.size();) {
    bool found = false;
    for (const Sentence& sentence : kSentences) {
      // Names are those of the problem; all other slots are of the sentence.
      Slots of_sentence;
      for (const char* name : {"$p", "$q", "$r"}) {
        if (slots.contains(name)) of_sentence[name] = slots[name];
      }
      std::size_t end = at;
      if (!matches(sentence.written, words, end, of_sentence)) continue;
      at = end;
      slots = of_sentence;
      const std::string said = filled(sentence.instead[static_cast<std::size_t>(manner)], slots);
      const bool begins = text.empty() || text.back() == '.' || text.back() == '?';
      text += (text.empty() ? "" : " ") + (begins ? capitalised(said) : said);
      found = true;
      break;
    }
    if (!found) return std::nullopt;
  }
  return text;
}

std::vector<std::string> worded_solution(const std::vector<Step>& steps, int concluded, int style) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < steps.size(); ++i) texts.push_back(worded(steps[i], i, style));
  const std::string last = std::to_string(steps.back().result);
  const std::string answer = std::to_string(concluded);
  switch (style) {
    case 0: texts.push_back("The last line gives " + last + ", so the result is " + answer + "."); break;
    case 1: texts.push_back("We end at " + last + "; therefore the answer is " + answer + "."); break;
    case 2: texts.push_back("Since the calculation ends with " + last + ", what we want is " + answer + "."); break;
    default: texts.push_back("As " + last + " came out in the end, the question is answered by " + answer + ".");
  }
  return texts;
}

}  // namespace lowbit::tinymath
