#include "report/study_methods.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/json.h"
#include "base/words.h"
#include "domain/coordinates.h"
#include "domain/quantity_text.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kDigestShown = 8;
constexpr std::size_t kValuesShown = 12;

std::string value_text(const Json& value) {
  if (value.is_null()) return "none";
  if (value.is_string() && value.get_ref<const std::string&>().empty()) return R"("")";
  return value.is_structured() ? canonical(value) : scalar_text(value);
}

std::string source_text(const RecipeInput& input, const StudyResults& study, const MethodFacts& facts) {
  if (input.maker) return input.port + " from " + study.variants[*input.maker].stage + "." + input.maker_port;
  const auto path = facts.paths.find(input.digest);
  return input.port + " from " + (path == facts.paths.end() ? "outside" : path->second) + " (" +
         input.digest.substr(0, kDigestShown) + ")";
}

std::string settings(const StageMethod& method, bool varied) {
  std::vector<std::string> texts;
  for (const auto& [name, values] : method.params) {
    if ((values.size() > 1) == varied) texts.push_back(name + (varied ? " " : " = ") + listed(values, kValuesShown));
  }
  return joined(texts, varied ? "; " : ", ");
}

}  // namespace

std::vector<StageMethod> methods_of(const StudyResults& study, const StudyRecipes& recipes, const MethodFacts& facts) {
  std::vector<StageMethod> methods;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  std::set<std::tuple<std::size_t, std::string, std::string>> seen;  // method, parameter or nothing, text
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    const Json& record = recipes[i].record;
    if (!record.is_object()) continue;
    const std::string plugin = plugin_text(record);
    const auto [place, fresh] = places.try_emplace({study.variants[i].stage, plugin}, methods.size());
    if (fresh) {
      const auto summary = facts.summaries.find(plugin.substr(0, plugin.find(' ')));
      methods.push_back({.stage = study.variants[i].stage,
                         .plugin = plugin,
                         .summary = summary == facts.summaries.end() ? "" : summary->second});
    }
    StageMethod& method = methods[place->second];
    ++method.n_variants;
    for (const auto& [name, value] : member(record, "params").items()) {
      auto param = std::find_if(method.params.begin(), method.params.end(),
                                [&, &wanted = name](const auto& one) { return one.first == wanted; });
      if (param == method.params.end()) param = method.params.insert(method.params.end(), {name, {}});
      std::string text = value_text(value);
      if (seen.emplace(place->second, name, text).second) param->second.push_back(std::move(text));
    }
    for (const RecipeInput& input : recipes[i].inputs) {
      std::string text = source_text(input, study, facts);
      if (seen.emplace(place->second, "", text).second) method.inputs.push_back(std::move(text));
    }
  }
  return methods;
}

std::string method_text(const StageMethod& method) {
  std::string text = count_text(method.n_variants, "variant");
  if (const std::string varied = settings(method, true); !varied.empty()) text += " over " + varied;
  text += ".";
  if (const std::string fixed = settings(method, false); !fixed.empty()) {
    text += (method.n_variants == 1 ? " With " : " All with ") + fixed + ".";
  }
  if (!method.inputs.empty()) text += " Reads " + listed(method.inputs, kValuesShown) + ".";
  return text;
}

}  // namespace lowbit::report
