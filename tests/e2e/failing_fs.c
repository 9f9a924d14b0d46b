/* A file system that fails, for LD_PRELOAD: the n-th operation on a file below a directory fails, or is the last thing
 * its process does. Sees what goes through the C library's calls: lowbit's own files and SQLite's; not mapped memory.
 *   LOWBIT_FS_ROOT=DIR      operations on paths below it count, from 1
 *   LOWBIT_FS_FAULT=enospc:N      operation N and all later ones that need room fail: the disk is full
 *                   eio:N         operation N alone fails, reading included: a bad sector
 *                   eio-on:N      N and all later ones fail: the disk is gone
 *                   exit:N        _exit(137) before it
 *                   exit-after:N  _exit(137) after it
 *                   torn:N        the first half of what it writes is written, then _exit(137)
 *   LOWBIT_FS_ROLE=shim|job       only in processes that were not forked since this was loaded, or only in those that
 * were LOWBIT_FS_COUNT=FILE    when the process ends, the number of operations is written there
 *   LOWBIT_CLOCK=SECONDS[@N]      the wall clock is off by so much, from the N-th time on that it is asked for
 * A read counts for eio and eio-on only; the others count what changes the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum fault { NONE, ENOSPC_ON, EIO_ONCE, EIO_ON, EXIT_BEFORE, EXIT_AFTER, TORN };
enum kind { READS, CHANGES };

static enum fault fault = NONE;
static long at = 0;
static atomic_long operations = 0;
static char root[PATH_MAX];
static long clock_offset = 0;
static long clock_from = 0;
static atomic_long clock_asked = 0;
static int asleep = 0;            /* nothing counts in this process */
static int is_for_jobs = 0;       /* in forked processes only */
static int is_for_shims = 0;      /* in others only */
static atomic_char watched[4096]; /* by descriptor */

#define REAL(name)                      \
  static __typeof__(&name) real_##name; \
  if (!real_##name) *(void**)(&real_##name) = dlsym(RTLD_NEXT, #name)

static void forked(void) {
  operations = 0;
  asleep = is_for_shims;
}

__attribute__((constructor)) static void begin(void) {
  const char* role = getenv("LOWBIT_FS_ROLE");
  is_for_jobs = role && !strcmp(role, "job");
  is_for_shims = role && !strcmp(role, "shim");
  asleep = is_for_jobs;
  if (role) pthread_atfork(NULL, NULL, forked);
  const char* directory = getenv("LOWBIT_FS_ROOT");
  if (directory) snprintf(root, sizeof root, "%s", directory);
  const char* offset = getenv("LOWBIT_CLOCK");
  if (offset) {
    char* rest = NULL;
    clock_offset = strtol(offset, &rest, 10);
    if (*rest == '@') clock_from = strtol(rest + 1, NULL, 10);
  }
  const char* spec = getenv("LOWBIT_FS_FAULT");
  const char* colon = spec ? strchr(spec, ':') : NULL;
  if (!colon) return;
  static const struct {
    const char* name;
    enum fault fault;
  } names[] = {{"enospc", ENOSPC_ON}, {"eio", EIO_ONCE},          {"eio-on", EIO_ON},
               {"exit", EXIT_BEFORE}, {"exit-after", EXIT_AFTER}, {"torn", TORN}};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    if (strlen(names[i].name) == (size_t)(colon - spec) && !strncmp(names[i].name, spec, (size_t)(colon - spec))) {
      fault = names[i].fault;
    }
  }
  at = strtol(colon + 1, NULL, 10);
}

__attribute__((destructor)) static void end(void) {
  const char* file = getenv("LOWBIT_FS_COUNT");
  if (!file) return;
  FILE* out = fopen(file, "w");
  if (!out) return;
  fprintf(out, "%ld\n", (long)operations);
  fclose(out);
}

/* The root is a directory that nobody stands in: of a relative path, where it starts from decides. */
static int below_root(const char* path) {
  if (!root[0] || !path) return 0;
  char directory[PATH_MAX];
  if (path[0] != '/') {
    if (!getcwd(directory, sizeof directory)) return 0;
    path = directory;
  }
  return !strncmp(path, root, strlen(root));
}

static int watched_descriptor(int fd) { return fd >= 0 && fd < 4096 && watched[fd]; }

/* 0: go on; otherwise the error. `number` is this operation's. */
static int before(enum kind kind, long* number) {
  *number = 0;
  if (asleep) return 0;
  if (kind == READS && fault != EIO_ONCE && fault != EIO_ON) return 0;
  *number = ++operations;
  if (fault == EXIT_BEFORE && *number == at) _exit(137);
  if (fault == ENOSPC_ON && *number >= at) return ENOSPC;
  if (fault == EIO_ONCE && *number == at) return EIO;
  if (fault == EIO_ON && *number >= at) return EIO;
  return 0;
}

