/*
 * Preloaded into a program, this library counts what it changes below a folder: files created, written, cut, synced,
 * renamed, linked and removed, folders made and removed. The n-th of these operations fails, or the process dies there;
 * or all of them are logged with their bytes, so that what a loss of power leaves can be rebuilt (replay.ts).
 *
 *   ATMOREP_FAULT_ROOT    the folder, absolute
 *   ATMOREP_FAULT_SHARED  a file of 4096 zero bytes: the count, for all processes and threads together
 *   ATMOREP_FAULT_AT      n, from 1; 0 or absent: none
 *   ATMOREP_FAULT_DO      eio: the n-th fails. full: from the n-th on there is no space (it still writes a half, as a disk
 *                         does that fills up). kill: SIGKILL instead of the n-th; in a write after the first half of it
 *   ATMOREP_FAULT_LOG     file that the log is appended to
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct shared {
  atomic_int lock;
  atomic_long count;
  atomic_long handles;
};

enum { NONE, EIO_ONCE, FULL, KILL };
enum { MAX_FD = 1 << 16 };

static struct shared *shared;
static char root[PATH_MAX];
static size_t root_length;
static long at;
static int kind;
static int log_fd = -1;
/* what an open file is called in the log; 0: not below the folder */
static long handle_of[MAX_FD];

#define NEXT(name) ((__typeof__(name) *)next(#name))
static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("ATMOREP_FAULT_ROOT"), *file = getenv("ATMOREP_FAULT_SHARED");
  if (!folder || !file) return;
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (map == MAP_FAILED) return;
  snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
  const char *n = getenv("ATMOREP_FAULT_AT"), *what = getenv("ATMOREP_FAULT_DO"), *log = getenv("ATMOREP_FAULT_LOG");
  at = n ? atol(n) : 0;
  kind = !what ? NONE : !strcmp(what, "eio") ? EIO_ONCE : !strcmp(what, "full") ? FULL : KILL;
  if (log) log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  shared = map;
}

/* One operation at a time, so that the log has their order. */
static void lock(void) {
  int zero = 0;
  while (!atomic_compare_exchange_weak(&shared->lock, &zero, 1)) {
    zero = 0;
    sched_yield();
  }
}
static void unlock(void) { atomic_store(&shared->lock, 0); }

static void say(const void *bytes, size_t length) {
  for (const char *p = bytes; length > 0;) {
    ssize_t n = syscall(SYS_write, log_fd, p, length);
    if (n <= 0) abort();
    p += n;
    length -= n;
  }
}
static void note(const char *format, ...) {
  if (log_fd < 0) return;
  char line[3 * PATH_MAX];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  say(line, n);
}

/* The path below the folder, or NULL. */
static const char *inside(const char *path, char *whole) {
  if (!shared || !path) return NULL;
  if (path[0] != '/') {
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return NULL;
    if ((size_t)snprintf(whole, PATH_MAX, "%s/%s", here, path) >= PATH_MAX) return NULL;
    path = whole;
  }
  if (strncmp(path, root, root_length) || (path[root_length] != '/' && path[root_length] != 0)) return NULL;
  return path + root_length;
}
static long handle(int fd) { return shared && fd >= 0 && fd < MAX_FD ? handle_of[fd] : 0; }

