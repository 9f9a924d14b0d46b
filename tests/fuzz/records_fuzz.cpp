// The small files that host, shim and job leave for one another and for the next host: attempt.json, host.json,
// exit.json, shim.json, manifest.json, and the file of an expansion. Each input is read as each of them.
#include <filesystem>
#include <fstream>
#include <string>

#include "env/process.h"
#include "exec/attempt_files.h"
#include "exec/expansion_file.h"
#include "exec/publish.h"
#include "exec/resource_pool.h"
#include "fuzz/fuzz.h"

using namespace lowbit;

namespace {

/// What can be read can be written, and reads as the same.
template <class Record, class Read>
void check_round_trip(const Record& record, Read read) {
  const Json written = Json::parse(canonical(exec::to_json(record)));
  const auto again = read(written);
  test::require(again.ok() && canonical(exec::to_json(*again)) == canonical(written), "a record survives writing");
}

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  test::require(static_cast<bool>(out.flush()), "the scratch directory can be written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Json json = Json::parse(text, nullptr, false);
  if (const auto request = exec::job_request(json); request.ok()) {
    check_round_trip(*request, exec::job_request);
    static_cast<void>(exec::grant_of(request->lease));
  } else {
    test::require_explained(request.error());
  }
  if (const auto context = exec::publish_context(json); context.ok()) {
    check_round_trip(*context, exec::publish_context);
  } else {
    test::require_explained(context.error());
  }
  static_cast<void>(env::process_identity(json));
  static_cast<void>(exec::grant_of(json));

  const exec::AttemptPaths directory{test::scratch_directory()};
  for (const auto& file : {directory.exit(), directory.manifest()}) write(file, text);
  const auto ended = exec::read_exit_record(directory.exit());
  test::require(ended.ok(), "an exit.json that is there is read or is none");
  if (const auto record = exec::read_result_record(directory.directory); !record.ok()) {
    test::require_explained(record.error());
  }
  if (const auto found = exec::republish({directory.directory}, directory.directory); !found.ok()) {
    test::require_explained(found.error());
  }
  if (const auto expansion = exec::read_expansion(directory.manifest()); !expansion.ok()) {
    test::require_explained(expansion.error());
  }
  return 0;
}