static void after(long number) {
  if (number && (fault == EXIT_AFTER || fault == TORN) && number == at) _exit(137);
}

#define GUARDED(is_watched, kind, failed, call) \
  long number = 0;                              \
  if (is_watched) {                             \
    const int error = before(kind, &number);    \
    if (error) {                                \
      errno = error;                            \
      return failed;                            \
    }                                           \
  }                                             \
  __typeof__(call) result = call;               \
  const int kept = errno;                       \
  if (is_watched) after(number);                \
  errno = kept;                                 \
  return result

static int opened(int fd, const char* path) {
  if (fd >= 0 && fd < 4096) watched[fd] = (char)below_root(path);
  return fd;
}

#define OPEN(name)                                                                                       \
  int name(const char* path, int flags, ...) {                                                           \
    REAL(name);                                                                                          \
    mode_t mode = 0;                                                                                     \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                                 \
      va_list list;                                                                                      \
      va_start(list, flags);                                                                             \
      mode = va_arg(list, mode_t);                                                                       \
      va_end(list);                                                                                      \
    }                                                                                                    \
    const int counts = below_root(path);                                                                 \
    GUARDED(counts, flags& O_CREAT ? CHANGES : READS, -1, opened(real_##name(path, flags, mode), path)); \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  REAL(close);
  if (fd >= 0 && fd < 4096) watched[fd] = 0;
  return real_close(fd);
}

#define HALF(size) (fault == TORN && number == at ? (size) / 2 : (size))
ssize_t write(int fd, const void* data, size_t size) {
  REAL(write);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_write(fd, data, HALF(size)));
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  REAL(writev);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_writev(fd, parts, HALF(count)));
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  REAL(pwrite);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_pwrite(fd, data, HALF(size), offset));
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  REAL(pwrite64);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_pwrite64(fd, data, HALF(size), offset));
}
ssize_t read(int fd, void* data, size_t size) {
  REAL(read);
  GUARDED(watched_descriptor(fd), READS, -1, real_read(fd, data, size));
}
ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  REAL(pread);
  GUARDED(watched_descriptor(fd), READS, -1, real_pread(fd, data, size, offset));
}
ssize_t pread64(int fd, void* data, size_t size, off64_t offset) {
  REAL(pread64);
  GUARDED(watched_descriptor(fd), READS, -1, real_pread64(fd, data, size, offset));
}
int ftruncate(int fd, off_t size) {
  REAL(ftruncate);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_ftruncate(fd, size));
}
int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_ftruncate64(fd, size));
}
int fsync(int fd) {
  REAL(fsync);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_fsync(fd));
}
int fdatasync(int fd) {
  REAL(fdatasync);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_fdatasync(fd));
}
int syncfs(int fd) {
  REAL(syncfs);
  GUARDED(watched_descriptor(fd), CHANGES, -1, real_syncfs(fd));
}
int rename(const char* from, const char* to) {
  REAL(rename);
  GUARDED(below_root(to), CHANGES, -1, real_rename(from, to));
}
int mkdir(const char* path, mode_t mode) {
  REAL(mkdir);
  GUARDED(below_root(path), CHANGES, -1, real_mkdir(path, mode));
}
int unlink(const char* path) {
  REAL(unlink);
  if (fault == ENOSPC_ON) return real_unlink(path); /* needs no room */
  GUARDED(below_root(path), CHANGES, -1, real_unlink(path));
}

int rmdir(const char* path) {
  REAL(rmdir);
  if (fault == ENOSPC_ON) return real_rmdir(path);
  GUARDED(below_root(path), CHANGES, -1, real_rmdir(path));
}
static int below_root_at(int directory, const char* path) {
  char link[64];
  char absolute[PATH_MAX];
  if (directory == AT_FDCWD || path[0] == '/') return below_root(path);
  snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
  const ssize_t n = readlink(link, absolute, sizeof absolute - 1);
  if (n < 0) return 0;
  absolute[n] = 0;
  return below_root(absolute);
}
int unlinkat(int directory, const char* path, int flags) {
  REAL(unlinkat);
  if (fault == ENOSPC_ON) return real_unlinkat(directory, path, flags);
  GUARDED(below_root_at(directory, path), CHANGES, -1, real_unlinkat(directory, path, flags));
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  REAL(clock_gettime);
  const int status = real_clock_gettime(clock, time);
  if (!status && clock == CLOCK_REALTIME && ++clock_asked >= clock_from) time->tv_sec += clock_offset;
  return status;
}
