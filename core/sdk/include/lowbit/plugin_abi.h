/* lowbit/plugin_abi.h - the whole contract between lowbit and a stage plugin. C11 and C++20.
 *
 * Conventions
 *  1. Only UTF-8 text, fixed-width numbers and function pointers cross: no exceptions, no STL, no tensors.
 *     Bulk data crosses as files in the directories that input() and output() name.
 *  2. Text passed into a call lives until that call returns; text handed back by the host lives until run()
 *     returns; everything a plugin exports is static: it lives as long as the process.
 *  3. Structs grow only at the end, and `size` tells how far the writer's struct reaches. Structs without `size`
 *     are frozen until the next major.
 *  4. Thread tags: [stage] the one thread inside check() or run(); [any] any thread the plugin started.
 *  5. Numbers in enums are written to disk: they are never changed or reused. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define LB_ABI_MAJOR 1u /* the host refuses a plugin whose major differs         */
#define LB_ABI_MINOR 0u /* the host refuses a plugin whose minor exceeds its own */

typedef int32_t lb_status;
enum {
  LB_OK = 0,
  LB_CANCELLED = 1,
  LB_BAD_PARAM = 2, /* the parameters contradict each other or the inputs           */
  LB_BAD_INPUT = 3, /* an input artifact is malformed                               */
  LB_INTERNAL = 4,  /* a bug in the plugin                                          */
  LB_RESOURCE = 5,  /* memory, disk, device, quota: a retry may help                */
  LB_NUMERIC = 6,   /* NaN, Inf, singular Hessian: a retry will not help            */
  LB_TRANSIENT = 7  /* a server or the network did not answer: a later retry may help; older hosts do not retry it */
};

typedef int32_t lb_kind; /* fixes the port signature that the host insists on: docs/write-a-plugin.md */
enum { LB_QUANTIZER = 1, LB_TRAINER = 2, LB_EVALUATOR = 3, LB_JUDGE = 4, LB_DATASET = 5 };

enum { LB_LOG_DEBUG = 0, LB_LOG_INFO = 1, LB_LOG_WARN = 2, LB_LOG_ERROR = 3 };

enum {
  LB_CAP_RESUME = 1,           /* continues from a committed checkpoint                              */
  LB_CAP_SEEDED = 2,           /* its result depends on lb_job.seed: one variant per seed            */
  LB_CAP_DEVICE_SENSITIVE = 4, /* the device class (cpu, cuda) enters the key                        */
  LB_CAP_CUDA = 8,             /* can use a GPU                                                      */
  LB_CAP_PRELOAD = 16          /* slow to load (libtorch): the host forks its jobs from a loaded process */
};

enum {
  LB_PORT_OPTIONAL = 1, /* input: may be unbound; output: may be left unwritten                      */
  LB_PORT_MANY = 2      /* input: accepts a gathered binding (`each:`)                               */
};

typedef struct lb_str {
  const char* data; /* UTF-8, not NUL-terminated; may be NULL when size is 0 */
  size_t size;
} lb_str;

typedef struct lb_error {
  lb_str what, where, why, fix;
} lb_error;

typedef struct lb_port {
  const char* name; /* "model"                                              */
  const char* type; /* "adapter/1", or alternatives "model/1|adapter/1"      */
  const char* doc;  /* one sentence                                         */
  uint32_t flags;   /* LB_PORT_*                                            */
} lb_port;

typedef struct lb_metric {
  lb_str name, unit; /* "gsm8k/exact_match", "fraction"; names and units of final metrics: schemas/metrics.yaml */
  double value;      /* a final metric that is not finite is kept, and nothing is made from the stage's result */
  double std_error;  /* of the mean over `count` items; NaN when unknown                                      */
  uint64_t count;    /* items averaged over; 0 when not an average                                            */
  int64_t step;      /* training step of a curve point, or -1: final, may fill a table cell                   */
} lb_metric;

typedef struct lb_input {
  uint32_t size;
  lb_str path;        /* file or directory, read-only                                                   */
  lb_str type;        /* "quantized-model/1"                                                            */
  lb_str digest;      /* 64 hexadecimal digits                                                          */
  lb_str coordinates; /* JSON object of the gathered axes, {} when not gathered                         */
  lb_str closure;     /* JSON object digest -> {"path","type"}: what this artifact is based on, recursively */
} lb_input;

typedef struct lb_job { /* one execution of one stage, decided by the host alone */
  uint32_t size;
  uint32_t threads;   /* >= 1: upper bound on busy threads (`resources.cpus`)    */
  uint64_t seed;      /* the only randomness a stage may use                     */
  lb_str stage_id;    /* "quantize[num_bits=3]", for messages only               */
  lb_str params;      /* JSON, valid against params_schema, every default filled */
  lb_str device;      /* "cpu" or "cuda:0"                                       */
  lb_str scratch_dir; /* private to this job, deleted afterwards                 */
  lb_str resume_from; /* a committed checkpoint directory, or empty              */
} lb_job;

typedef struct lb_host { /* the same table in every process that runs a stage */
  uint32_t size;
  void* ctx;                                                                    /* first argument of every call below */
  void (*log)(void* ctx, int32_t level, lb_str message);                        /* [any] */
  void (*progress)(void* ctx, uint64_t done, uint64_t total_or_0, lb_str unit); /* [any] */
  void (*metric)(void* ctx, const lb_metric* metric);                           /* [any] */
  int32_t (*cancelled)(void* ctx);               /* [any] nonzero: return LB_CANCELLED within 2 s            */
  size_t (*input_count)(void* ctx, lb_str port); /* [any] 0 for an unbound optional port       */
  lb_status (*input)(void* ctx, lb_str port, size_t index, lb_input* out); /* [any] set out->size first */
  lb_status (*output)(void* ctx, lb_str port, lb_str* path); /* [any] directory, published when run() returns LB_OK */
  lb_status (*checkpoint_begin)(void* ctx, uint64_t step, lb_str* dir); /* [stage] empty directory to write into */
  lb_status (*checkpoint_commit)(void* ctx, uint64_t step);             /* [stage] durable on return; older ones go */
  void (*fail)(void* ctx, const lb_error* error);      /* [stage] before a non-OK return; check() may repeat it */
  const void* (*extension)(void* ctx, const char* id); /* [any] "name/rev"; NULL: not offered   */
} lb_host;

typedef struct lb_stage {
  uint32_t size, caps; /* caps: LB_CAP_*                                      */
  lb_kind kind;
  const char* id;                                             /* "lowbit.gptq"; never reused for another method      */
  const char* version;                                        /* part of the key: bump whenever numbers change       */
  const char* summary;                                        /* one sentence, shown by `lowbit plugins`             */
  const char* params_schema;                                  /* JSON Schema draft-07, additionalProperties: false   */
  const char* const* environment;                             /* NULL-terminated names a job may see, or NULL        */
  const lb_port* const* inputs;                               /* NULL-terminated                                     */
  const lb_port* const* outputs;                              /* NULL-terminated                                     */
  lb_status (*check)(const lb_job* job, const lb_host* host); /* may be NULL; < 1 s, writes nothing */
  lb_status (*run)(const lb_job* job, const lb_host* host);
} lb_stage;

typedef struct lb_plugin { /* returned by the one export: const lb_plugin *lowbit_plugin(void) */
  uint32_t abi_major, abi_minor;
  const char* build;             /* compiler, libtorch version: for messages */
  const lb_stage* const* stages; /* NULL-terminated                          */
} lb_plugin;

#ifdef __cplusplus
}
#endif
