// Instruction and preference data of every form that is read, as rows to train on.
#include <filesystem>

#include "support/stage_fixture.h"

using namespace lowbit;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A stage on records, with a model whose tokenizer begins texts with <s> and whose template is Llama 2's.
struct Records {
  Records(const char* id, const std::string& records, const Json& params = Json::object()) : stage(id) {
    const fs::path model = stage.input("model");
    fs::copy_file(fs::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-untied/tokenizer.json",
                  model / "tokenizer.json");
    fs::copy_file(fs::path(LOWBIT_SOURCE_DIR) / "docs/chat-templates/llama-2.jinja", model / "chat_template.jinja");
    test::write_text(model / "tokenizer_config.json", R"({"bos_token": "<s>", "eos_token": "</s>"})");
    const fs::path file = stage.input("records") / "records.json";
    test::write_text(file, records);
    stage.host.bind("model", {.path = model.string(), .type = "model/1"});
    stage.host.bind("records", {.path = file.string(), .type = "file"});
    stage.host.params = params;
    status = stage.run();
  }
  [[nodiscard]] std::vector<Json> rows() const {
    REQUIRE(status == LB_OK);
    return stage.lines("pairs/pairs.jsonl");
  }
  /// prompt|completion of each row.
  [[nodiscard]] std::vector<std::string> examples() const {
    std::vector<std::string> all;
    for (const Json& row : rows()) {
      all.push_back(row["prompt"].get<std::string>() + "|" + row["completion"].get<std::string>());
    }
    return all;
  }

  test::StageFixture stage;
  lb_status status = LB_OK;
};

constexpr const char* kInstructions = "lowbit.instruction-records";
constexpr const char* kPreferences = "lowbit.preference-records";
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("every form of one exchange is the same example", "[records]") {
  // The start token is left to the tokenizer.
  const Texts wanted{"[INST] Hi [/INST]| Hello </s>"};
  for (const char* record : {
           R"({"instruction": "Hi", "input": "", "output": "Hello"})",
           R"({"instruction": "Hi", "output": "Hello", "history": []})",
           R"({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]})",
           R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]})",
           R"({"prompt": "Hi", "completion": "Hello"})",
           R"({"prompt": [{"role": "user", "content": "Hi"}],
               "completion": [{"role": "assistant", "content": "Hello"}]})",
       }) {
    INFO(record);
    CHECK(Records(kInstructions, "[" + std::string(record) + "]").examples() == wanted);
    CHECK(Records(kInstructions, Json::parse(record).dump() + "\n\n").examples() == wanted);
  }
}

TEST_CASE("each answer of a conversation is learned behind what stands before it, or the last alone", "[records]") {
  const std::string records =
      R"([{"id": 7, "system": "Be brief.", "history": [["a", "b"]], "instruction": "c", "input": "d", "output": "e"}])";
  const Records all(kInstructions, records);
  const std::string first = "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\na [/INST]";
  CHECK(all.examples() == Texts{first + "| b </s>", first + " b </s><s>[INST] c\nd [/INST]| e </s>"});
  CHECK(all.rows()[0]["item_id"] == "1/3");
  CHECK(all.rows()[1]["item_id"] == "1");
  CHECK(all.rows()[1]["problem_id"] == "7");
  const Records last(kInstructions, records, {{"turns", "last"}});
  CHECK(last.examples() == Texts{all.examples()[1]});
}

TEST_CASE("Alpaca's prompts are those of its authors", "[records]") {
  const Records records(
      kInstructions,
      R"([{"instruction": "Add.", "input": "1 2", "output": "3"}, {"prompt": "Hi", "completion": "Ho"},
                            {"system": "s", "instruction": "a", "output": "b"}])",
      {{"template", "alpaca"}, {"end_token", "<end>"}});
  CHECK(
      records.examples() ==
      Texts{"Below is an instruction that describes a task, paired with an input that provides further context. Write "
            "a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### "
            "Response:\n|3<end>",
            "Below is an instruction that describes a task. Write a response that appropriately completes the "
            "request.\n\n### Instruction:\nHi\n\n### Response:\n|Ho<end>"});
  CHECK(records.stage.metric("data/dropped/turns").value == 1);
}

