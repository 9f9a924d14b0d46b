#include "graph/keys.h"

#include <catch2/catch.hpp>

#include "support/toy_catalog.h"

namespace lowbit::test {
namespace {

using graph::BoundInput;
using graph::External;
using graph::Key;
using graph::Member;
using graph::Produced;
using graph::Variant;

constexpr const char* kCatalog = R"(
toy.plain 1.2.0: model:model/1 -> out:file
  {"x": {"type": "integer"}, "threads": {"type": "integer", "affects_result": false}, "inner": {"type": "object", "properties": {"log": {"affects_result": false}, "rate": {}}}}
toy.seeded: -> out:file; seeded
toy.device: -> out:file; device_sensitive
toy.pool: reports*:file extra?:file -> out:file
)";

Variant variant_of(const ToyCatalog& catalog, const std::string& plugin, Json params = Json::object()) {
  Variant variant;
  variant.stage = "s";
  variant.plugin = catalog.find(plugin);
  variant.params = std::move(params);
  return variant;
}

Member member_at(const std::string& axis, int value, std::size_t producer) {
  return {Coordinates({{axis, value}}), Produced{producer, "out"}};
}

std::string by_number(const Member& member) { return std::to_string(std::get<Produced>(member.source).producer); }

}  // namespace

TEST_CASE("an own record holds plugin, version and parameters, and not what does not affect the result",
          "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  const Variant variant =
      variant_of(catalog, "toy.plain", {{"x", 1}, {"threads", 8}, {"inner", {{"log", true}, {"rate", 0.5}}}});
  CHECK(graph::own_record(variant, "cuda").text() ==
        R"({"format":1,"params":{"inner":{"rate":0.5},"x":1},"plugin":{"id":"toy.plain","version":"1.2.0"}})");
}

// Records are written as text; whatever names and values are in them, it is the text that canonical() gives.
TEST_CASE("records are canonical texts", "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  Variant variant =
      variant_of(catalog, "toy.seeded",
                 {{"x", "quote \" backslash \\ tab \t \u00e9 \x7f"},
                  {"params", {{"params", nullptr}, {"list", {1, 2.5, true}}, {"empty", Json::object()}}}});
  variant.seed = 18446744073709551615U;
  variant.inputs.push_back({"z", true, {}, {}});
  variant.inputs.push_back({"a\"b", false, {}, {member_at("n", 3, 1)}});
  variant.inputs.push_back({"reports", true, {}, {member_at("x\n", 3, 0), member_at("x\n", 4, 1)}});
  const JsonText own = graph::own_record(variant, "cpu");
  const Key key = graph::make_key(own, variant, [](const Member& member) {
    return std::get<Produced>(member.source).producer == 0 ? graph::artifact_record("odd \"type\"/1", sha256("a"))
                                                           : graph::produced_record(sha256("b"), "port\\");
  });
  CHECK(own.text() == canonical(own.json()));
  CHECK(key.record.text() == canonical(key.record.json()));
  Json without = key.record.json();
  CHECK(without["inputs"].size() == 3);
  without.erase("inputs");
  CHECK(JsonText(without) == own);
}

TEST_CASE("seed and device class enter the record of plugins that depend on them, and of no other", "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  Variant seeded = variant_of(catalog, "toy.seeded");
  seeded.seed = 7;
  CHECK(graph::own_record(seeded, "cuda").json()["seed"] == 7);
  CHECK_FALSE(graph::own_record(seeded, "cuda").json().contains("device"));
  CHECK(graph::own_record(variant_of(catalog, "toy.device"), "cuda").json()["device"] == "cuda");
  CHECK_FALSE(graph::own_record(variant_of(catalog, "toy.device"), "cpu").json().contains("seed"));
}

TEST_CASE("names, coordinates, resources and retries of a variant do not enter its key", "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  const Variant plain = variant_of(catalog, "toy.plain", {{"x", 1}});
  Variant other = plain;
  other.stage = "renamed";
  other.coordinates.set("num_bits", 4);
  other.resources.cpus = 8;
  other.retry.attempts = 3;
  CHECK(graph::own_record(plain, "cpu") == graph::own_record(other, "cpu"));
}

// Semantics 14.
TEST_CASE("gather coordinates are data and enter the key", "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  Variant variant = variant_of(catalog, "toy.pool");
  variant.inputs.push_back({"reports", true, {}, {member_at("num_bits", 3, 0), member_at("num_bits", 4, 1)}});
  const JsonText own = graph::own_record(variant, "cpu");
  const Key key = graph::make_key(own, variant, by_number);
  CHECK(canonical(key.record.json()["inputs"]) ==
        R"({"reports":[{"at":{"num_bits":3},"of":0},{"at":{"num_bits":4},"of":1}]})");
  CHECK(key.digest == sha256(canonical(key.record.json())));

  variant.inputs[0].members[0].at = Coordinates({{"num_bits", 2}});
  CHECK(graph::make_key(own, variant, by_number).digest != key.digest);
}

