#include <map>

#include "lm/token_batches.h"
#include "support/stage_fixture.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

const std::filesystem::path kData = std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data";
const std::filesystem::path kModel = kData / "random-tied";

/// What Python draws (tests/numerics/reference_random.py).
Json drawn_by_python(const char* what) {
  Json cases = Json::parse(test::read_text(kData / "python-random/draws.json")).at(what);
  REQUIRE(cases.size() == 3);
  return cases;
}

/// A text of `n_tokens` tokens of kModel, which begins a text with <s> and a blank and merges none of these signs.
std::string text_of(std::size_t n_tokens, std::size_t salt = 0) {
  const std::string_view signs = "bcfgjklmpqsuvwxyz0123456789";
  std::string text;
  for (std::size_t i = 0; i + 2 < n_tokens; ++i) text += signs[(i * i + 5 * i + 11 * salt + i / 7) % signs.size()];
  return text;
}

std::string jsonl(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) text += Json({{"url", "of no interest"}, {"text", row}}).dump() + "\n";
  return text;
}

struct PaperText {
  /// Files 0, 1, ... with these texts; a single one is bound as a file, several as a directory.
  PaperText(const std::string& id, const std::vector<std::string>& files, Json params,
            const std::filesystem::path& model = kModel)
      : stage(id) {
    stage.host.params = std::move(params);
    const auto directory = stage.input("text");
    for (std::size_t i = 0; i < files.size(); ++i) test::write_text(directory / std::to_string(i), files[i]);
    stage.host.bind("text", {.path = (files.size() == 1 ? directory / "0" : directory).string(), .type = "file"});
    stage.host.bind("model", {.path = model.string(), .type = "model/1"});
  }
  PaperText(const std::string& id, const std::string& file, Json params)
      : PaperText(id, std::vector<std::string>{file}, std::move(params)) {}
  lm::TokenBatches batches() {
    const lb_status status = stage.run();
    INFO((status == LB_OK ? "" : stage.error()));
    REQUIRE(status == LB_OK);
    return lm::read_token_batches(stage.host.path("batches"));
  }
  /// The error of the only run, with the directory of the text as DIR.
  std::string error() {
    REQUIRE(stage.run() == LB_BAD_INPUT);
    std::string text = stage.error();
    const std::string directory = stage.input("text").string();
    for (auto at = text.find(directory); at != text.npos; at = text.find(directory)) {
      text.replace(at, directory.size(), "DIR");
    }
    return text;
  }

  test::StageFixture stage;
};

std::vector<int64_t> encode(const std::string& text) {
  return lm::Tokenizer::open(kModel / "tokenizer.json").encode(text);
}

std::vector<int64_t> window(const lm::TokenBatches& batches, int64_t i) {
  const at::Tensor row = batches.ids[i].contiguous();
  return {row.data_ptr<int64_t>(), row.data_ptr<int64_t>() + row.numel()};
}

std::vector<int64_t> slice(const std::vector<int64_t>& ids, std::size_t begin, std::size_t length) {
  REQUIRE(begin + length <= ids.size());
  const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(length)};
}

/// The windows are those of `text` side by side, all that fit.
void check_side_by_side(const lm::TokenBatches& batches, const std::string& text, std::size_t length) {
  const auto ids = encode(text);
  REQUIRE(batches.n_windows() == static_cast<int64_t>(ids.size() / length));
  REQUIRE(ids.size() % length != 0);  // or nothing is dropped here
  for (int64_t i = 0; i < batches.n_windows(); ++i) {
    CHECK(window(batches, i) == slice(ids, static_cast<std::size_t>(i) * length, length));
  }
  CHECK_FALSE(batches.loss_mask.defined());
  CHECK_FALSE(batches.attention_mask.defined());
}

Json evaluation(int length) { return {{"purpose", "evaluation"}, {"context_length", length}}; }

Json with(Json params, const Json& more) {
  params.update(more);
  return params;
}

}  // namespace

