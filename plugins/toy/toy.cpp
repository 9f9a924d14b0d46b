#include <fstream>
#include <iterator>

#include "stages.h"

namespace toy {

void write_text(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (out) return;
  throw lowbit::StageError(LB_RESOURCE, {.what = "cannot write " + file.filename().string(),
                                         .where = file.string(),
                                         .why = "the directory is not writable or the disk is full",
                                         .fix = "free disk space, then run again"});
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (in) return {std::istreambuf_iterator<char>(in), {}};
  throw lowbit::StageError(LB_BAD_INPUT, {.what = "cannot open " + file.filename().string(),
                                          .where = file.string(),
                                          .why = "the file is missing or may not be read",
                                          .fix = "check the input"});
}

}  // namespace toy

LOWBIT_PLUGIN(LOWBIT_COMPILER, toy::source(), toy::seeded_source(), toy::constant(), toy::concat(), toy::env(),
              toy::transform(), toy::crash(), toy::throws(), toy::hang(), toy::fail_until(), toy::task(), toy::model(),
              toy::quantizer(), toy::trainer(), toy::evaluator(), toy::judge())
