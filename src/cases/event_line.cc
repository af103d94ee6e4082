#include "cases/event_line.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "cases/values.h"
#include "filter/value.h"

namespace saker::cases {

namespace {

constexpr uint64_t kStepNs = 1'000'000;  // events are a millisecond apart unless they say otherwise

constexpr std::string_view kProcessKeys[] = {"tid",
                                             "pid",
                                             "ppid",
                                             "vpid",
                                             "vtid",
                                             "sid",
                                             "pgid",
                                             "vpgid",
                                             "comm",
                                             "exe",
                                             "exepath",
                                             "args",
                                             "env",
                                             "cwd",
                                             "uid",
                                             "gid",
                                             "loginuid",
                                             "tty",
                                             "cgroups",
                                             "container",
                                             "exe_writable",
                                             "exe_upper_layer",
                                             "exe_lower_layer",
                                             "exe_from_memfd",
                                             "cap_effective",
                                             "cap_permitted",
                                             "cap_inheritable",
                                             "exe_ino_ctime",
                                             "exe_ino_mtime",
                                             "fdlimit",
                                             "clone_ts"};

Error bad(std::string message) {
  return Error{.code = Code::invalid, .message = std::move(message)};
}

bool is_process_key(std::string_view key) {
  return std::ranges::find(kProcessKeys, key) != std::end(kProcessKeys);
}

// Typed reading of attributes; the first that does not parse is remembered.
class Reader {
 public:
  explicit Reader(const Attributes& attributes) : attributes_(attributes) {}

  [[nodiscard]] bool has(const std::string& key) const { return attributes_.contains(key); }
  [[nodiscard]] std::string text(const std::string& key, std::string_view other = {}) const {
    auto found = attributes_.find(key);
    return found == attributes_.end() ? std::string(other) : found->second;
  }
  int64_t number(const std::string& key, int64_t other) {
    auto found = attributes_.find(key);
    if (found == attributes_.end()) return other;
    if (std::optional<int64_t> value = parse_int(found->second)) return *value;
    if (std::optional<uint64_t> value = parse_uint(found->second))
      return static_cast<int64_t>(*value);
    failed_ = key + "=" + found->second;
    return other;
  }
  bool flag(const std::string& key) const { return text(key) == "true" || text(key) == "1"; }
  [[nodiscard]] Status status() const {
    if (failed_.empty()) return {};
    return bad("'" + failed_ + "' is not a number");
  }

