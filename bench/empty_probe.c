// Attaches bench/empty_probe.bpf.c for a number of seconds: empty_probe OBJECT SECONDS
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  struct bpf_object *object = bpf_object__open(argv[1]);
  if (!object || bpf_object__load(object)) return 1;
  struct bpf_program *program = bpf_object__next_program(object, 0);
  struct bpf_link *link = bpf_program__attach(program);
  if (!link) return 1;
  puts("attached");
  fflush(stdout);
  usleep((useconds_t)(atof(argv[2]) * 1e6));
  bpf_link__destroy(link);
  bpf_object__close(object);
  return 0;
}
