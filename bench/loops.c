// Loops of one system call or process, each printed as ns a call: what watching costs the watched.
//   loops WORK SECONDS [PATH]   WORK: getpid, open, write, fork
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *work = argv[1], *path = argc > 3 ? argv[3] : "/usr/share/common-licenses/GPL-3";
  const double limit = atof(argv[2]);
  const int batch = strcmp(work, "fork") == 0 ? 10 : 40;
  long calls = 0;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  double best = 1e9;
  const double start = now();
  double spent = 0;
  while (spent < limit) {
    const double before = now();
    for (int i = 0; i < batch; ++i) {
      if (work[0] == 'g') {
        syscall(SYS_getpid);
      } else if (work[0] == 'o') {
        int fd = open(path, O_RDONLY);
        if (fd >= 0) close(fd);
      } else if (work[0] == 'w') {
        if (write(null, "x", 1) != 1) return 1;
      } else {
        pid_t pid = fork();
        if (pid == 0) {
          char *args[] = {"true", 0};
          execve("/bin/true", args, environ);
          _exit(127);
        }
        waitpid(pid, 0, 0);
      }
    }
    const double after = now();
    if (after - before < best) best = after - before;
    calls += batch;
    spent = after - start;
  }
  printf("%.1f %.1f %ld\n", spent / calls * 1e9, best / batch * 1e9, calls);
  return 0;
}
