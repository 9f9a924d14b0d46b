/* A toy that breaks one rule of the interface on request, in plain C: no SDK stands between it and the host. */
#include <lowbit/plugin_abi.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static lb_str text(const char* s) { return (lb_str){s, strlen(s)}; }

/* The value of `about` is a word that occurs nowhere else in the parameters. */
static int about(const lb_job* job, const char* what) {
  char params[256] = {0};
  const size_t size = job->params.size < sizeof params - 1 ? job->params.size : sizeof params - 1;
  memcpy(params, job->params.data, size);
  return strstr(params, what) != NULL;
}

static int write_file(const lb_host* host, const char* port, const char* name, const char* content) {
  lb_str directory;
  char path[4096];
  if (host->output(host->ctx, text(port), &directory) != LB_OK) return 0;
  snprintf(path, sizeof path, "%.*s/%s", (int)directory.size, directory.data, name);
  FILE* file = fopen(path, "wb");
  if (file == NULL) return 0;
  const int written = fputs(content, file) >= 0;
  return fclose(file) == 0 && written;
}

static lb_status cannot_write(const lb_host* host) {
  const lb_error error = {text("cannot write the output"), text("out"), text("the file could not be opened or filled"),
                          text("free disk space, then run again")};
  host->fail(host->ctx, &error);
  return LB_RESOURCE;
}

static lb_status run(const lb_job* job, const lb_host* host) {
  if (about(job, "silent_failure")) return LB_INTERNAL;
  if (about(job, "no_output")) return LB_OK;
  if (!write_file(host, "out", "data.txt", "lie\n")) return cannot_write(host);
  if (about(job, "writes_outside") && !write_file(host, "out", "../../stray.txt", "stray\n")) return cannot_write(host);
  if (about(job, "malformed_artifact") &&
      !write_file(host, "predictions", "predictions.jsonl", "{\"item_id\": 1}\nnot json\n")) {
    return cannot_write(host);
  }
  lb_metric metric = {text("toy/value"), text("ratio"), 1, NAN, 0, -1};
  if (about(job, "nan_metric")) metric.value = NAN;
  if (about(job, "wrong_metric_unit")) {
    metric.name = text("data/n_items");
    metric.unit = text("bytes");
  }
  host->metric(host->ctx, &metric);
  return LB_OK;
}

static const char kSchema[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"about\": {"
    "\"type\": \"string\", \"description\": \"which rule is broken\", \"default\": \"nothing\", \"enum\": "
    "[\"nothing\", \"nan_metric\", \"no_output\", \"silent_failure\", \"writes_outside\", \"wrong_metric_unit\", "
    "\"malformed_artifact\"]}}}";

static const lb_port kOut = {"out", "file", "a text", 0};
static const lb_port kPredictions = {"predictions", "predictions/1", "malformed on request", LB_PORT_OPTIONAL};
static const lb_port* const kInputs[] = {NULL};
static const lb_port* const kOutputs[] = {&kOut, &kPredictions, NULL};

static const lb_stage kLie = {.size = sizeof(lb_stage),
                              .kind = LB_DATASET,
                              .id = "lowbit.toy.lie",
                              .version = "1.0.0",
                              .summary = "Breaks one rule of the plugin interface.",
                              .params_schema = kSchema,
                              .inputs = kInputs,
                              .outputs = kOutputs,
                              .run = run};

static const lb_stage* const kStages[] = {&kLie, NULL};
static const lb_plugin kPlugin = {LB_ABI_MAJOR, LB_ABI_MINOR, "C11", kStages};

const lb_plugin* lowbit_plugin(void);
__attribute__((visibility("default"))) const lb_plugin* lowbit_plugin(void) { return &kPlugin; }
