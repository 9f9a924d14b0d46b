/* lowbit/paid_calls.h - the extension "paid-calls/1" of plugin_abi.h: where answers that cost money are kept.
 *
 * One file a project, JSON Lines, outside attempts, results and their removal. Any number of jobs append to it at the
 * same time and nobody rewrites it, so:
 *  1. Append under an exclusive flock(2) on the file, whole lines only, and make them durable (fdatasync) before the
 *     answer is used.
 *  2. A job that was killed may leave an unfinished last line. Whoever appends next ends it with a newline first;
 *     readers skip lines that are no JSON object, and objects of a `format` that they do not know.
 *  3. The file may be missing: the first job that has something to append creates it. */
#pragma once
#include <lowbit/plugin_abi.h>

#define LB_PAID_CALLS "paid-calls/1"

typedef struct lb_paid_calls {
  uint32_t size;
  lb_str file; /* absolute path */
} lb_paid_calls;
