// Any bytes as the answers of a container runtime. The first byte says which questions are asked,
// then each answer is its kind (see FakeAnswer), a u16 length and the body.
// parser: src/k8s/cri_client.cc src/k8s/containerd_client.cc src/k8s/grpc_client.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "container/fake_runtime.h"
#include "k8s/container_json.h"
#include "k8s/containerd_client.h"
#include "k8s/cri_client.h"
#include "scratch_folder.h"

namespace {

using namespace saker;
using test::FakeAnswer;

// The answers that are left, in the order of the calls.
class Script {
 public:
  void start(Bytes bytes) {
    const std::lock_guard lock(mutex_);
    reader_ = ByteReader(bytes);
  }
  FakeAnswer next() {
    const std::lock_guard lock(mutex_);
    using Kind = FakeAnswer::Kind;
    constexpr Kind kKinds[] = {Kind::message, Kind::status, Kind::raw_body, Kind::no_status,
                               Kind::close,   Kind::half,   Kind::garbage};
    const uint8_t kind = reader_.read<uint8_t>();
    FakeAnswer answer{.kind = kKinds[kind % std::size(kKinds)]};
    const auto length = reader_.read<uint16_t>();
    answer.body = as_text(reader_.take(std::min<size_t>(length, reader_.remaining())));
    // A header can't hold just anything.
    if (answer.kind == Kind::status) {
      answer.status = kind / 8;
      for (const char c : answer.body)
        if (c >= ' ' && c < 127) answer.text += c;
    }
    return answer;
  }

 private:
  std::mutex mutex_;
  ByteReader reader_{{}};
};

template <typename T>
void check(const Result<T>& result) {
  if (!result.ok() && result.error().message.empty()) std::abort();
}
void check_info(const Result<k8s::ContainerInfo>& info) {
  check(info);
  if (info.ok() && k8s::to_container_json(*info).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFolder folder;
  static const std::string socket = folder.path() + "/s";
  static Script script;
  static const test::FakeRuntime runtime(socket, [](auto, auto, auto) { return script.next(); });
  if (size == 0) return 0;
  script.start(Bytes(data, size).subspan(1));
  constexpr std::chrono::seconds kTimeout(10);
  k8s::GrpcClient grpc(socket);
  k8s::CriClient cri(&grpc, kTimeout);
  k8s::ContainerdClient containerd(&grpc, kTimeout);
  switch (data[0] % 6) {
    case 0: check_info(cri.look_up("ab")); break;
    case 1: check(cri.list()); break;
    case 2: check_info(containerd.look_up("n", "ab")); break;
    case 3: check_info(containerd.look_up("", "ab")); break;
    case 4: check(containerd.list("n")); break;
    default: check(containerd.image_digest("n", "i")); break;
  }
  return 0;
}