TEST_CASE("calibration windows start where Python's random puts them", "[paper-texts]") {
  for (const Json& golden : drawn_by_python("windows")) {
    const std::string text = text_of(golden["n_tokens"]);
    const auto ids = encode(text);
    REQUIRE(ids.size() == golden["n_tokens"]);
    PaperText wikitext2("lowbit.wikitext2", jsonl({text}),
                        {{"purpose", "calibration"},
                         {"context_length", golden["length"]},
                         {"n_samples", golden["starts"].size()},
                         {"sampling_seed", golden["seed"]}});
    const auto batches = wikitext2.batches();
    REQUIRE(batches.n_windows() == static_cast<int64_t>(golden["starts"].size()));
    for (std::size_t i = 0; i < golden["starts"].size(); ++i) {
      CHECK(window(batches, static_cast<int64_t>(i)) == slice(ids, golden["starts"][i], golden["length"]));
    }
    CHECK(batches.variant == "wikitext2-calibration");
  }
}

TEST_CASE("windows are 128 of 2048 tokens with seed 0 when nothing else is said", "[paper-texts]") {
  PaperText wikitext2("lowbit.wikitext2", text_of(2100), {{"purpose", "calibration"}});
  const auto batches = wikitext2.batches();
  CHECK(batches.n_windows() == 128);
  CHECK(batches.length() == 2048);
  CHECK(batches.rule == "128 windows of 2048 tokens, random, sampling_seed 0; rows joined by two line feeds");
  CHECK(wikitext2.stage.metric("data/n_items").value == 128);
  CHECK(wikitext2.stage.metric("data/n_tokens").value == 128 * 2048);
}

TEST_CASE("wiki.test.raw and the rows of its data set are the same text", "[paper-texts]") {
  const std::string raw = " \n = " + text_of(40) + " = \n \n " + text_of(90, 1) + " \n" + text_of(33, 2);
  const std::vector<std::string> rows{"", " = " + text_of(40) + " = \n", "", " " + text_of(90, 1) + " \n",
                                      text_of(33, 2)};
  const std::string text = rows[0] + "\n\n" + rows[1] + "\n\n" + rows[2] + "\n\n" + rows[3] + "\n\n" + rows[4];
  for (const std::string& source : {raw, jsonl(rows)}) {
    PaperText wikitext2("lowbit.wikitext2", source, evaluation(32));
    const auto batches = wikitext2.batches();
    check_side_by_side(batches, text, 32);
    CHECK(batches.variant == "wikitext2");
    CHECK(batches.rule ==
          std::to_string(batches.n_windows()) + " windows of 32 tokens, side by side; rows joined by two line feeds");
    CHECK(batches.bos == "first");
    CHECK((batches.ids == 1).sum().item<int64_t>() == 1);  // <s>
  }
}

TEST_CASE("a directory is the rows of its files in the order of their names", "[paper-texts]") {
  const std::vector<std::string> rows{text_of(50), text_of(60, 1), text_of(45, 2)};
  std::string last = jsonl({rows[2]});
  last.pop_back();  // a file may end without a line feed
  PaperText wikitext2("lowbit.wikitext2", {jsonl({rows[0], rows[1]}), last}, evaluation(32));
  check_side_by_side(wikitext2.batches(), rows[0] + "\n\n" + rows[1] + "\n\n" + rows[2], 32);
  PaperText lines("lowbit.ptb", {rows[0], rows[1] + "\n"}, with(evaluation(32), {{"variant", "new"}}));
  check_side_by_side(lines.batches(), rows[0] + " " + rows[1], 32);
}

TEST_CASE("sentences of the Penn Treebank are joined as the variant says", "[paper-texts]") {
  const std::string raw = " " + text_of(30) + " \n \n " + text_of(41, 1) + " <unk> N \n";
  const std::vector<std::string> sentences{text_of(30), "", text_of(41, 1) + " <unk> N"};
  for (const std::string& source : {raw, jsonl(sentences)}) {
    for (const auto& [variant, separator] : std::map<std::string, std::string>{{"new", " "}, {"old", "\n\n"}}) {
      PaperText ptb("lowbit.ptb", source, with(evaluation(16), {{"variant", variant}}));
      const auto batches = ptb.batches();
      check_side_by_side(batches, sentences[0] + separator + sentences[1] + separator + sentences[2], 16);
      CHECK(batches.variant == "ptb-" + variant);
    }
  }
}

