// The BPF programs as one object: loaded once, its hooks attached and detached, its tables and
// buffers reached through here. The facade over libbpf and the generated skeleton.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/ring.h"
#include "kernel/shared_types.h"

namespace saker::kernel {

enum class Hook : uint8_t { sys_exit, exec, fork, exit, signal };
inline constexpr size_t kHooks = 5;

enum class Iterator : uint8_t { tasks, files };

// Tables that the programs see as constants; filled before they are loaded.
struct Constants {
  std::span<SyscallPlan> plans;
  std::span<FlagMap> flag_maps;
  std::span<EnumMap> enum_maps;
  std::span<u16> compat_numbers;
  u64* pointer_key = nullptr;
};

// Shared memory with the running programs.
struct Shared {
  u8* wanted = nullptr;  // kSyscalls
  SyscallTest* tests = nullptr;
  PathTest* path_tests = nullptr;
  u8* port_bits = nullptr;
  volatile Control* control = nullptr;
};

struct ProbeSizes {
  size_t file_ring = 8 << 20;  // bytes, powers of two
  size_t process_ring = 2 << 20;
};

// Not thread-safe. Detaches and unloads when it goes.
class Probes {
 public:
  ~Probes();

  // Parses the embedded object. Constants and shared memory may be written from then on.
  static Result<std::unique_ptr<Probes>> open(const ProbeSizes& sizes);
  [[nodiscard]] Constants constants();
  [[nodiscard]] Shared shared();

  // Verifies and loads all programs.
  Status load();
  Status attach(Hook hook);
  void detach(Hook hook);

  Result<Ring> file_ring();
  Result<Ring> process_ring();
  // For epoll: readable when the kernel asked for a reader.
  [[nodiscard]] int file_ring_fd() const;
  [[nodiscard]] int process_ring_fd() const;

  // The sum over all CPUs.
  [[nodiscard]] Counters counters() const;
  Status track(u32 tgid);

  // Runs an iterator over the whole machine and hands out its items. An item starts with its u32
  // size.
  Status iterate(Iterator which, const std::function<void(Bytes item)>& visit);

 private:
  Probes();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One thing that live capture needs of the machine.
struct SupportRow {
  std::string name;
  bool ok = false;
  std::string detail;  // why, or what was found
  std::string advice;  // what to do when it is not ok
};

// Tries each; loads nothing that stays.
std::vector<SupportRow> probe_support();
// The first need that is not met, of those that are quick to try.
Status check_support();

}  // namespace saker::kernel
