#include "lm/json_file.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lm/error.h"

namespace lowbit::lm {

using Json = nlohmann::json;

Json parse_json(std::string_view text) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      throw JsonProblem("key " + value.dump() + " appears twice");
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& e) {
    throw JsonProblem(e.what());
  }
}

Json read_json_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    throw Error(Status::bad_input, {.what = "cannot read " + file.filename().string(),
                                    .where = file.string(),
                                    .why = std::filesystem::exists(file) ? "the file cannot be opened" : "no such file",
                                    .fix = "check that the directory is a complete Hugging Face model directory"});
  }
  try {
    return parse_json(text.view());
  } catch (const JsonProblem& e) {
    throw Error(Status::bad_input, {.what = file.filename().string() + " is not valid JSON",
                                    .where = file.string(),
                                    .why = e.what(),
                                    .fix = "copy or download the file again"});
  }
}

void write_json_file(const std::filesystem::path& file, const Json& json) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << json.dump(2) << '\n';
  out.close();
  if (!out) {
    throw Error(Status::resource, {.what = "cannot write " + file.filename().string(),
                                   .where = file.string(),
                                   .why = "the file system refused it",
                                   .fix = "free disk space or check the permissions, then run the same command again"});
  }
}

}  // namespace lowbit::lm