TEST_CASE("C4 windows are drawn from the documents that Python's random finds", "[paper-texts]") {
  const auto purpose = GENERATE(std::string("calibration"), std::string("evaluation"));
  for (const Json& golden : drawn_by_python("documents")) {
    std::vector<std::string> documents;
    for (const Json& length : golden["lengths"]) documents.push_back(text_of(length, documents.size()));
    PaperText c4("lowbit.c4", jsonl(documents),
                 {{"purpose", purpose},
                  {"variant", "old"},
                  {"context_length", golden["length"]},
                  {purpose == "calibration" ? "n_samples" : "n_windows", golden["drawn"].size()},
                  {"sampling_seed", golden["seed"]}});
    const auto batches = c4.batches();
    REQUIRE(batches.n_windows() == static_cast<int64_t>(golden["drawn"].size()));
    for (std::size_t i = 0; i < golden["drawn"].size(); ++i) {
      const auto ids = encode(documents[golden["drawn"][i][0]]);
      CHECK(window(batches, static_cast<int64_t>(i)) == slice(ids, golden["drawn"][i][1], golden["length"]));
    }
    CHECK(batches.bos == "document");
    CHECK_THAT(batches.variant, purpose == "calibration"
                                    ? Catch::Equals("c4-calibration")
                                    : Catch::Equals("c4-old-windows" + std::to_string(golden["drawn"].size()) +
                                                    (golden["seed"] == 0 ? "" : "-seed3")));
  }
}

TEST_CASE("the new C4 evaluation is the first documents, and no more windows than asked for", "[paper-texts]") {
  const std::vector<std::string> documents{text_of(70), text_of(9, 1), text_of(50, 2), text_of(80, 3)};
  const Json params = with(evaluation(32), {{"variant", "new"}, {"n_documents", 3}});
  PaperText all("lowbit.c4", jsonl(documents), params);
  const auto batches = all.batches();
  check_side_by_side(batches, documents[0] + " " + documents[1] + " " + documents[2], 32);
  CHECK(batches.variant == "c4-new-documents3");
  PaperText some("lowbit.c4", jsonl(documents), with(params, {{"n_windows", 2}}));
  const auto first = some.batches();
  CHECK(at::equal(first.ids, batches.ids.narrow(0, 0, 2)));
  CHECK(first.variant == "c4-new-documents3-windows2");
  PaperText too_few("lowbit.c4", jsonl(documents), with(params, {{"n_documents", 1100}}));
  CHECK(too_few.error() ==
        "the text has too few documents\nDIR/0\nit has 4, wanted: 1100\ngive the whole file, or lower n_documents");
}

TEST_CASE("a text that is not the papers' is said to be another", "[paper-texts]") {
  PaperText ptb("lowbit.ptb", text_of(90) + "\n", with(evaluation(32), {{"variant", "old"}}));
  (void)ptb.batches();
  REQUIRE(ptb.stage.host.log.size() == 1);
  CHECK(ptb.stage.host.log[0].first == LB_LOG_WARN);
  CHECK(ptb.stage.host.log[0].second ==
        "the text has 1 rows, the validation split of the Penn Treebank has 3370: these are not the windows of the "
        "papers");
  std::string sentences;
  for (int i = 0; i < 3370; ++i) sentences += "b\n";
  PaperText as_long("lowbit.ptb", sentences, with(evaluation(32), {{"variant", "old"}}));
  (void)as_long.batches();
  CHECK(as_long.stage.host.log.empty());
}

TEST_CASE("drawing documents can be cancelled", "[paper-texts]") {
  PaperText c4("lowbit.c4", jsonl({text_of(50), text_of(60)}),
               {{"purpose", "calibration"}, {"variant", "new"}, {"context_length", 32}});
  c4.stage.host.cancel_after_ticks = 20;
  CHECK(c4.stage.run() == LB_CANCELLED);
}

TEST_CASE("a text that does not hold the windows is refused", "[paper-texts]") {
  PaperText no_window("lowbit.wikitext2", text_of(31), evaluation(32));
  CHECK(no_window.error() ==
        "the text is too short\nDIR/0\nit has 31 tokens, one window has 32\nuse a longer text or a shorter "
        "context_length");
  // A text of exactly one window has no random one: the reference calls randint(0, -1), which fails.
  const Json calibration{{"purpose", "calibration"}, {"context_length", 32}};
  PaperText no_choice("lowbit.wikitext2", text_of(32), calibration);
  CHECK(no_choice.error() ==
        "the text is too short\nDIR/0\nit has 32 tokens; a random window of 32 needs at least 33\nuse a longer text or "
        "a shorter context_length");
  PaperText no_document("lowbit.c4", jsonl({text_of(20), text_of(32), text_of(7)}),
                        with(calibration, {{"variant", "new"}}));
  CHECK(no_document.error() ==
        "no document is long enough\nDIR/0\nthe longest of its 3 documents has 32 tokens; a random window of 32 needs "
        "at least 33\nuse longer documents or a shorter context_length");
}

