#include "exec/journal.h"

#include <fcntl.h>
#include <lowbit/plugin_abi.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <map>
#include <utility>

#include "base/whole_number.h"
#include "env/fault.h"
#include "env/files.h"

namespace lowbit::exec {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kMaxDepth = 32;  // of a record; copying and writing one takes stack for each level

void put_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 0xFFU));
}

std::uint32_t get_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << 8U * i;
  return value;
}

std::uint32_t crc32(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

double number_or_nan(const Json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

/// Two records of the same identity tell the same thing, the later one better; none: not carried.
std::optional<Json> carried_identity(const Json& record) {
  const auto number = [&](const char* key) {
    const auto it = record.find(key);
    return it != record.end() && it->is_number_integer() ? it->get<std::int64_t>() : std::int64_t{-1};
  };
  const Json kind = record.value("k", Json());
  if (kind == "metric" && number("step") >= 0) return Json::array({kind, record.value("name", Json()), number("step")});
  if (kind == "log" && number("level") >= LB_LOG_WARN) return Json::array({kind, record.value("text", Json())});
  return std::nullopt;
}

bool nested_deeper_than(std::string_view text, std::size_t levels) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > levels) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// Whether those fields that readers of its kind use are of the types that they expect, as far as they are there.
bool is_as_told(const Json& record) {
  const auto every = [&](std::initializer_list<const char*> keys, bool (Json::*is)() const noexcept) {
    return std::all_of(keys.begin(), keys.end(), [&](const char* key) {
      const auto member = record.find(key);
      return member == record.end() || ((*member).*is)();
    });
  };
  if (!every({"k", "unit", "name", "text", "what", "where", "why", "fix"}, &Json::is_string)) return false;
  return every({"step", "status", "level"}, &Json::is_number_integer) && every({"done", "total"}, &Json::is_number);
}

}  // namespace

std::string journal_record(const Json& payload) {
  const std::string text = canonical(payload);
  std::string record;
  record.reserve(kHeaderBytes + text.size());
  put_u32(record, static_cast<std::uint32_t>(text.size()));
  put_u32(record, crc32(text));
  return record + text;
}

JournalRecords parse_journal(std::string_view bytes) {
  JournalRecords out;
  while (bytes.size() - out.consumed >= kHeaderBytes) {
    const std::string_view rest = bytes.substr(out.consumed);
    const std::uint32_t length = get_u32(rest);
    if (length > kMaxJournalRecord) {
      out.damaged = true;
      break;
    }
    if (rest.size() < kHeaderBytes + length) break;
    const std::string_view payload = rest.substr(kHeaderBytes, length);
    Json record;
    if (crc32(payload) == get_u32(rest.substr(4)) && !nested_deeper_than(payload, kMaxDepth)) {
      record = Json::parse(payload, nullptr, false);
    }
    if (!record.is_object()) {
      out.damaged = true;
      break;
    }
    if (is_as_told(record)) out.records.push_back(std::move(record));  // else: of a lowbit that tells otherwise
    out.consumed += kHeaderBytes + length;
  }
  return out;
}

Result<JournalWriter> JournalWriter::open(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return env::file_error("writing", file, errno);
  return JournalWriter(descriptor);
}

