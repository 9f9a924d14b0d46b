// word-count: the smallest complete plugin. It reads a text and writes how often each word occurs.
#include <lowbit/sdk.hpp>

#include <fstream>
#include <map>

struct Params {
  std::int64_t min_count = 1;
  static auto fields() {
    return lowbit::fields<Params>(
        lowbit::field(&Params::min_count, "min_count").at_least(1).unit("words").doc("rarer words are left out"));
  }
};

static void count_words(const lowbit::Job& job, const Params& params) {
  std::ifstream text(job.input("text").file());
  std::map<std::string, std::int64_t> counts;
  std::uint64_t n_words = 0;
  for (std::string word; text >> word; ++n_words) {
    job.tick(n_words, 0, "words");  // progress, and the place where a cancel takes effect
    ++counts[word];
  }
  lowbit::JsonLinesWriter out(job.output("counts") / "counts.jsonl");
  for (const auto& [word, count] : counts) {
    if (count >= params.min_count) out.write({{"word", word}, {"count", count}});
  }
  out.close();
  job.metric("x/words", static_cast<double>(n_words), "words");
}

LOWBIT_PLUGIN(LOWBIT_COMPILER, lowbit::Stage("example.word-count", LB_DATASET)
                                   .version("1.0.0")
                                   .summary("Counts the words of a text.")
                                   .input("text", "file", "the text")
                                   .output("counts", "file", "counts.jsonl: one word and its count a line")
                                   .run<count_words>())