TEST_CASE("texts that cannot be read as rows are refused", "[paper-texts]") {
  const auto error = [](const std::vector<std::string>& files) {
    return PaperText("lowbit.wikitext2", files, evaluation(32)).error();
  };
  CHECK(error({""}) == "the text is empty\nDIR/0\nit has no byte\ngive a text");
  CHECK(error({"b\nc\xFF\n"}) ==
        "the text is not UTF-8\nDIR/0\nbyte 3 starts no character\nunpack or convert the file, such as with gunzip or "
        "iconv");
  CHECK(
      error({jsonl({"b"}), "plain\n"}) ==
      "the text mixes JSONL and plain lines\nDIR/1\nit does not begin with `{`, the files before it do\nkeep files of "
      "one kind in the directory");
  CHECK(
      error({"plain\n", jsonl({"b"})}) ==
      "the text mixes JSONL and plain lines\nDIR/1\nit begins with `{`, the files before it do not\nkeep files of one "
      "kind in the directory");
  const auto refused = [](const std::string& where, const std::string& why) {
    return "a line is not a row of JSONL\nDIR/" + where + "\n" + why +
           "\nwrite each row as {\"text\": \"...\"} on a line of its own";
  };
  CHECK(error({jsonl({"b", "c"}) + R"({"sentence": "d"})"}) == refused("0:3", "it has no field `text`"));
  CHECK(error({jsonl({"b"}), R"({"text": 7})"}) == refused("1:1", "its `text` is number"));
  CHECK(error({jsonl({"b"}) + "[1]\n"}) == refused("0:2", "it has no field `text`"));
  CHECK(error({R"({"text": "b", "text": "c"})"}) == refused("0:1", "key \"text\" appears twice"));
  CHECK_THAT(error({jsonl({"b"}) + "\n" + jsonl({"c"})}), Catch::StartsWith("a line is not a row of JSONL\nDIR/0:2\n"));
  CHECK_THAT(error({"{\"text\": \"cut o"}), Catch::StartsWith("a line is not a row of JSONL\nDIR/0:1\n"));
  for (const Json& params : {Json{{"variant", "new"}}, Json{{"variant", "old"}}}) {
    CHECK(PaperText("lowbit.c4", text_of(50), with(evaluation(32), params)).error() ==
          "the text has no documents\nDIR/0\nit is plain text, which does not say where a document ends\ngive JSONL: a "
          "document a line, as {\"text\": \"...\"}");
  }
}

TEST_CASE("a tokenizer that does not belong to the model is refused", "[paper-texts]") {
  const test::TemporaryDirectory model;
  std::filesystem::copy(kModel, model.path(), std::filesystem::copy_options::recursive);
  Json config = Json::parse(test::read_text(kModel / "config.json"));
  config["vocab_size"] = 100;
  test::write_text(model.path() / "config.json", config.dump());
  PaperText wikitext2("lowbit.wikitext2", {text_of(90)}, evaluation(32), model.path());
  REQUIRE(wikitext2.stage.run() == LB_BAD_INPUT);
  CHECK(wikitext2.stage.error() ==
        "the tokenizer does not fit the model\n" + (model.path() / "tokenizer.json").string() +
            "\nits ids go up to 298, the model's vocabulary has 100 rows\nuse the tokenizer.json that belongs to these "
            "weights");
}

TEST_CASE("a tokenizer without a start token gives windows without one", "[paper-texts]") {
  const test::TemporaryDirectory model;
  std::filesystem::copy(kModel, model.path(), std::filesystem::copy_options::recursive);
  Json tokenizer = Json::parse(test::read_text(kModel / "tokenizer.json"));
  tokenizer["post_processor"] = nullptr;
  test::write_text(model.path() / "tokenizer.json", tokenizer.dump());
  PaperText wikitext2("lowbit.wikitext2", {text_of(90)}, evaluation(32), model.path());
  const auto batches = wikitext2.batches();
  CHECK(batches.bos == "none");
  CHECK(window(batches, 0) == slice(encode(text_of(90)), 1, 32));
}
