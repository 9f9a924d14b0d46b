#include "exec/control.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "exec/publish.h"

namespace lowbit::exec {
namespace {

using graph::VariantIndex;

bool can_be_cancelled(VariantState state) {
  return state == VariantState::waiting || state == VariantState::ready || state == VariantState::running;
}

std::string refusal(const Diagnostics& problems) {
  Json list = Json::array();
  for (const Diagnostic& problem : problems) list.push_back(to_json(problem));
  return canonical({{"ok", false}, {"problems", std::move(list)}});
}

Diagnostic not_understood(const std::string& why) {
  return error("LB0032", "the live lowbit does not understand what it was asked")
      .note(why)
      .fix("use the same lowbit as the one that runs");
}

Diagnostic no_such_label(const std::string& wanted, const Snapshot& now) {
  Diagnostic problem = error("LB0003", "there is no stage " + wanted + " in the running experiment " + now.experiment);
  std::vector<std::string> names;
  for (const VariantNow& variant : now.variants) {
    names.push_back(variant.stage);
    names.push_back(variant.label);
  }
  if (const std::string near = nearest(wanted, names); !near.empty()) {
    problem.note("a stage with a similar name exists: " + near);
  }
  return problem.fix("`lowbit status` lists them");
}

Diagnostic nothing_to_cancel(const std::string& wanted, const std::vector<VariantNow>& settled) {
  Diagnostic problem = error("LB0031", "nothing of " + wanted + " is left to cancel");
  constexpr std::size_t kShown = 4;
  for (std::size_t i = 0; i < settled.size() && i < kShown; ++i) {
    problem.note(settled[i].label + " is " + std::string(name_of(settled[i].state)));
  }
  return problem.fix("only what runs or waits can be cancelled: see `lowbit status`");
}

/// Indices of variants that `wanted` names by label or by stage and that have not settled.
Result<std::vector<VariantIndex>> unsettled(const Snapshot& now, const std::string& wanted) {
  std::vector<VariantIndex> found;
  std::vector<VariantNow> settled;
  for (VariantIndex i = 0; i < now.variants.size(); ++i) {
    const VariantNow& variant = now.variants[i];
    if (variant.label != wanted && variant.stage != wanted) continue;
    if (can_be_cancelled(variant.state)) {
      found.push_back(i);
    } else {
      settled.push_back(variant);
    }
  }
  if (!found.empty()) return found;
  return settled.empty() ? no_such_label(wanted, now) : nothing_to_cancel(wanted, settled);
}

Json labels_of(const Snapshot& now, const std::vector<VariantIndex>& variants) {
  Json labels = Json::array();
  for (const VariantIndex index : variants) labels.push_back(now.variants[index].label);
  return labels;
}

Result<Json> cancel_labels(Controlled& run, const Json& request) {
  const Snapshot now = run.snapshot();
  std::set<VariantIndex> all;
  Diagnostics problems;
  for (const Json& label : request.at("labels")) {
    auto found = unsettled(now, label.get<std::string>());
    if (found.ok()) {
      all.insert(found->begin(), found->end());
    } else {
      problems.insert(problems.end(), found.error().begin(), found.error().end());
    }
  }
  if (!problems.empty()) return problems;  // all of them or none
  std::vector<VariantIndex> cancelled;
  for (const VariantIndex index : all) {
    if (run.cancel(index)) cancelled.push_back(index);
  }
  if (cancelled.empty()) {
    return error("LB0031", "nothing of that is left to cancel")
        .note("what it names has just ended, and its results are being recorded")
        .fix("see `lowbit status`");
  }
  return Json{{"labels", labels_of(now, cancelled)}};
}

Result<Json> retry_failed(Controlled& run, const Json& request) {
  const std::string cause = request.value("cause", std::string());
  if (!cause.empty() && !failure_cause(cause)) return not_understood("there is no cause " + cause);
  const Snapshot now = run.snapshot();
  const std::string experiment = request.at("experiment").get<std::string>();
  if (experiment != now.experiment) {
    return error("LB0033", "the live lowbit runs another experiment")
        .note("it runs " + now.experiment + ", asked for was " + experiment)
        .fix("wait for it to end, then retry");
  }
  std::set<VariantIndex> only;
  Diagnostics problems;
  for (const Json& label : request.value("labels", Json::array())) {
    const std::string wanted = label.get<std::string>();
    const std::size_t before = only.size();
    for (VariantIndex i = 0; i < now.variants.size(); ++i) {
      if (now.variants[i].label == wanted || now.variants[i].stage == wanted) only.insert(i);
    }
    if (only.size() == before) problems.push_back(no_such_label(wanted, now));
  }
  if (!problems.empty()) return problems;
  return Json{{"labels", labels_of(now, run.retry(cause, only))}};
}

Result<Json> answer_request(Controlled& run, const Json& request) {
  const std::string name = request.at("request").get<std::string>();
  if (name == "status") return Json{{"pid", ::getpid()}, {"status", to_json(run.snapshot())}};
  if (name == "cancel") return cancel_labels(run, request);
  if (name == "retry") return retry_failed(run, request);
  if (name == "stop") {
    run.interrupt();
    return Json::object();
  }
  return not_understood("there is no request " + name);
}

}  // namespace

std::string answer_control(Controlled& run, std::string_view line) {
  try {
    auto result = answer_request(run, Json::parse(line));
    if (!result.ok()) return refusal(result.error());
    (*result)["ok"] = true;
    return canonical(*result);
  } catch (const Json::exception& e) {
    return refusal({not_understood(e.what())});
  }
}

Result<Json> read_answer(std::string_view line) {
  const auto no_answer = [&] {
    return error("LB4105", "the live lowbit gave no answer that can be read")
        .note(line.empty() ? "it said nothing: it was just ending, or is too busy" : std::string(line.substr(0, 200)))
        .fix("see `lowbit status`, then ask again");
  };
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("ok") || !json["ok"].is_boolean()) return no_answer();
  if (json["ok"].get<bool>()) return json;
  Diagnostics problems;
  try {
    for (const Json& one : json.at("problems")) {
      Diagnostic problem = error(one.at("code").get<std::string>(), one.at("what").get<std::string>());
      for (const Json& note : one.at("notes")) problem.note(note.get<std::string>());
      problems.push_back(problem.fix(one.at("help").get<std::string>()));
    }
  } catch (const Json::exception&) {
    return no_answer();
  }
  if (problems.empty()) return no_answer();
  return problems;
}

}  // namespace lowbit::exec
