// The two keys of a variant.
//   provenance key  known at plan time: inputs stand as their producers' provenance keys
//   content key     known once the inputs exist: inputs stand as their digests
// Both are SHA-256 over the canonical JSON of a record that is stored whole, so that two keys can be compared.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "domain/result.h"
#include "graph/expanded_graph.h"

namespace lowbit::graph {

struct Key {
  JsonText record;
  Digest digest;
};

/// SHA-256 of the canonical text.
[[nodiscard]] Digest digest_of(const JsonText& record);

/// The record without its inputs: {"format", "plugin": {"id","version"}, "params", "seed"?, "device"?}.
/// Parameters whose schema says `affects_result: false` are left out. `device_class`: "cpu" or "cuda".
[[nodiscard]] JsonText own_record(const Variant& variant, const std::string& device_class);

/// How one member of an input stands in a record, as canonical text; empty: the member is left out.
using DescribeMember = std::function<std::string(const Member&)>;

/// `own` plus "inputs": {port: member} or, gathered, {port: [{"at": coordinates, "of": member}, ...]}.
[[nodiscard]] Key make_key(const JsonText& own, const Variant& variant, const DescribeMember& describe);

/// The artifact that a member has turned out to be; nothing when its producer left none: a failed member of a
/// gathered input with `min`, an optional output left unwritten.
using ArtifactOf = std::function<std::optional<ArtifactRef>(const Member&)>;

/// The content key, once every input is known. Members without an artifact are left out.
[[nodiscard]] Key content_key_for(const JsonText& own, const Variant& variant, const ArtifactOf& artifact_of);

/// How an artifact stands in a content record, and an external input in both records; canonical text.
[[nodiscard]] std::string artifact_record(const std::string& type, const Digest& digest);
/// How a producer's output stands in a provenance record; canonical text.
[[nodiscard]] std::string produced_record(const Digest& provenance_key, const std::string& port);

/// What differs between two records, one line each, most telling first: `parameter group_size 64 -> 128`,
/// `input chosen gained model=a`, `input model changed`. Empty when equal. Records without "inputs" (own records)
/// are compared as far as they go.
[[nodiscard]] std::vector<std::string> differences(const Json& old_record, const Json& new_record);

/// Whether the new record is the old one with further members of gathered inputs, and at least one of them.
[[nodiscard]] bool only_gained_members(const Json& old_record, const Json& new_record);

}  // namespace lowbit::graph
