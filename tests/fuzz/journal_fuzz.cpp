// What a job tells: read as bytes, boiled down, watched for a stall, carried into the attempt that resumes, and made
// the text of a failure. Two forms of input, for no mutation finds a checksum: after a first byte `J` each line is the
// payload of a whole record; anything else is a journal byte for byte.
#include <algorithm>
#include <boost/crc.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "exec/journal.h"
#include "exec/progress_watch.h"
#include "exec/publish.h"
#include "fuzz/fuzz.h"

using namespace lowbit;

namespace {

std::string record_of(std::string_view payload) {
  boost::crc_32_type crc;
  crc.process_bytes(payload.data(), payload.size());
  std::string record;
  for (const auto number : {static_cast<std::uint32_t>(payload.size()), static_cast<std::uint32_t>(crc.checksum())}) {
    for (unsigned shift = 0; shift < 32; shift += 8) record.push_back(static_cast<char>(number >> shift & 0xFFU));
  }
  return record.append(payload);
}

std::string journal_of(std::string_view input) {
  if (input.empty() || input.front() != 'J') return std::string(input);
  std::string journal;
  for (std::string_view rest = input.substr(1); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    journal += record_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return journal;
}

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  test::require(static_cast<bool>(out.flush()), "the scratch directory can be written");
}

void check_reading(const std::string& journal, const exec::JournalRecords& read) {
  test::require(read.consumed <= journal.size(), "no more is consumed than there is");
  std::string again;
  for (const Json& record : read.records) again += exec::journal_record(record);
  const exec::JournalRecords reread = exec::parse_journal(again);
  test::require(!reread.damaged && reread.consumed == again.size() && reread.records == read.records,
                "what was read can be written and read again");
  const exec::JournalRecords half = exec::parse_journal(std::string_view(journal).substr(0, journal.size() / 2));
  test::require(half.records.size() <= read.records.size() &&
                    std::equal(half.records.begin(), half.records.end(), read.records.begin()),
                "a journal that was cut says the beginning of what it said");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string journal = journal_of({reinterpret_cast<const char*>(data), size});
  const exec::JournalRecords read = exec::parse_journal(journal);
  check_reading(journal, read);
  const exec::JobReport report = exec::summarize(read.records);

  const auto start = std::chrono::steady_clock::time_point();
  exec::ProgressWatch watch(std::chrono::seconds(1), start);
  for (const Json& record : read.records) watch.hear(record, start);
  static_cast<void>(watch.stalled(start + std::chrono::hours(1)));
  static_cast<void>(watch.position());

  const exec::AttemptPaths attempt{test::scratch_directory()};
  write(attempt.journal(), journal);
  for (const std::uint64_t step : report.checkpoints) {
    const exec::CarriedRecords carried = exec::carried_records(attempt.journal(), step);
    test::require(carried.records.size() <= read.records.size(), "no more is carried on than was told");
  }
  for (const exec::ExitRecord& end : {exec::ExitRecord{.kind = exec::ExitKind::exited, .code = 1},
                                      exec::ExitRecord{.kind = exec::ExitKind::signalled, .code = 11}}) {
    write(attempt.exit(), canonical(exec::to_json(end)));
    exec::PublishContext context;
    context.stage_label = "stage";
    const auto prepared = exec::prepare({test::scratch_directory()}, attempt, context);
    test::require(prepared.ok() && std::holds_alternative<exec::Failure>(*prepared), "a job that failed has failed");
    test::require(!canonical(exec::to_json(std::get<exec::Failure>(*prepared))).empty(), "a failure can be recorded");
  }
  return 0;
}
