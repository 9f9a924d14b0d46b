/* One source for plugins that are wrong as a whole or refuse badly: ODD_* says in which way. */
#include <lowbit/plugin_abi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static lb_str text(const char* s) { return (lb_str){s, strlen(s)}; }

static lb_status run(const lb_job* job, const lb_host* host) {
  lb_str directory;
  char path[4096];
  const int fits = memcmp(job->params.data, "{\"level\":1}", job->params.size) == 0;
  if (!fits) {
#if defined(ODD_VAGUE)
    const lb_error error = {text("a value is bad"), text("params"), text("it is out of range"), text("give another")};
    host->fail(host->ctx, &error);
#endif
    return LB_BAD_PARAM;
  }
  if (host->output(host->ctx, text("out"), &directory) != LB_OK) return LB_INTERNAL;
  snprintf(path, sizeof path, "%.*s/data.txt", (int)directory.size, directory.data);
  FILE* file = fopen(path, "wb");
  if (file == NULL) return LB_RESOURCE;
  fputs("odd\n", file);
  return fclose(file) == 0 ? LB_OK : LB_RESOURCE;
}

#if defined(ODD_OPEN_SCHEMA)
#define CLOSED ""
#else
#define CLOSED "\"additionalProperties\":false,"
#endif
#if defined(ODD_ILLEGAL_DEFAULT)
#define DEFAULT "9"
#else
#define DEFAULT "1"
#endif
static const char kSchema[] = "{\"type\":\"object\"," CLOSED
                              "\"properties\":{\"level\":{\"type\":\"integer\",\"description\":\"how odd\","
                              "\"minimum\":1,\"maximum\":3,\"default\":" DEFAULT "}}}";

static const lb_port kOut = {"out", "file", "a text", 0};
static const lb_port* const kInputs[] = {NULL};
static const lb_port* const kOutputs[] = {&kOut, NULL};
static char summary[64] = "For tests.";
static const lb_stage kStage = {.size = sizeof(lb_stage),
                                .kind = LB_DATASET,
                                .id = "test.odd",
                                .version = "1.0.0",
                                .summary = summary,
                                .params_schema = kSchema,
                                .inputs = kInputs,
                                .outputs = kOutputs,
                                .run = run};
static const lb_stage* const kStages[] = {&kStage, NULL};
static const lb_plugin kPlugin = {LB_ABI_MAJOR, LB_ABI_MINOR, "C11 for tests", kStages};

#if defined(ODD_TWO_EXPORTS)
int stray(void);
__attribute__((visibility("default"))) int stray(void) { return 1; }
#endif

const lb_plugin* lowbit_plugin(void);
__attribute__((visibility("default"))) const lb_plugin* lowbit_plugin(void) {
#if defined(ODD_RESTLESS)
  snprintf(summary, sizeof summary, "For process %ld.", (long)getpid());
#endif
  return &kPlugin;
}
