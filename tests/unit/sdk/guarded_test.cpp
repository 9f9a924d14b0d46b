#include <catch2/catch.hpp>

#include <new>
#include <stdexcept>
#include <system_error>

#include "support/fake_host.h"

namespace {

using lowbit::Job;
using lowbit::StageError;
using lowbit::test::FakeHost;

void ends_well(const Job&) {}
void throws_stage_error(const Job&) {
  throw StageError(LB_NUMERIC,
                   {.what = "the Hessian is singular", .where = "layer 3", .why = "minor 5", .fix = "damp"});
}
void throws_without_fix(const Job&) {
  throw StageError(LB_BAD_INPUT, {.what = "w", .where = "", .why = "", .fix = ""});
}
void throws_ok(const Job&) { throw StageError(LB_OK, {.what = "w", .where = "", .why = "", .fix = "f"}); }
void throws_cancelled(const Job&) { throw lowbit::Cancelled{}; }
void throws_bad_alloc(const Job&) { throw std::bad_alloc(); }
void throws_runtime_error(const Job&) { throw std::runtime_error("minor 3 is not positive definite"); }
void throws_int(const Job&) { throw 3; }
void throws_disk_full(const Job&) {
  throw std::system_error(std::make_error_code(std::errc::no_space_on_device), "write");
}
void throws_system_error(const Job&) { throw std::system_error(std::make_error_code(std::errc::io_error), "write"); }
struct OutOfMemoryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
void throws_torch_oom(const Job&) { throw OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"); }
void throws_torch_cpu_oom(const Job& job) {
  job.tick(3, 32, "blocks");
  throw OutOfMemoryError(
      "DefaultCPUAllocator: can't allocate memory\nException raised from alloc_cpu at a.cpp:75\nframe #0: b");
}

struct Ending {
  lb_status status;
  std::vector<lowbit::ErrorText> errors;
};
template <auto Body>
Ending ending(const nlohmann::json& params = nlohmann::json::object()) {
  FakeHost host;
  host.params = params;
  host.stage_id = "q[b=3]";
  const lb_status status = host.run(&lowbit::guarded<Body>);
  return {status, host.errors};
}

void check_failure(const Ending& end, lb_status status, const lowbit::ErrorText& text) {
  CHECK(end.status == status);
  REQUIRE(end.errors.size() == 1);
  CHECK(end.errors[0].what == text.what);
  CHECK(end.errors[0].where == text.where);
  CHECK(end.errors[0].why == text.why);
  CHECK(end.errors[0].fix == text.fix);
}

TEST_CASE("a stage that returns has succeeded", "[sdk][guarded]") {
  CHECK(ending<ends_well>().status == LB_OK);
  CHECK(ending<ends_well>().errors.empty());
}

TEST_CASE("a StageError reaches the host with its four parts", "[sdk][guarded]") {
  check_failure(ending<throws_stage_error>(), LB_NUMERIC, {"the Hessian is singular", "layer 3", "minor 5", "damp"});
}

TEST_CASE("a failure always says what to do", "[sdk][guarded]") {
  check_failure(ending<throws_without_fix>(), LB_BAD_INPUT, {"w", "", "", "report this to the plugin's author"});
}

TEST_CASE("a thrown error never counts as success", "[sdk][guarded]") {
  check_failure(ending<throws_ok>(), LB_INTERNAL, {"w", "", "", "f"});
}

TEST_CASE("cancellation is no failure", "[sdk][guarded]") {
  CHECK(ending<throws_cancelled>().status == LB_CANCELLED);
  CHECK(ending<throws_cancelled>().errors.empty());
}

TEST_CASE("exhausted memory may be tried again, whoever reports it", "[sdk][guarded]") {
  const std::string fix = "give the stage more memory, or lower its batch size";
  check_failure(ending<throws_bad_alloc>(), LB_RESOURCE, {"out of memory", "q[b=3]", "std::bad_alloc", fix});
  check_failure(ending<throws_torch_oom>(), LB_RESOURCE,
                {"out of memory", "q[b=3]", "CUDA out of memory. Tried to allocate 2.00 GiB", fix});
  check_failure(ending<throws_torch_cpu_oom>(), LB_RESOURCE,
                {"out of memory", "q[b=3], after 3 of 32 blocks", "DefaultCPUAllocator: can't allocate memory", fix});
}

TEST_CASE("a full disk may be tried again, another system error is unexpected", "[sdk][guarded]") {
  check_failure(
      ending<throws_disk_full>(), LB_RESOURCE,
      {"no space left on the disk", "q[b=3]", "write: No space left on device", "free disk space, then run again"});
  check_failure(ending<throws_system_error>(), LB_INTERNAL,
                {"unexpected exception std::system_error", "q[b=3]", "write: Input/output error",
                 "report this to the plugin's author"});
}

TEST_CASE("any other exception is the plugin author's business and names its type", "[sdk][guarded]") {
  check_failure(ending<throws_runtime_error>(), LB_INTERNAL,
                {"unexpected exception std::runtime_error", "q[b=3]", "minor 3 is not positive definite",
                 "report this to the plugin's author"});
  check_failure(ending<throws_int>(), LB_INTERNAL,
                {"unexpected exception", "q[b=3]", "its type is not derived from std::exception",
                 "report this to the plugin's author"});
}

struct Params {
  std::int64_t bits = 4;
  static auto fields() { return lowbit::fields<Params>(lowbit::field(&Params::bits, "bits").range(2, 8).doc("bits")); }
};
void reports_bits(const Job& job, const Params& params) {
  job.metric("bits", static_cast<double>(params.bits), "bits");
}

TEST_CASE("a body with parameters gets them read", "[sdk][guarded]") {
  FakeHost host;
  host.params = {{"bits", 3}};
  REQUIRE(host.run(&lowbit::guarded<reports_bits>) == LB_OK);
  CHECK(host.metrics.at(0).value == 3);
  check_failure(ending<reports_bits>({{"bits", 9}}), LB_BAD_PARAM,
                {"the parameters do not fit the stage", "params", "`bits` is 9, at most 8",
                 "correct `params` of this stage in the experiment"});
}

}  // namespace
