#include "paper_texts.h"

#include <algorithm>
#include <optional>

#include "lm/error.h"
#include "lm/perplexity.h"

namespace lowbit::paper_texts {
namespace {

using Ids = std::vector<std::int64_t>;

std::string joined(const lm::TextRows& rows, std::size_t n, std::string_view separator,
                   const std::function<std::string(std::string)>& of_line) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) {
    if (i != 0) text += separator;
    std::string row = rows.text(i);
    text += rows.format() == lm::TextRows::Format::lines ? of_line(std::move(row)) : std::move(row);
  }
  return text;
}

void expect_documents(const lm::TextRows& rows) {
  if (rows.format() == lm::TextRows::Format::jsonl) return;
  throw lm::Error(lm::Status::bad_input, {.what = "the text has no documents",
                                          .where = rows.source().path.string(),
                                          .why = "it is plain text, which does not say where a document ends",
                                          .fix = R"(give JSONL: a document a line, as {"text": "..."})"});
}

/// One window of a text of T > L tokens.
void draw_window(const Ids& ids, std::int64_t length, lm::PythonRandom& random, std::int64_t* to) {
  const std::int64_t at = random.randint(0, static_cast<std::int64_t>(ids.size()) - length - 1);
  std::copy_n(ids.begin() + at, length, to);
}

/// Token ids of documents, known to be short ones only once.
class LongDocuments {
 public:
  LongDocuments(const lm::TextRows& documents, const Encode& encode, std::int64_t length)
      : documents_(documents), encode_(encode), length_(length), short_(documents.size(), false) {}

  /// Nothing when the document has at most L tokens.
  std::optional<Ids> ids(std::size_t document) {
    if (short_[document]) return std::nullopt;
    Ids ids = encode_(documents_.text(document));
    if (static_cast<std::int64_t>(ids.size()) > length_) return ids;
    short_[document] = true;
    ++n_short_;
    longest_ = std::max(longest_, ids.size());
    return std::nullopt;
  }
  [[nodiscard]] bool none() const { return n_short_ == short_.size(); }
  [[nodiscard]] std::size_t longest_short() const { return longest_; }

 private:
  const lm::TextRows& documents_;
  const Encode& encode_;
  std::int64_t length_;
  std::vector<bool> short_;
  std::size_t n_short_ = 0, longest_ = 0;
};

}  // namespace

std::string wikitext2(const lm::TextRows& rows) {
  return joined(rows, rows.size(), "\n\n",
                [](std::string line) { return lm::stripped(line).empty() ? std::string() : std::move(line); });
}

std::string penn_treebank(const lm::TextRows& rows, std::string_view separator) {
  return joined(rows, rows.size(), separator, [](const std::string& line) { return std::string(lm::stripped(line)); });
}

std::string first_documents(const lm::TextRows& documents, std::int64_t n) {
  expect_documents(documents);
  const auto n_wanted = static_cast<std::size_t>(n);
  if (documents.size() < n_wanted) {
    throw lm::Error(lm::Status::bad_input,
                    {.what = "the text has too few documents",
                     .where = documents.source().path.string(),
                     .why = "it has " + std::to_string(documents.size()) + ", wanted: " + std::to_string(n),
                     .fix = "give the whole file, or lower n_documents"});
  }
  return joined(documents, n_wanted, " ", {});
}

at::Tensor random_windows(const Ids& ids, const Sampling& sampling, const lm::SourceText& source) {
  const std::int64_t length = sampling.context_length;
  if (static_cast<std::int64_t>(ids.size()) <= length) {
    throw lm::Error(lm::Status::bad_input,
                    {.what = "the text is too short",
                     .where = source.path.string(),
                     .why = "it has " + std::to_string(ids.size()) + " tokens; a random window of " +
                            std::to_string(length) + " needs at least " + std::to_string(length + 1),
                     .fix = "use a longer text or a shorter context_length"});
  }
  lm::PythonRandom random(sampling.seed);
  at::Tensor windows = at::empty({sampling.n_samples, length}, at::kLong);
  auto* const to = windows.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < sampling.n_samples; ++i) draw_window(ids, length, random, to + i * length);
  return windows;
}

at::Tensor random_document_windows(const lm::TextRows& documents, const Encode& encode, const Sampling& sampling,
                                   const std::function<void(std::int64_t, std::int64_t)>& tick) {
  expect_documents(documents);
  const std::int64_t length = sampling.context_length;
  const auto n_documents = static_cast<std::int64_t>(documents.size());
  lm::PythonRandom random(sampling.seed);
  LongDocuments long_documents(documents, encode, length);
  at::Tensor windows = at::empty({sampling.n_samples, length}, at::kLong);
  auto* const to = windows.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < sampling.n_samples;) {
    if (tick) tick(i, sampling.n_samples);
    const auto ids = long_documents.ids(static_cast<std::size_t>(random.randint(0, n_documents - 1)));
    if (ids) {
      draw_window(*ids, length, random, to + i * length);
      ++i;
    } else if (long_documents.none()) {  // the reference draws for ever
      throw lm::Error(lm::Status::bad_input,
                      {.what = "no document is long enough",
                       .where = documents.source().path.string(),
                       .why = "the longest of its " + std::to_string(n_documents) + " documents has " +
                              std::to_string(long_documents.longest_short()) + " tokens; a random window of " +
                              std::to_string(length) + " needs at least " + std::to_string(length + 1),
                       .fix = "use longer documents or a shorter context_length"});
    }
  }
  return windows;
}

at::Tensor side_by_side(const Ids& ids, std::int64_t context_length, const lm::SourceText& source) {
  at::Tensor windows = lm::cut_windows(ids, {.context_length = context_length, .stride = 0, .prefix = {}}).ids;
  if (windows.size(0) == 0) {
    throw lm::Error(lm::Status::bad_input, {.what = "the text is too short",
                                            .where = source.path.string(),
                                            .why = "it has " + std::to_string(ids.size()) + " tokens, one window has " +
                                                   std::to_string(context_length),
                                            .fix = "use a longer text or a shorter context_length"});
  }
  return windows;
}

}  // namespace lowbit::paper_texts
