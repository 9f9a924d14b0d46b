/* One source for every plugin file that must not load: BAD_* says what is wrong with it. */
#include <lowbit/plugin_abi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(BAD_MAJOR)
#define MAJOR (LB_ABI_MAJOR + 1u)
#else
#define MAJOR LB_ABI_MAJOR
#endif
#if defined(BAD_MINOR)
#define MINOR (LB_ABI_MINOR + 1u)
#else
#define MINOR LB_ABI_MINOR
#endif

#if defined(BAD_DEPENDENCY)
int gone(void);
int use_gone(void);
int use_gone(void) { return gone(); }
#endif

#if defined(BAD_CRASH)
__attribute__((constructor)) static void crash(void) {
  signal(SIGSEGV, SIG_DFL);
  fputs("about to fall\n", stderr);
  raise(SIGSEGV);
}
#elif defined(BAD_EXIT)
__attribute__((constructor)) static void leave(void) { _exit(0); }
#elif defined(BAD_HANG)
__attribute__((constructor)) static void hang(void) {
  for (;;) pause();
}
#endif

static lb_status run(const lb_job* job, const lb_host* host) {
  (void)job;
  (void)host;
  return LB_OK;
}
static const lb_port kOut = {"out", "file", "nothing", 0};
static const lb_port* const kInputs[] = {NULL};
static const lb_port* const kOutputs[] = {&kOut, NULL};
static const lb_stage kStage = {
    .size = sizeof(lb_stage),
    .kind = LB_DATASET,
    .id = "test.bad",
#if !defined(BAD_DESCRIPTION)
    .version = "1.0.0",
#endif
    .summary = "For tests.",
    .params_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}",
    .inputs = kInputs,
    .outputs = kOutputs,
    .run = run};
static const lb_stage* const kStages[] = {&kStage, NULL};
static const lb_plugin kPlugin = {MAJOR, MINOR, "C11 for tests", kStages};

#if defined(BAD_EXPORT)
#define EXPORT some_plugin
#else
#define EXPORT lowbit_plugin
#endif
const lb_plugin* EXPORT(void);
__attribute__((visibility("default"))) const lb_plugin* EXPORT(void) {
#if defined(BAD_NULL)
  (void)kPlugin;
  return NULL;
#else
  return &kPlugin;
#endif
}