JournalWriter::JournalWriter(JournalWriter&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

JournalWriter::~JournalWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool JournalWriter::append(const Json& payload) {
  const std::string record = journal_record(payload);
  if (record.size() - kHeaderBytes > kMaxJournalRecord) return false;
  const std::lock_guard lock(mutex_);
  std::size_t written = 0;
  while (written < record.size()) {
    const ssize_t n = ::write(descriptor_, record.data() + written, record.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    written += static_cast<std::size_t>(n);
  }
  return true;
}

bool JournalWriter::sync() {
  const std::lock_guard lock(mutex_);
  if (env::fault_point() != 0 || ::fsync(descriptor_) != 0) return false;
  env::fault_passed();
  return true;
}

std::vector<Json> JournalTail::poll() {
  if (damaged_) return {};
  std::ifstream in(file_, std::ios::binary);
  if (!in) return {};
  in.seekg(static_cast<std::streamoff>(offset_));
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  JournalRecords parsed = parse_journal(bytes);
  offset_ += parsed.consumed;
  damaged_ = parsed.damaged;
  return std::move(parsed.records);
}

JobReport summarize(const std::vector<Json>& records) {
  JobReport report;
  std::map<std::pair<std::string, std::int64_t>, std::size_t> position;
  for (const Json& record : records) {
    try {
      const std::string kind = record.value("k", "");
      if (kind == "metric") {
        MetricRow row = metric_row(record);
        const auto [it, fresh] = position.try_emplace({row.name, row.step}, report.metrics.size());
        if (fresh) {
          report.metrics.push_back(std::move(row));
        } else {
          report.metrics[it->second] = std::move(row);
        }
      } else if (kind == "log") {
        const auto& known = report.warnings;
        std::string text = record.value("text", std::string());
        const bool warns = whole_number<int>(record.at("level")) == LB_LOG_WARN;
        if (warns && std::find(known.begin(), known.end(), text) == known.end()) {
          report.warnings.push_back(std::move(text));
        }
      } else if (kind == "progress") {
        report.last_progress = record;
      } else if (kind == "checkpoint") {
        report.checkpoints.push_back(whole_number<std::uint64_t>(record.at("step")));
      } else if (kind == "fail") {
        report.failure = record;
      } else if (kind == "done") {
        report.status = whole_number<int>(record.at("status"));
      }
    } catch (const Json::exception&) {
      continue;  // a record of a kind we know with fields we do not: written by another version
    }
  }
  return report;
}

JobReport read_report(const std::filesystem::path& journal) { return summarize(JournalTail(journal).poll()); }

CarriedRecords carried_records(const std::filesystem::path& journal, std::uint64_t checkpoint) {
  const auto bytes = env::read_file(journal);
  if (!bytes.ok()) return {.records = {}, .gap = bytes.error().front().what};
  const JournalRecords parsed = parse_journal(*bytes);
  const Json committed{{"k", "checkpoint"}, {"step", checkpoint}};
  const auto last = std::find(parsed.records.rbegin(), parsed.records.rend(), committed);
  CarriedRecords carried;
  // A job that was killed between the commit and its record had nothing to tell in between: all it told counts.
  auto end = parsed.records.end();
  if (last != parsed.records.rend()) {
    end = std::prev(last.base());
  } else if (parsed.damaged || parsed.records.empty()) {
    carried.gap = journal.string() + " is damaged";
  }
  std::map<Json, std::size_t> position;
  for (auto record = parsed.records.begin(); record != end; ++record) {
    const std::optional<Json> identity = carried_identity(*record);
    if (!identity) continue;
    const auto [it, fresh] = position.try_emplace(*identity, carried.records.size());
    if (fresh) {
      carried.records.push_back(*record);
    } else {
      carried.records[it->second] = *record;
    }
  }
  return carried;
}

MetricRow metric_row(const Json& record) {
  MetricRow row{.name = record.at("name"),
                .unit = record.at("unit"),
                .value = number_or_nan(record.at("value")),
                .std_error = std::nullopt,
                .count = whole_number<std::uint64_t>(record.at("count")),
                .step = whole_number<std::int64_t>(record.at("step"))};
  if (record.at("std_error").is_number()) row.std_error = record.at("std_error").get<double>();
  return row;
}

Json to_json(const MetricRow& metric) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  return {{"name", metric.name},           {"unit", metric.unit},
          {"value", number(metric.value)}, {"std_error", metric.std_error ? number(*metric.std_error) : Json(nullptr)},
          {"count", metric.count},         {"step", metric.step}};
}

}  // namespace lowbit::exec
