#include "kernel/probes.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"

using namespace saker::kernel;  // the generated header names their types
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <bpf/bpf.h>

#include "saker.skel.h"
#pragma GCC diagnostic pop

namespace saker::kernel {

namespace {

// What libbpf said last, for the error that we make of it.
std::string& last_words() {
  static std::string words;
  return words;
}

int note_message(libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG) return 0;
  char text[4096];
  vsnprintf(text, sizeof text, format, args);
  if (level == LIBBPF_WARN && last_words().size() < 16384) last_words() += text;
  log::debug(trim(text));
  return 0;
}

Error bpf_error(std::string what, int error_number) {
  Error error = errno_error(what, error_number);
  std::string_view words = trim(last_words());
  if (const size_t end = words.find('\n'); end != std::string_view::npos)
    words = words.substr(0, end);
  if (!words.empty()) error.message += std::string(" (") + std::string(words) + ")";
  return error;
}

Error load_error(int error_number) {
  if (Status status = check_support(); !status.ok()) return status.error();
  Error error = bpf_error("loading the BPF programs", error_number);
  error.hint = "'saker doctor' tells what this machine lacks";
  return error;
}

size_t possible_cpus() {
  const int count = libbpf_num_possible_cpus();
  return count > 0 ? static_cast<size_t>(count) : 1;
}

}  // namespace

struct Probes::Impl {
  ::saker_bpf* skeleton = nullptr;
  bpf_link* links[kHooks] = {};
  ProbeSizes sizes;

  [[nodiscard]] bpf_program* program(Hook hook) const {
    switch (hook) {
      case Hook::sys_exit: return skeleton->progs.on_sys_exit;
      case Hook::exec: return skeleton->progs.on_exec;
      case Hook::fork: return skeleton->progs.on_fork;
      case Hook::exit: return skeleton->progs.on_exit;
      default: return skeleton->progs.on_signal;
    }
  }
};

Probes::Probes() : impl_(std::make_unique<Impl>()) {}

Probes::~Probes() {
  for (bpf_link* link : impl_->links) bpf_link__destroy(link);
  saker_bpf__destroy(impl_->skeleton);
}

Result<std::unique_ptr<Probes>> Probes::open(const ProbeSizes& sizes) {
  libbpf_set_print(note_message);
  last_words().clear();
  std::unique_ptr<Probes> probes(new Probes);
  Impl& impl = *probes->impl_;
  impl.skeleton = saker_bpf__open();
  if (impl.skeleton == nullptr) return bpf_error("opening the BPF programs", errno);
  impl.sizes = sizes;
  auto& maps = impl.skeleton->maps;
  bpf_map__set_max_entries(maps.records, static_cast<uint32_t>(possible_cpus()));
  bpf_map__set_max_entries(maps.file_ring, static_cast<uint32_t>(sizes.file_ring));
  bpf_map__set_max_entries(maps.process_ring, static_cast<uint32_t>(sizes.process_ring));
  return probes;
}

Constants Probes::constants() {
  auto* rodata = impl_->skeleton->rodata;
  return {.plans = rodata->plans,
          .flag_maps = rodata->flag_maps,
          .enum_maps = rodata->enum_maps,
          .compat_numbers = rodata->compat_numbers,
          .pointer_key = &rodata->pointer_key};
}

Shared Probes::shared() {
  auto* bss = impl_->skeleton->bss;
  return {.wanted = bss->wanted,
          .tests = bss->tests,
          .path_tests = bss->path_tests,
          .port_bits = bss->port_bits,
          .control = &bss->control};
}

Status Probes::load() {
  last_words().clear();
  auto* skeleton = impl_->skeleton;
  if (const int failed = saker_bpf__load(skeleton); failed != 0) return load_error(-failed);
  const uint32_t zero = 0;
  const int handler = bpf_program__fd(skeleton->progs.on_wanted_call);
  if (bpf_map__update_elem(skeleton->maps.handlers, &zero, sizeof zero, &handler, sizeof handler,
                           BPF_ANY) != 0)
    return bpf_error("linking the BPF programs", errno);
  return {};
}

