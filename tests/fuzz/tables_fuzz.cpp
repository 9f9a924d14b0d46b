// A tables file. The input is the file, or a case file as in tests/cases/tables, of which only that section is read.
#include <memory>
#include <string>

#include "fuzz/fuzz.h"
#include "spec/table_reader.h"

using namespace lowbit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const std::string head = "--- tables.yaml\n";
  if (const auto begin = text.find(head); begin != std::string::npos) {
    text.erase(0, begin + head.size());
    text.erase(std::min(text.find("\n--- "), text.size()));
  }
  const Result<TablesFile> tables = spec::read_tables(std::make_shared<const SourceText>(SourceText{"t.yaml", text}));
  if (!tables.ok()) test::require_explained(tables.error());
  return 0;
}
