// Toys that do what they say: the roots and joints of test graphs.
#include <unistd.h>

#include <set>

#include "stages.h"

namespace toy {
namespace {

using lowbit::field;
using lowbit::Job;

struct SourceParams {
  std::string text = "toy";
  std::int64_t lines = 1;
  static auto fields() {
    return lowbit::fields<SourceParams>(
        field(&SourceParams::text, "text").doc("what every line says"),
        field(&SourceParams::lines, "lines").range(1, 1000000).unit("lines").doc("how often it says so"));
  }
};

void run_source(const Job& job, const SourceParams& params) {
  std::string text;
  for (std::int64_t line = 0; line < params.lines; ++line) text += params.text + "\n";
  write_text(job.output("out") / kFile, text);
  job.metric("toy/lines", static_cast<double>(params.lines), "lines");
}

void run_seeded_source(const Job& job, const SourceParams& params) {
  auto rng = job.rng("lines");
  std::string text;
  double sum = 0;
  for (std::int64_t line = 0; line < params.lines; ++line) {
    const std::uint64_t draw = rng() >> 54U;  // 0 … 1023
    text += params.text + " " + std::to_string(draw) + "\n";
    sum += static_cast<double>(draw);
  }
  write_text(job.output("out") / kFile, text);
  job.metric("toy/mean", sum / static_cast<double>(params.lines), "ratio",
             {.count = static_cast<std::uint64_t>(params.lines)});
}

struct ConstantParams {
  std::int64_t ignored = 0;
  static auto fields() {
    return lowbit::fields<ConstantParams>(
        field(&ConstantParams::ignored, "ignored").doc("part of the key, but without any effect"));
  }
};

// Another parameter, the same bytes: what early cutoff is for.
void run_constant(const Job& job, const ConstantParams&) {
  if (job.has_input("in")) (void)read_text(job.input("in").file());
  write_text(job.output("out") / kFile, "constant\n");
}

void run_concat(const Job& job) {
  std::string text;
  std::uint64_t members = 0;
  for (const lowbit::Input& member : job.inputs("in")) {
    text += member.coordinates.dump() + "\n" + read_text(member.file());
    ++members;
  }
  write_text(job.output("out") / kFile, text);
  job.metric("toy/members", static_cast<double>(members), "items", {.count = members});
}

// Names of all variables, values of toys' own alone: a log of the tests must not hold anyone's secrets.
void run_env(const Job& job) {
  std::set<std::string> lines;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    lines.insert(text.starts_with("LOWBIT_TOY_") ? text : text.substr(0, text.find('=')));
  }
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_text(job.output("out") / kFile, text);
}

}  // namespace

lowbit::Stage source() {
  return lowbit::Stage("lowbit.toy.source", LB_DATASET)
      .version("1.0.0")
      .summary("Writes a text.")
      .output("out", "file", "the text")
      .run<run_source>();
}

lowbit::Stage seeded_source() {
  return lowbit::Stage("lowbit.toy.seeded-source", LB_DATASET)
      .version("1.0.0")
      .summary("Writes a text with a random number on every line.")
      .output("out", "file", "the text")
      .seeded()
      .run<run_seeded_source>();
}

lowbit::Stage constant() {
  return lowbit::Stage("lowbit.toy.constant", LB_DATASET)
      .version("1.0.0")
      .summary("Writes the same text whatever it is given.")
      .input("in", "file", "read and forgotten", LB_PORT_OPTIONAL)
      .output("out", "file", "the text")
      .run<run_constant>();
}

lowbit::Stage concat() {
  return lowbit::Stage("lowbit.toy.concat", LB_DATASET)
      .version("1.0.0")
      .summary("Writes all members of its input one after the other, each under its coordinates.")
      .input("in", "file", "the members", LB_PORT_MANY)
      .output("out", "file", "all of them")
      .run<run_concat>();
}

lowbit::Stage env() {
  return lowbit::Stage("lowbit.toy.env", LB_DATASET)
      .version("1.0.0")
      .summary("Writes which environment variables it sees.")
      .output("out", "file", "sorted names, with values for LOWBIT_TOY_*")
      .environment("LOWBIT_TOY_VISIBLE")
      .run<run_env>();
}

}  // namespace toy