TEST_CASE("an input that is not gathered stands without coordinates", "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  Variant variant = variant_of(catalog, "toy.plain");
  variant.inputs.push_back({"model", false, {}, {{{}, External{"base", "model/1", "models/a", {}}}}});
  const Key key = graph::content_key_for(graph::own_record(variant, "cpu"), variant, [](const Member&) {
    return ArtifactRef{"model/1", sha256("weights")};
  });
  CHECK(key.record.json()["inputs"] == Json{{"model", {{"type", "model/1"}, {"digest", sha256("weights").hex()}}}});
}

TEST_CASE("members without an artifact are left out of a content key", "[graph][keys]") {
  const ToyCatalog catalog(kCatalog);
  Variant variant = variant_of(catalog, "toy.pool");
  variant.inputs.push_back({"reports", true, 1, {member_at("num_bits", 3, 0), member_at("num_bits", 4, 1)}});
  variant.inputs.push_back({"extra", false, {}, {{{}, Produced{2, "out"}}}});
  const Key key = graph::content_key_for(graph::own_record(variant, "cpu"), variant, [](const Member& member) {
    return std::get<Produced>(member.source).producer == 1 ? std::optional(ArtifactRef{"file", sha256("r")})
                                                           : std::nullopt;
  });
  CHECK(key.record.json()["inputs"] ==
        Json{{"reports",
              {{{"at", {{"num_bits", 4}}}, {"of", Json::parse(graph::artifact_record("file", sha256("r")))}}}}});
}

TEST_CASE("differences name what changed, the most telling first", "[graph][keys]") {
  const Json before = Json::parse(R"({"format": 1, "plugin": {"id": "toy.a", "version": "1.0.0"}, "device": "cpu",
    "params": {"x": 1, "gone": "a", "inner": {"rate": 0.1, "betas": [0.9, 0.99]}, "list": [1]},
    "inputs": {"model": {"digest": "aa"}, "old": {"digest": "bb"},
               "chosen": [{"at": {"model": "a"}, "of": 1}, {"at": {"model": "b"}, "of": 2}]}})");
  const Json after = Json::parse(R"({"format": 2, "plugin": {"id": "toy.b", "version": "1.1.0"}, "seed": 3,
    "params": {"x": 2, "new": true, "inner": {"rate": 0.2, "betas": [0.9, 0.95]}, "list": [1, 2]},
    "inputs": {"model": {"digest": "cc"}, "fresh": {"digest": "dd"},
               "chosen": [{"at": {"model": "b"}, "of": 5}, {"at": {"model": "c"}, "of": 3}]}})");
  CHECK(graph::differences(before, after) ==
        std::vector<std::string>{
            "plugin toy.a -> toy.b", "plugin version 1.0.0 -> 1.1.0", "parameter gone is gone, was a",
            "parameter inner.betas[1] 0.99 -> 0.95", "parameter inner.rate 0.1 -> 0.2", "parameter list [1] -> [1,2]",
            "parameter new is new: true", "parameter x 1 -> 2", "seed none -> 3", "device cpu -> none",
            "input chosen changed at model=b", "input chosen gained model=c", "input chosen lost model=a",
            "input fresh is new", "input model changed", "input old is gone", "record format 1 -> 2"});
  CHECK(graph::differences(before, before).empty());
}

TEST_CASE("a record that only gained members is told from one that changed otherwise", "[graph][keys]") {
  const auto record = [](const char* members, int x = 1) {
    return Json{{"params", {{"x", x}}}, {"inputs", {{"chosen", Json::parse(members)}}}};
  };
  const char* const one = R"([{"at": {"model": "a"}, "of": 1}])";
  const char* const two = R"([{"at": {"model": "a"}, "of": 1}, {"at": {"model": "b"}, "of": 2}])";
  const char* const other = R"([{"at": {"model": "a"}, "of": 9}, {"at": {"model": "b"}, "of": 2}])";
  CHECK(graph::only_gained_members(record(one), record(two)));
  CHECK_FALSE(graph::only_gained_members(record(one), record(one)));
  CHECK_FALSE(graph::only_gained_members(record(two), record(one)));
  CHECK_FALSE(graph::only_gained_members(record(one), record(other)));
  CHECK_FALSE(graph::only_gained_members(record(one), record(two, 2)));
}

}  // namespace lowbit::test
