/* A plugin as it was written against interface 1.0: built from the frozen header, never from the current one. */
#include "plugin_abi_1_0.h"

static lb_status run(const lb_job* job, const lb_host* host) {
  const lb_str name = {"x/seed", 6};
  const lb_str unit = {"seeds", 5};
  const lb_metric metric = {name, unit, (double)job->seed, 0, 0, -1};
  host->metric(host->ctx, &metric);
  return LB_OK;
}

static const lb_port kOut = {"out", "file", "nothing", 0};
static const lb_port* const kInputs[] = {NULL};
static const lb_port* const kOutputs[] = {&kOut, NULL};
static const lb_stage kStage = {
    .size = sizeof(lb_stage),
    .caps = LB_CAP_SEEDED,
    .kind = LB_DATASET,
    .id = "test.interface-1-0",
    .version = "1.0.0",
    .summary = "Reports its seed.",
    .params_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}",
    .inputs = kInputs,
    .outputs = kOutputs,
    .run = run};
static const lb_stage* const kStages[] = {&kStage, NULL};
static const lb_plugin kPlugin = {1, 0, "C11", kStages};

const lb_plugin* lowbit_plugin(void);
__attribute__((visibility("default"))) const lb_plugin* lowbit_plugin(void) { return &kPlugin; }