enum { GO, FAIL, HALF };
/* Counts an operation, within the lock. `grows`: it needs space. */
static int tried(int grows, int is_write) {
  long n = atomic_fetch_add(&shared->count, 1) + 1;
  if (at == 0 || kind == NONE || n < at) return GO;
  if (kind == FULL) {
    if (!grows) return GO;
    if (n == at && is_write) return HALF;
    errno = ENOSPC;
    return FAIL;
  }
  if (n > at) return GO;
  if (kind == KILL) {
    if (is_write) return HALF;
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  errno = EIO;
  return FAIL;
}

static int opened(const char *path, int flags, mode_t mode, int (*call)(const char *, int, ...)) {
  char whole[PATH_MAX];
  const char *name = inside(path, whole);
  if (!name) return call(path, flags, mode);
  lock();
  int changes = flags & (O_CREAT | O_TRUNC);
  struct stat info;
  int existed = stat(path, &info) == 0;
  int fd = -1;
  if (!changes || tried(!existed, 0) == GO) fd = call(path, flags, mode);
  int kept = errno;
  if (fd >= 0 && fd < MAX_FD) {
    handle_of[fd] = atomic_fetch_add(&shared->handles, 1) + 1;
    note("C\t%ld\t%d\t%d\t%s\n", handle_of[fd], existed, (flags & O_TRUNC) != 0, name);
  }
  unlock();
  errno = kept;
  return fd;
}
#define OPENS(name)                                                            \
  int name(const char *path, int flags, ...) {                                 \
    va_list list;                                                              \
    va_start(list, flags);                                                     \
    mode_t mode = va_arg(list, mode_t);                                        \
    va_end(list);                                                              \
    return opened(path, flags, mode, next(#name));                             \
  }
OPENS(open)
OPENS(open64)

int close(int fd) {
  if (handle(fd)) handle_of[fd] = 0;
  return NEXT(close)(fd);
}

/* One write at an offset, or at the file's own place (-1). */
static ssize_t written(int fd, const struct iovec *parts, int count, off_t offset) {
  size_t total = 0;
  for (int i = 0; i < count; i++) total += parts[i].iov_len;
  char *bytes = malloc(total + 1), *to = bytes;
  for (int i = 0; i < count; i++) to = mempcpy(to, parts[i].iov_base, parts[i].iov_len);
  lock();
  int told = tried(1, 1);
  size_t length = told == HALF ? (total + 1) / 2 : total;
  ssize_t done = -1;
  if (told != FAIL) {
    done = offset < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, offset);
  }
  int kept = errno;
  if (told == HALF && kind == KILL) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  if (done >= 0 && log_fd >= 0) {
    off_t where = offset < 0 ? lseek(fd, 0, SEEK_CUR) - done : offset;
    note("W\t%ld\t%lld\t%zd\n", handle(fd), (long long)where, done);
    say(bytes, done);
  }
  unlock();
  free(bytes);
  errno = kept;
  return done;
}
/* What the program prints stands in the log too: what it had promised by then. */
static void printed(int fd, const struct iovec *parts, int count, ssize_t done) {
  if (fd != 1 || !shared || log_fd < 0 || done <= 0) return;
  int kept = errno;
  lock();
  note("P\t%zd\n", done);
  for (int i = 0; i < count && done > 0; i++) {
    size_t length = parts[i].iov_len < (size_t)done ? parts[i].iov_len : (size_t)done;
    say(parts[i].iov_base, length);
    done -= length;
  }
  unlock();
  errno = kept;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  if (handle(fd)) return written(fd, &part, 1, -1);
  ssize_t done = syscall(SYS_write, fd, bytes, length);
  printed(fd, &part, 1, done);
  return done;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (handle(fd)) return written(fd, parts, count, -1);
  ssize_t done = syscall(SYS_writev, fd, parts, count);
  printed(fd, parts, count, done);
  return done;
}
#define PWRITES(name)                                                          \
  ssize_t name(int fd, const void *bytes, size_t length, off64_t offset) {     \
    struct iovec part = {(void *)bytes, length};                               \
    return handle(fd) ? written(fd, &part, 1, offset) : NEXT(name)(fd, bytes, length, offset); \
  }
PWRITES(pwrite)
PWRITES(pwrite64)
#define PWRITEVS(name)                                                         \
  ssize_t name(int fd, const struct iovec *parts, int count, off64_t offset) { \
    return handle(fd) ? written(fd, parts, count, offset) : NEXT(name)(fd, parts, count, offset); \
  }
PWRITEVS(pwritev)
PWRITEVS(pwritev64)

/* An operation on an open file, or on names: counted, done, logged if it succeeded. */
#define COUNTED(mine, grows, call, ...)                                        \
  if (!(mine)) return call;                                                    \
  lock();                                                                      \
  int result = tried(grows, 0) == GO ? (call) : -1;                            \
  int kept = errno;                                                            \
  if (result == 0) note(__VA_ARGS__);                                          \
  unlock();                                                                    \
  errno = kept;                                                                \
  return result;

int fsync(int fd) { COUNTED(handle(fd), 0, NEXT(fsync)(fd), "S\t%ld\n", handle(fd)) }
int fdatasync(int fd) { COUNTED(handle(fd), 0, NEXT(fdatasync)(fd), "S\t%ld\n", handle(fd)) }
int ftruncate(int fd, off64_t length) {
  COUNTED(handle(fd), 0, NEXT(ftruncate)(fd, length), "T\t%ld\t%lld\n", handle(fd), (long long)length)
}
int ftruncate64(int fd, off64_t length) {
  COUNTED(handle(fd), 0, NEXT(ftruncate64)(fd, length), "T\t%ld\t%lld\n", handle(fd), (long long)length)
}
#define ONE(name, grows, letter, arguments, ...)                               \
  int name arguments {                                                         \
    char whole[PATH_MAX];                                                      \
    const char *in = inside(path, whole);                                      \
    COUNTED(in, grows, NEXT(name)(__VA_ARGS__), letter "\t%s\n", in)           \
  }
ONE(mkdir, 1, "M", (const char *path, mode_t mode), path, mode)
ONE(unlink, 0, "U", (const char *path), path)
ONE(rmdir, 0, "D", (const char *path), path)
#define TWO(name, grows, letter)                                               \
  int name(const char *from, const char *to) {                                 \
    char a[PATH_MAX], b[PATH_MAX];                                             \
    const char *in = inside(from, a), *out = inside(to, b);                    \
    COUNTED(in && out, grows, NEXT(name)(from, to), letter "\t%s\t%s\n", in, out) \
  }
TWO(rename, 0, "R")
TWO(link, 1, "L")

char *mkdtemp(char *path) {
  char whole[PATH_MAX];
  if (!inside(path, whole)) return NEXT(mkdtemp)(path);
  lock();
  char *made = tried(1, 0) == GO ? NEXT(mkdtemp)(path) : NULL;
  int kept = errno;
  if (made) note("M\t%s\n", inside(made, whole));
  unlock();
  errno = kept;
  return made;
}