 private:
  const Attributes& attributes_;
  std::string failed_;
};

std::string basename_of(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// cgroups=... as written, or a container's path from container=ID.
std::string cgroups_of(const Reader& reader) {
  if (reader.has("cgroups")) return nul_separated(reader.text("cgroups"));
  if (!reader.has("container")) return {};
  std::string id = reader.text("container");
  constexpr size_t kFullId = 64;
  if (id.size() < kFullId) id.append(kFullId - id.size(), '0');
  return std::string("cpuset=/docker/") + id + '\0';
}

// The event of today's schema with this name: the exit if there is one.
const event::EventInfo* find_event(std::string_view name) {
  const event::EventInfo* found = nullptr;
  for (const event::EventInfo& info : event::all_events()) {
    if (info.identifier == name) return &info;
    if (info.has(event::Unused) || info.has(event::OldVersion) || info.name != name) continue;
    if (found == nullptr || (found->is_enter && !info.is_enter)) found = &info;
  }
  if (found == nullptr && event::portable_code_of_name(name)) return &event::info(event::GENERIC_X);
  return found;
}

bool is_exec(const event::EventInfo& info) {
  return info.name == "execve" || info.name == "execveat";
}

bool is_clone(const event::EventInfo& info) {
  return info.name == "clone" || info.name == "clone3" || info.name == "fork" ||
         info.name == "vfork";
}

// What an exec or clone line says of the process, in the names of the event's parameters.
Attributes with_process_params(const event::EventInfo& info, Attributes attributes) {
  Reader reader(attributes);
  const std::string path = reader.text("exepath", reader.text("exe"));
  Attributes extra = {{"ptid", reader.text("ppid", "1")},
                      {"tid", reader.text("tid", reader.text("pid", "0"))},
                      {"exe", path},
                      {"comm", basename_of(path).substr(0, 15)},
                      {"trusted_exepath", path},
                      {"filename", path},
                      {"uid", "0"},
                      {"gid", "0"},
                      {"loginuid", "4294967295"},
                      {"vtid", reader.text("vtid", reader.text("tid", reader.text("pid", "0")))},
                      {"vpid", reader.text("vpid", reader.text("pid", "0"))},
                      {"vpgid", reader.text("pid", "0")},
                      {"pgid", reader.text("pid", "0")}};
  if (std::string groups = cgroups_of(reader); !groups.empty()) {
    std::ranges::replace(groups, '\0', ' ');
    extra["cgroups"] = groups;
  }
  std::string flags;
  static constexpr std::pair<const char*, const char*> kFlags[] = {
      {"exe_writable", "EXE_WRITABLE"},
      {"exe_upper_layer", "EXE_UPPER_LAYER"},
      {"exe_lower_layer", "EXE_LOWER_LAYER"},
      {"exe_from_memfd", "EXE_FROM_MEMFD"}};
  for (const auto& [key, name] : kFlags)
    if (reader.flag(key)) flags += (flags.empty() ? "" : "|") + std::string(name);
  if (is_exec(info) && !flags.empty()) extra["flags"] = flags;
  attributes.merge(extra);
  return attributes;
}

event::FdType fd_type_of(std::string_view word) {
  static constexpr std::pair<std::string_view, event::FdType> kTypes[] = {
      {"file", event::FdType::file_v2},
      {"directory", event::FdType::directory},
      {"ipv4", event::FdType::ipv4_socket},
      {"ipv6", event::FdType::ipv6_socket},
      {"ipv4server", event::FdType::ipv4_server},
      {"unix", event::FdType::unix_socket},
      {"pipe", event::FdType::fifo},
      {"event", event::FdType::eventfd},
      {"memfd", event::FdType::memfd},
      {"pidfd", event::FdType::pidfd},
      {"netlink", event::FdType::netlink},
      {"bpf", event::FdType::bpf},
      {"io_uring", event::FdType::io_uring},
      {"inotify", event::FdType::inotify},
      {"userfaultfd", event::FdType::userfaultfd}};
  for (const auto& [name, type] : kTypes)
    if (name == word) return type;
  return event::FdType::unknown;
}

event::L4Proto l4_of(std::string_view word) {
  if (word == "udp") return event::L4Proto::udp;
  if (word == "icmp") return event::L4Proto::icmp;
  if (word == "raw") return event::L4Proto::raw;
  return event::L4Proto::tcp;
}

}  // namespace

Result<Attributes> parse_attributes(const std::vector<std::string>& words, size_t from) {
  Attributes attributes;
  for (size_t i = from; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos || equals == 0)
      return bad("'" + words[i] + "' is not KEY=VALUE");
    attributes[words[i].substr(0, equals)] = words[i].substr(equals + 1);
  }
  return attributes;
}

Status tell_process(const Attributes& attributes, event::SnapshotSink& sink) {
  for (const auto& [key, value] : attributes)
    if (!is_process_key(key)) return bad("a process has no attribute '" + key + "'");
  Reader reader(attributes);
  const int64_t pid = reader.number("pid", reader.number("tid", -1));
  if (pid < 0) return bad("a process needs pid=");
  const std::string exepath = reader.text("exepath", reader.text("exe"));
  const std::string exe = reader.text("exe", exepath);
  const std::string comm = reader.text("comm", basename_of(exepath));
  const std::string args = nul_separated(reader.text("args"));
  const std::string env = nul_separated(reader.text("env"));
  const std::string cgroups = cgroups_of(reader);
  const std::string cwd = reader.text("cwd", "/");
  const auto u32 = [&](const char* key, int64_t other) {
    return static_cast<uint32_t>(reader.number(key, other));
  };
  const auto u64 = [&](const char* key) { return static_cast<uint64_t>(reader.number(key, 0)); };
  const event::ProcessEntry entry{.tid = reader.number("tid", pid),
                                  .pid = pid,
                                  .ptid = reader.number("ppid", pid == 1 ? 0 : 1),
                                  .sid = reader.number("sid", pid),
                                  .vpgid = reader.number("vpgid", pid),
                                  .pgid = reader.number("pgid", pid),
                                  .vtid = reader.number("vtid", reader.number("tid", pid)),
                                  .vpid = reader.number("vpid", pid),
                                  .comm = comm,
                                  .exe = exe,
                                  .exepath = exepath,
                                  .args = args,
                                  .cwd = cwd,
                                  .env = env,
                                  .cgroups = cgroups,
                                  .root = "/",
                                  .fdlimit = static_cast<uint64_t>(reader.number("fdlimit", 1024)),
                                  .uid = u32("uid", 0),
                                  .gid = u32("gid", 0),
                                  .loginuid = u32("loginuid", 0xffffffff),
                                  .clone_ts = u64("clone_ts"),
                                  .tty = u32("tty", 0),
                                  .cap_inheritable = u64("cap_inheritable"),
                                  .cap_permitted = u64("cap_permitted"),
                                  .cap_effective = u64("cap_effective"),
                                  .exe_ino_ctime = u64("exe_ino_ctime"),
                                  .exe_ino_mtime = u64("exe_ino_mtime"),
                                  .exe_writable = reader.flag("exe_writable"),
                                  .exe_upper_layer = reader.flag("exe_upper_layer"),
                                  .exe_lower_layer = reader.flag("exe_lower_layer"),
                                  .exe_from_memfd = reader.flag("exe_from_memfd")};
  SAKER_CHECK(reader.status());
  sink.on_process(entry);
  return {};
}

Status tell_fd(const Attributes& attributes, event::SnapshotSink& sink) {
  Reader reader(attributes);
  const std::string type = reader.text("type", "file");
  const std::string name = reader.text("name");
  event::FdEntry entry{.tid = reader.number("pid", -1), .fd = reader.number("num", -1)};
  entry.type = fd_type_of(type);
  entry.name = name;
  if (entry.tid < 0 || entry.fd < 0) return bad("an fd needs pid= and num=");
  if (entry.type == event::FdType::unknown) return bad("unknown fd type '" + type + "'");
  if (type.starts_with("ipv")) {
    const char* any = type.starts_with("ipv6") ? "::" : "0.0.0.0";
    entry.source_ip = SAKER_TRY(filter::parse_ip(reader.text("cip", any))).bytes;
    entry.dest_ip = SAKER_TRY(filter::parse_ip(reader.text("sip", any))).bytes;
    entry.source_port = static_cast<uint16_t>(reader.number("cport", 0));
    entry.dest_port = static_cast<uint16_t>(reader.number("sport", 0));
    entry.l4 = l4_of(reader.text("l4proto", "tcp"));
  }
  entry.open_flags = static_cast<uint32_t>(reader.number("flags", 0));
  SAKER_CHECK(reader.status());
  sink.on_fd(entry);
  return {};
}

Result<k8s::ContainerInfo> parse_container(const Attributes& attributes) {
  Reader reader(attributes);
  k8s::ContainerInfo info;
  info.full_id = reader.text("id");
  if (info.full_id.empty()) return bad("a container needs id=");
  info.id = info.full_id.substr(0, 12);
  info.type = k8s::ContainerType::docker;
  info.name = reader.text("name");
  info.image = reader.text("image");
  const size_t colon = info.image.rfind(':');
  info.image_repository = reader.text("repository", info.image.substr(0, colon));
  info.image_tag =
      reader.text("tag", colon == std::string::npos ? "latest" : info.image.substr(colon + 1));
  info.image_digest = reader.text("digest");
  info.privileged = reader.flag("privileged");
  info.host_pid = reader.flag("host_pid");
  info.host_network = reader.flag("host_network");
  info.host_ipc = reader.flag("host_ipc");
  for (const auto& [key, value] : attributes) {
    if (key.starts_with("label.")) info.labels[key.substr(6)] = value;
    if (key.starts_with("mount.")) {  // mount./in/container=/on/host
      info.mounts.push_back(
          {.source = value, .destination = key.substr(6), .mode = "", .propagation = "private"});
    }
  }
  if (reader.has("pod")) info.labels["io.kubernetes.pod.name"] = reader.text("pod");
  if (reader.has("namespace"))
    info.labels["io.kubernetes.pod.namespace"] = reader.text("namespace");
  return info;
}

Status EventBuilder::introduce(const event::EventInfo& info, const Attributes& attributes,
                               event::SnapshotSink& sink) {
  Reader reader(attributes);
  const int64_t pid = reader.number("pid", reader.number("tid", 1));
  SAKER_CHECK(reader.status());
  if (!known_.insert(pid).second) return {};
  Attributes process;
  for (const auto& [key, value] : attributes) {
    const bool is_param = info.param_index(key) >= 0 && key != "pid" && key != "tid";
    if (is_process_key(key) && (!is_param || is_exec(info) || is_clone(info))) process[key] = value;
  }
  process["pid"] = std::to_string(pid);
  return tell_process(process, sink);
}

Status EventBuilder::add_param(const event::ParamInfo& param, const Attributes& attributes) {
  auto found = attributes.find(std::string(param.name));
  Buffer bytes = default_value(param);
  if (found != attributes.end()) {
    Result<Buffer> encoded = encode_value(found->second, param);
    if (!encoded.ok()) return std::move(encoded).error();
    bytes = std::move(*encoded);
  }
  encoder_.add(Bytes(bytes.data(), bytes.size()));
  return {};
}

Result<Bytes> EventBuilder::build(const std::string& name, const Attributes& given,
                                  event::SnapshotSink& sink) {
  const event::EventInfo* info = find_event(name);
  if (info == nullptr)
    return Error{.message = "no event is called '" + name + "'", .hint = "saker events lists them"};
  Attributes attributes = given;
  if (info->code == event::GENERIC_X) attributes.try_emplace("ID", name);
  for (const auto& [key, value] : attributes)
    if (info->param_index(key) < 0 && !is_process_key(key) && key != "time")
      return bad("event " + name + " has no parameter '" + key + "'");
  SAKER_CHECK(introduce(*info, attributes, sink));
  if (is_exec(*info) || is_clone(*info))
    attributes = with_process_params(*info, std::move(attributes));
  Reader reader(attributes);
  clock_ns_ += reader.has("time") ? static_cast<uint64_t>(reader.number("time", 0)) * 1'000'000'000
                                  : kStepNs;
  encoder_.begin(clock_ns_, reader.number("tid", reader.number("pid", 1)), info->code);
  SAKER_CHECK(reader.status());
  for (const event::ParamInfo& param : info->params) SAKER_CHECK(add_param(param, attributes));
  return encoder_.finish();
}

}  // namespace saker::cases
