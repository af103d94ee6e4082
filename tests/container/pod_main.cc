// test_pod run SOCKET IMAGE [NAME [NAMESPACE [CONTAINER [COMMAND...]]]]: starts a pod of one
// container and the label app=NAME, prints "SANDBOX_ID CONTAINER_ID". test_pod remove SOCKET
// SANDBOX_ID.
#include <fmt/core.h>

#include <string_view>

#include "pod.h"

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "run" && argc > 3) {
    saker::test::PodSpec spec;
    spec.image = argv[3];
    if (argc > 4) spec.name = argv[4];
    if (argc > 5) spec.name_space = argv[5];
    if (argc > 6) spec.container = argv[6];
    spec.labels = {{"app", spec.name}};
    for (int i = 7; i < argc; ++i) spec.command.emplace_back(argv[i]);
    auto pod = saker::test::run_pod(argv[2], spec);
    if (!pod.ok()) {
      fmt::print(stderr, "{}\n", pod.error().to_text());
      return 1;
    }
    fmt::print("{} {}\n", pod->sandbox_id, pod->container_id);
    return 0;
  }
  if (verb == "remove" && argc == 4) {
    auto status = saker::test::remove_pod(argv[2], argv[3]);
    if (!status.ok()) fmt::print(stderr, "{}\n", status.error().to_text());
    return status.ok() ? 0 : 1;
  }
  fmt::print(stderr,
             "usage: test_pod run SOCKET IMAGE [NAME [NAMESPACE [CONTAINER [COMMAND...]]]]\n"
             "       test_pod remove SOCKET SANDBOX_ID\n");
  return 2;
}
