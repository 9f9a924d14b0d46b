#include "tinymath/families.h"

#include <string>
#include <utility>

#include "tinymath/draft.h"

namespace lowbit::tinymath {
namespace {

struct Person {
  std::string_view name, pronoun;
};
constexpr std::array<Person, 16> kPeople{{{"tom", "he"},
                                          {"anna", "she"},
                                          {"ben", "he"},
                                          {"lucy", "she"},
                                          {"max", "he"},
                                          {"emma", "she"},
                                          {"sam", "he"},
                                          {"nina", "she"},
                                          {"leo", "he"},
                                          {"kate", "she"},
                                          {"paul", "he"},
                                          {"rosa", "she"},
                                          {"omar", "he"},
                                          {"mia", "she"},
                                          {"ivan", "he"},
                                          {"lily", "she"}}};
constexpr std::array<std::string_view, 12> kThings{"apples",  "books",   "coins", "cards",    "pens",   "stamps",
                                                   "marbles", "cookies", "eggs",  "stickers", "shells", "beads"};
constexpr std::array<std::string_view, 3> kPackings{"boxes", "bags", "packs"};
constexpr std::array<std::string_view, 4> kVehicles{"train", "car", "bus", "truck"};
constexpr std::array<std::string_view, 3> kPlaces{"shop", "farm", "school"};
constexpr std::array<std::string_view, 2> kPlaceVerbs{"sells", "collects"};
constexpr std::array<std::string_view, 3> kRelatives{"friends", "brothers", "sisters"};
constexpr std::array<std::string_view, 3> kUnknowns{"x", "y", "z"};

Op sign(bool plus) { return plus ? Op::add : Op::subtract; }
std::string_view sign_text(bool plus) { return plus ? "+" : "-"; }

void boxes(Draft& p) {
  const auto [owner, other] = p.draw.pick_two(kPeople);
  const auto thing = p.draw.pick(kThings);
  const auto packing = p.draw.pick(kPackings);
  const Number before = p.number(5, 300);
  const Number n_boxes = p.number(2, 9);
  const Number in_each = p.number(6, 60);
  p.say(owner.name, "has", before, thing, ".", owner.pronoun, "buys", n_boxes, packing, "with", in_each, thing,
        "each .");
  Number now = p.step(n_boxes, Op::multiply, in_each);
  now = p.step(before, Op::add, now);
  if (p.draw.chance(60)) {
    const Number given_away = p.number(5, 250);
    p.say("then", owner.pronoun, "gives", given_away, thing, "to", other.name, ".");
    now = p.step(now, Op::subtract, given_away);
  }
  p.say("how many", thing, "does", owner.name, "have now ?");
}

void money(Draft& p) {
  const auto buyer = p.draw.pick(kPeople);
  const auto thing = p.draw.pick(kThings);
  const Number before = p.number(20, 900);
  const Number n_things = p.number(2, 9);
  const Number price = p.number(4, 60);
  p.say(buyer.name, "has", before, "dollars .", buyer.pronoun, "buys", n_things, thing, "for", price, "dollars each .");
  Number left = p.step(n_things, Op::multiply, price);
  left = p.step(before, Op::subtract, left);
  if (p.draw.chance(50)) {
    const Number earned = p.number(5, 200);
    p.say("then", buyer.pronoun, "earns", earned, "dollars .");
    left = p.step(left, Op::add, earned);
  }
  p.say("how many dollars does", buyer.name, "have left ?");
}

void share(Draft& p) {
  const auto [one, other] = p.draw.pick_two(kPeople);
  const auto thing = p.draw.pick(kThings);
  const int n_friends = p.draw.between(2, 9);
  const int total = n_friends * p.draw.between(8, 99);
  const Number first = p.number(3, total - 3);
  const Number second = p.given(total - first.value);
  p.say(one.name, "has", first, thing, "and", other.name, "has", second, thing, ". they put them together and share",
        "them equally among", p.given(n_friends), "friends .");
  Number each = p.step(first, Op::add, second);
  each = p.step(each, Op::divide, p.given(n_friends));
  if (p.draw.chance(50)) {
    const Number found = p.number(3, 60);
    p.say("each friend then finds", found, "more", thing, ".");
    each = p.step(each, Op::add, found);
  }
  p.say("how many", thing, "does each friend have ?");
}

void compare(Draft& p) {
  const auto [first, second] = p.draw.pick_two(kPeople);
  auto third = p.draw.pick(kPeople);
  while (third.name == first.name || third.name == second.name) third = p.draw.pick(kPeople);
  const auto thing = p.draw.pick(kThings);
  const Number base = p.number(4, 60);
  const Number difference = p.number(3, 50);
  const Number factor = p.number(2, 6);
  const bool more = p.draw.chance(60);
  p.say(first.name, "has", base, thing, ".", second.name, "has", difference, more ? "more" : "fewer", thing, "than",
        first.name, ".", third.name, "has", factor, "times as many", thing, "as", second.name, ". how many", thing);
  const Number of_second = p.step(base, sign(more), difference);
  const Number of_third = p.step(factor, Op::multiply, of_second);
  switch (p.draw.between(1, 3)) {
    case 1: return p.say("does", third.name, "have ?");
    case 2: p.step(of_second, Op::add, of_third); return p.say("do", second.name, "and", third.name, "have together ?");
    default:
      const Number of_two = p.step(base, Op::add, of_second);
      p.step(of_two, Op::add, of_third);
      return p.say("do they have in all ?");
  }
}

void journey(Draft& p) {
  const auto vehicle = p.draw.pick(kVehicles);
  const Number speed = p.number(8, 80);
  const Number hours = p.number(2, 9);
  const Number later_speed = p.number(8, 80);
  const Number later_hours = p.number(2, 9);
  p.say("a", vehicle, "goes", speed, "miles each hour for", hours, "hours and then", later_speed, "miles each hour for",
        later_hours, "hours .");
  const Number first_part = p.step(speed, Op::multiply, hours);
  const Number second_part = p.step(later_speed, Op::multiply, later_hours);
  if (p.draw.chance(30)) {
    p.step(first_part, Op::subtract, second_part);
    return p.say("how many more miles did it go in the first part ?");
  }
  const Number both = p.step(first_part, Op::add, second_part);
  if (p.draw.chance(60)) return p.say("how many miles does it go in all ?");
  const Number back = p.number(5, 90);
  p.step(both, Op::subtract, back);
  p.say("then it goes", back, "miles back . how far is it from the start ?");
}

void week(Draft& p) {
  const auto place = p.draw.pick(kPlaces);
  const auto verb = p.draw.pick(kPlaceVerbs);
  const auto thing = p.draw.pick(kThings);
  const Number monday = p.number(10, 300);
  const Number to_tuesday = p.number(3, 150);
  const Number to_friday = p.number(3, 150);
  const bool more_on_tuesday = p.draw.chance(50);
  const bool more_on_friday = p.draw.chance(50);
  p.say("a", place, verb, monday, thing, "on monday ,", to_tuesday, more_on_tuesday ? "more" : "fewer", thing,
        "on tuesday than on monday , and", to_friday, more_on_friday ? "more" : "fewer", thing,
        "on friday than on tuesday . how many", thing);
  const Number tuesday = p.step(monday, sign(more_on_tuesday), to_tuesday);
  const Number friday = p.step(tuesday, sign(more_on_friday), to_friday);
  if (p.draw.chance(30)) return p.say("on friday ?");
  const Number two_days = p.step(monday, Op::add, tuesday);
  p.step(two_days, Op::add, friday);
  p.say("in all ?");
}

void shelves(Draft& p) {
  const auto thing = p.draw.pick(kThings);
  const Number n_shelves = p.number(2, 9);
  const Number on_each = p.number(8, 99);
  const Number change = p.number(5, 250);
  const Number later_change = p.number(5, 250);
  const bool added_first = p.draw.chance(50);
  p.say("there are", n_shelves, "shelves with", on_each, thing, "each .", change, thing, "are",
        added_first ? "added" : "removed", "and", later_change, thing, "are", added_first ? "removed" : "added",
        ". how many", thing, "are there now ?");
  Number now = p.step(n_shelves, Op::multiply, on_each);
  now = p.step(now, sign(added_first), change);
  p.step(now, sign(!added_first), later_change);
}

void riddle(Draft& p) {
  const int thought_of = p.draw.between(2, 90);
  const Number factor = p.number(2, 9);
  const Number first = p.number(2, 200);
  const Number second = p.number(2, 200);
  const bool adds_first = p.draw.chance(50);
  const bool adds_second = p.draw.chance(50);
  const int between = factor.value * thought_of + (adds_first ? first.value : -first.value);
  const Number result = p.given(p.given(between).value + (adds_second ? second.value : -second.value));
  const auto verb = [](bool adds) { return adds ? "add" : "subtract"; };
  p.say("i think of a number . i multiply it by", factor, ",", verb(adds_first), first, "and", verb(adds_second),
        second, ". the result is", result, ". what is the number ?");
  Number back = p.step(result, sign(!adds_second), second);
  back = p.step(back, sign(!adds_first), first);
  p.step(back, Op::divide, factor);
}

void wages(Draft& p) {
  const auto earner = p.draw.pick(kPeople);
  const Number each_hour = p.number(5, 20);
  const Number hours = p.number(2, 8);
  const Number days = p.number(2, 6);
  const Number spent = p.number(10, 300);
  p.say(earner.name, "earns", each_hour, "dollars each hour and works", hours, "hours each day for", days,
        "days . then", earner.pronoun, "spends", spent, "dollars .");
  Number left = p.step(each_hour, Op::multiply, hours);
  left = p.step(left, Op::multiply, days);
  left = p.step(left, Op::subtract, spent);
  if (p.draw.chance(50)) return p.say("how many dollars does", earner.name, "have left ?");
  const Number n_relatives = p.number(2, 6);
  const auto relatives = p.draw.pick(kRelatives);
  p.step(left, Op::divide, n_relatives);
  p.say(earner.pronoun, "shares the rest equally among", n_relatives, relatives, ". how many dollars does each get ?");
}

/// "solve" or "find x if": what an equation begins with.
void ask_for(Draft& p, std::string_view unknown) {
  if (p.draw.chance(50)) return p.say("solve");
  p.say("find", unknown, "if");
}

void linear(Draft& p) {
  const auto unknown = p.draw.pick(kUnknowns);
  const int solution = p.draw.between(2, 99);
  const Number factor = p.number(2, 9);
  const Number term = p.number(2, 300);
  const bool plus = p.draw.chance(50);
  const Number right = p.given(factor.value * solution + (plus ? term.value : -term.value));
  ask_for(p, unknown);
  p.say(factor, unknown, sign_text(plus), term, "=", right);
  const std::string is = std::string(unknown) + " = ";
  const Number product = p.step_of(factor, is, right, sign(!plus), term);
  p.step(product, Op::divide, factor, is);
}

void factored(Draft& p) {
  const auto unknown = p.draw.pick(kUnknowns);
  const int solution = p.draw.between(1, 99);
  const Number factor = p.number(2, 9);
  const Number term = p.number(2, 60);
  const bool plus = p.draw.chance(50);
  const int inside = solution + (plus ? term.value : -term.value);
  const Number right = p.given(factor.value * p.given(inside).value);
  ask_for(p, unknown);
  p.say(factor, "(", unknown, sign_text(plus), term, ") =", right);
  const std::string is = std::string(unknown) + " = ";
  const std::string bracket =
      std::string(unknown) + " " + std::string(sign_text(plus)) + " " + std::to_string(term.value) + " = ";
  const Number quotient = p.step(right, Op::divide, factor, bracket);
  p.step(quotient, sign(!plus), term, is);
}

void two_sided(Draft& p) {
  const auto unknown = p.draw.pick(kUnknowns);
  const int solution = p.draw.between(2, 99);
  const Number right_factor = p.number(2, 7);
  const Number left_factor = p.number(right_factor.value + 2, 9);
  const Number left_term = p.number(2, 400);
  const Number right_term = p.given(left_term.value + (left_factor.value - right_factor.value) * solution);
  ask_for(p, unknown);
  p.say(left_factor, unknown, "+", left_term, "=", right_factor, unknown, "+", right_term);
  const std::string is = std::string(unknown) + " = ";
  const Number factor = p.step(left_factor, Op::subtract, right_factor);
  const Number product = p.step_of(factor, is, right_term, Op::subtract, left_term);
  p.step(product, Op::divide, factor, is);
}

constexpr std::array<void (*)(Draft&), kFamilies.size()> kWriters{boxes,   money,  share, compare, journey,  week,
                                                                  shelves, riddle, wages, linear,  factored, two_sided};

}  // namespace

std::optional<Problem> draft_problem(std::size_t family, Draw& draw) {
  Draft draft(draw);
  kWriters.at(family)(draft);
  if (!draft.sound()) return std::nullopt;
  return Problem{
      .family = std::string(kFamilies[family]), .text = std::move(draft.text()), .steps = std::move(draft.steps())};
}

}  // namespace lowbit::tinymath