TEST_CASE("every form of one preference is the same pair", "[records]") {
  for (const char* record : {
           R"({"instruction": "Hi", "chosen": "Yes", "rejected": "No"})",
           R"({"conversations": [{"from": "human", "value": "Hi"}], "chosen": {"from": "gpt", "value": "Yes"},
               "rejected": {"from": "gpt", "value": "No"}})",
           R"({"prompt": "Hi", "chosen": "Yes", "rejected": "No"})",
           R"({"prompt": [{"role": "user", "content": "Hi"}], "chosen": [{"role": "assistant", "content": "Yes"}],
               "rejected": [{"role": "assistant", "content": "No"}]})",
           R"({"prompt": "Hi", "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}],
               "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No"}]})",
           R"({"chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}],
               "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No"}]})",
       }) {
    INFO(record);
    const std::vector<Json> rows = Records(kPreferences, "[" + std::string(record) + "]").rows();
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["prompt"] == "[INST] Hi [/INST]");
    CHECK(rows[0]["chosen"] == " Yes </s>");
    CHECK(rows[0]["rejected"] == " No </s>");
  }
}

TEST_CASE("records that cannot be learned from are left out and counted by reason", "[records]") {
  const Records records(kPreferences, R"([
      {"prompt": "a", "chosen": "b", "rejected": "c"},
      {"prompt": "a", "chosen": "b", "rejected": " b\n"},
      {"prompt": "a", "chosen": "", "rejected": "c"},
      {"prompt": [{"role": "tool", "content": "a"}], "chosen": "b", "rejected": "c"},
      {"prompt": [{"role": "assistant", "content": "a"}], "chosen": "b", "rejected": "c"},
      {"prompt": "a", "chosen": "b", "rejected": [{"role": "user", "content": "z"}, {"role": "assistant", "content": "c"}]}])");
  CHECK(records.rows().size() == 1);
  CHECK(records.stage.metric("data/n_items").value == 1);
  for (const char* reason : {"equal", "empty", "role"}) {
    CHECK(records.stage.metric("data/dropped/" + std::string(reason)).value == 1);
  }
  CHECK(records.stage.metric("data/dropped/turns").value == 2);
}

TEST_CASE("what is no data of these forms is refused with its place", "[records]") {
  const auto error_of = [](const std::string& records) {
    const Records stage(kInstructions, records);
    CHECK(stage.status == LB_BAD_INPUT);
    return stage.stage.error();
  };
  CHECK(error_of("[{\"question\": \"a\", \"answer\": \"b\"}]") ==
        "a record is of no known form\nrecords.json, record 1\nits fields are answer, question\n"
        "docs/datasets.md shows the forms that are read");
  CHECK(error_of("{\"prompt\": \"a\", \"completion\": \"b\"}\n[1]\n") ==
        "a record is not an object\nrecords.json, line 2\nit is array\ndocs/datasets.md shows the forms that are read");
  CHECK_THAT(error_of("{\"prompt\": \n"), Catch::StartsWith("line 1 of records.json cannot be read\n"));
  CHECK_THAT(error_of("[{]"), Catch::StartsWith("records.json cannot be read\n"));
  CHECK(error_of("[{\"instruction\": 3, \"output\": \"b\"}]") ==
        "a record is not as its form wants it\nrecords.json, record 1\n`instruction` is not a text\n"
        "docs/datasets.md shows the forms that are read");
  CHECK(error_of("[]") ==
        "no record can be used\nrecords\nthere are none\ndocs/datasets.md says what the reasons mean");
  CHECK(error_of("[{\"prompt\": \"a\", \"completion\": \" \"}]") ==
        "no record can be used\nrecords\nleft out: empty 1\ndocs/datasets.md says what the reasons mean");
}
