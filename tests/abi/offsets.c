/* Prints where every member of every struct of the plugin interface lies: one line `struct.member offset size`. */
#include LB_HEADER

#include <stdio.h>

#define STRUCT(type) printf(#type " %zu\n", sizeof(type))
#define MEMBER(type, member) printf(#type "." #member " %zu %zu\n", offsetof(type, member), sizeof(((type*)0)->member))

int main(void) {
  printf("interface %u.%u\n", LB_ABI_MAJOR, LB_ABI_MINOR);
  STRUCT(lb_str);
  MEMBER(lb_str, data);
  MEMBER(lb_str, size);
  STRUCT(lb_error);
  MEMBER(lb_error, what);
  MEMBER(lb_error, where);
  MEMBER(lb_error, why);
  MEMBER(lb_error, fix);
  STRUCT(lb_port);
  MEMBER(lb_port, name);
  MEMBER(lb_port, type);
  MEMBER(lb_port, doc);
  MEMBER(lb_port, flags);
  STRUCT(lb_metric);
  MEMBER(lb_metric, name);
  MEMBER(lb_metric, unit);
  MEMBER(lb_metric, value);
  MEMBER(lb_metric, std_error);
  MEMBER(lb_metric, count);
  MEMBER(lb_metric, step);
  STRUCT(lb_input);
  MEMBER(lb_input, size);
  MEMBER(lb_input, path);
  MEMBER(lb_input, type);
  MEMBER(lb_input, digest);
  MEMBER(lb_input, coordinates);
  MEMBER(lb_input, closure);
  STRUCT(lb_job);
  MEMBER(lb_job, size);
  MEMBER(lb_job, threads);
  MEMBER(lb_job, seed);
  MEMBER(lb_job, stage_id);
  MEMBER(lb_job, params);
  MEMBER(lb_job, device);
  MEMBER(lb_job, scratch_dir);
  MEMBER(lb_job, resume_from);
  STRUCT(lb_host);
  MEMBER(lb_host, size);
  MEMBER(lb_host, ctx);
  MEMBER(lb_host, log);
  MEMBER(lb_host, progress);
  MEMBER(lb_host, metric);
  MEMBER(lb_host, cancelled);
  MEMBER(lb_host, input_count);
  MEMBER(lb_host, input);
  MEMBER(lb_host, output);
  MEMBER(lb_host, checkpoint_begin);
  MEMBER(lb_host, checkpoint_commit);
  MEMBER(lb_host, fail);
  MEMBER(lb_host, extension);
  STRUCT(lb_stage);
  MEMBER(lb_stage, size);
  MEMBER(lb_stage, caps);
  MEMBER(lb_stage, kind);
  MEMBER(lb_stage, id);
  MEMBER(lb_stage, version);
  MEMBER(lb_stage, summary);
  MEMBER(lb_stage, params_schema);
  MEMBER(lb_stage, environment);
  MEMBER(lb_stage, inputs);
  MEMBER(lb_stage, outputs);
  MEMBER(lb_stage, check);
  MEMBER(lb_stage, run);
  STRUCT(lb_plugin);
  MEMBER(lb_plugin, abi_major);
  MEMBER(lb_plugin, abi_minor);
  MEMBER(lb_plugin, build);
  MEMBER(lb_plugin, stages);
  printf("enum %d %d %d %d %d %d %d\n", LB_OK, LB_CANCELLED, LB_BAD_PARAM, LB_BAD_INPUT, LB_INTERNAL, LB_RESOURCE,
         LB_NUMERIC);
  printf("enum %d %d %d %d %d\n", LB_QUANTIZER, LB_TRAINER, LB_EVALUATOR, LB_JUDGE, LB_DATASET);
  printf("enum %d %d %d %d\n", LB_LOG_DEBUG, LB_LOG_INFO, LB_LOG_WARN, LB_LOG_ERROR);
  printf("enum %d %d %d %d %d\n", LB_CAP_RESUME, LB_CAP_SEEDED, LB_CAP_DEVICE_SENSITIVE, LB_CAP_CUDA, LB_CAP_PRELOAD);
  printf("enum %d %d\n", LB_PORT_OPTIONAL, LB_PORT_MANY);
  return 0;
}