Status Probes::attach(Hook hook) {
  bpf_link*& link = impl_->links[static_cast<size_t>(hook)];
  if (link != nullptr) return {};
  last_words().clear();
  link = bpf_program__attach(impl_->program(hook));
  if (link == nullptr)
    return bpf_error(std::string("attaching ") + bpf_program__name(impl_->program(hook)), errno);
  return {};
}

void Probes::detach(Hook hook) {
  bpf_link*& link = impl_->links[static_cast<size_t>(hook)];
  bpf_link__destroy(link);
  link = nullptr;
}

int Probes::file_ring_fd() const {
  return bpf_map__fd(impl_->skeleton->maps.file_ring);
}

int Probes::process_ring_fd() const {
  return bpf_map__fd(impl_->skeleton->maps.process_ring);
}

Result<Ring> Probes::file_ring() {
  return Ring::map(file_ring_fd(), impl_->sizes.file_ring);
}

Result<Ring> Probes::process_ring() {
  return Ring::map(process_ring_fd(), impl_->sizes.process_ring);
}

Counters Probes::counters() const {
  Counters sum{};
  std::vector<Counters> per_cpu(possible_cpus());
  const uint32_t zero = 0;
  if (bpf_map__lookup_elem(impl_->skeleton->maps.counters, &zero, sizeof zero, per_cpu.data(),
                           per_cpu.size() * sizeof(Counters), 0) != 0)
    return sum;
  for (const Counters& cpu : per_cpu) {
    sum.seen += cpu.seen;
    sum.sent += cpu.sent;
    sum.filtered += cpu.filtered;
    for (size_t i = 0; i < LOSS_REASONS; ++i) sum.lost[i] += cpu.lost[i];
    for (size_t i = 0; i < kMaxEventCodes; ++i) sum.lost_by_type[i] += cpu.lost_by_type[i];
  }
  return sum;
}

Status Probes::track(u32 tgid) {
  const uint8_t one = 1;
  if (bpf_map__update_elem(impl_->skeleton->maps.tracked, &tgid, sizeof tgid, &one, sizeof one,
                           BPF_ANY) != 0)
    return bpf_error("adding a process to follow", errno);
  return {};
}

Status Probes::iterate(Iterator which, const std::function<void(Bytes)>& visit) {
  auto& progs = impl_->skeleton->progs;
  bpf_program* program = which == Iterator::tasks ? progs.list_tasks : progs.list_files;
  last_words().clear();
  bpf_link* link = bpf_program__attach_iter(program, nullptr);
  if (link == nullptr) return bpf_error("attaching an iterator", errno);
  UniqueFd reader(bpf_iter_create(bpf_link__fd(link)));
  const int failed = errno;
  bpf_link__destroy(link);
  if (!reader.valid()) return bpf_error("starting an iterator", failed);
  std::vector<uint8_t> buffer(256 * 1024);
  size_t held = 0;
  for (;;) {
    const ssize_t got = read(reader.get(), buffer.data() + held, buffer.size() - held);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return errno_error("reading an iterator", errno);
    if (got == 0) return {};
    held += static_cast<size_t>(got);
    size_t at = 0;
    while (held - at >= sizeof(uint32_t)) {
      const auto size = saker::load<uint32_t>(buffer.data() + at);
      if (size < sizeof(uint32_t) || size > buffer.size() / 2)
        return Error{.code = Code::corrupt, .message = "an iterator gave an item of no size"};
      if (held - at < size) break;
      visit(Bytes(buffer.data() + at, size));
      at += size;
    }
    std::memmove(buffer.data(), buffer.data() + at, held - at);
    held -= at;
  }
}

}  // namespace saker::kernel
