#include "k8s/runtimes.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "k8s/containerd_client.h"
#include "k8s/cri_client.h"
#include "k8s/docker_client.h"
#include "k8s/on_disk.h"

namespace saker::k8s {
namespace {

using Clock = std::chrono::steady_clock;

// The namespace in "/<namespace>/<id>", the layout of containerd without systemd.
std::string_view namespace_in(std::string_view cgroup_path) {
  if (!cgroup_path.starts_with('/')) return {};
  cgroup_path.remove_prefix(1);
  const std::string_view name = cgroup_path.substr(0, cgroup_path.find('/'));
  return name.size() == cgroup_path.size() ? std::string_view() : name;
}

bool is_kubernetes(const ContainerRequest& request) {
  return request.type == ContainerType::cri || request.type == ContainerType::crio ||
         request.cgroup_path.contains("cri-containerd") ||
         request.cgroup_path.contains("kubepods") || namespace_in(request.cgroup_path) == "k8s.io";
}

// These runtimes have no daemon to ask; the cgroup's name is all there is.
bool has_no_runtime(ContainerType type) {
  return type == ContainerType::lxc || type == ContainerType::libvirt_lxc ||
         type == ContainerType::bpm || type == ContainerType::mesos || type == ContainerType::rkt;
}

ContainerInfo named_by_cgroup(const ContainerRequest& request) {
  ContainerInfo info;
  info.full_id = info.name = request.full_id;
  info.type = request.type;
  info.id = short_id(request.type, request.full_id);
  return info;
}

}  // namespace

// One socket, which may be missing, down, or hanging. After a failure it is left alone for a while,
// so that many look-ups don't each wait for it.
class Runtimes::Source {
 public:
  Source(std::string socket, const RuntimeConfig& config)
      : socket_(std::move(socket)), config_(config), pause_(config.first_pause) {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // not_found without asking when there never was such a socket; io while it is left alone.
  Result<ContainerInfo> look_up(const ContainerRequest& request) {
    const bool present = ::access(socket_.c_str(), F_OK) == 0;
    if (!present && !was_present_) return Error{Code::not_found, "no socket " + socket_};
    was_present_ = true;
    if (Clock::now() < next_try_) return Error{Code::io, status_.error};
    const Clock::time_point start = Clock::now();
    auto info = ask(request);
    const bool timed_out = Clock::now() - start >= config_.call_timeout;
    note(info.ok() ? nullptr : &info.error(), timed_out);
    return info;
  }

  RuntimeStatus check() {
    status_.socket = socket_;
    status_.present = ::access(socket_.c_str(), F_OK) == 0;
    if (!status_.present) return status_;
    // Any answer will do, "no such container" included.
    auto info = ask({.full_id = std::string(64, '0'), .type = {}, .cgroup_path = {}});
    note(info.ok() ? nullptr : &info.error(), false);
    return status_;
  }

 protected:
  virtual Result<ContainerInfo> ask(const ContainerRequest& request) = 0;
  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] std::chrono::milliseconds timeout() const { return config_.call_timeout; }

 private:
  void note(const Error* error, bool timed_out) {
    status_.answers = !error || error->code == Code::not_found;
    if (error && error->code != Code::not_found) status_.error = error->message;
    const bool is_down = error && (error->code == Code::io || error->code == Code::corrupt ||
                                   error->code == Code::denied || timed_out);
    if (is_down) {
      next_try_ = Clock::now() + pause_;
      pause_ = std::min(pause_ * 2, config_.longest_pause);
    } else {
      pause_ = config_.first_pause;
    }
  }

  std::string socket_;
  const RuntimeConfig& config_;
  std::chrono::milliseconds pause_;
  Clock::time_point next_try_;
  bool was_present_ = false;
  RuntimeStatus status_;
};

// A socket of containerd (which speaks both of its interfaces there) or of CRI-O.
class Runtimes::RuntimeSource : public Source {
 public:
  RuntimeSource(std::string socket, const RuntimeConfig& config)
      : Source(std::move(socket), config),
        grpc_(this->socket()),
        cri_(&grpc_, timeout()),
        containerd_(&grpc_, timeout()) {}

 protected:
  Result<ContainerInfo> ask(const ContainerRequest& request) override {
    const bool kubernetes = is_kubernetes(request);
    auto info = kubernetes ? ask_cri(request) : ask_containerd(request);
    // A pod's container after all, of which the other interface tells more.
    if (info.ok() && !kubernetes && info->labels.contains("io.cri-containerd.kind")) {
      if (auto more = ask_cri(request); more.ok()) return more;
    }
    if (info.ok() || !may_ask_other(info.error())) return info;
    auto other = kubernetes ? ask_containerd(request) : ask_cri(request);
    // A runtime that speaks one of the two knows all that there is to know.
    if (!other.ok() && other.error().code == Code::unsupported) {
      return Error{Code::not_found, info.error().message};
    }
    return other;
  }

 private:
  static bool may_ask_other(const Error& error) {
    return error.code == Code::not_found || error.code == Code::unsupported;
  }

  Result<ContainerInfo> ask_cri(const ContainerRequest& request) {
    auto info = cri_.look_up(request.full_id);
    // An image that was never pulled has no digest that CRI would tell.
    if (info.ok() && info->image_digest.empty() && info->type == ContainerType::containerd) {
      auto digest = containerd_.image_digest("k8s.io", info->image);
      if (digest.ok()) info->image_digest = std::move(digest).value();
    }
    return info;
  }

  Result<ContainerInfo> ask_containerd(const ContainerRequest& request) {
    const bool is_hinted = request.type == ContainerType::containerd;
    const std::string_view hint =
        is_hinted ? namespace_in(request.cgroup_path) : std::string_view();
    if (!hint.empty()) {
      auto info = containerd_.look_up(hint, request.full_id);
      if (info.ok() || info.error().code != Code::not_found) return info;
    }
    return containerd_.look_up({}, request.full_id);
  }

  GrpcClient grpc_;
  CriClient cri_;
  ContainerdClient containerd_;
};

class Runtimes::DockerSource : public Source {
 public:
  DockerSource(std::string socket, ContainerType type, const RuntimeConfig& config)
      : Source(std::move(socket), config), client_(this->socket(), type, timeout()) {}

 protected:
  Result<ContainerInfo> ask(const ContainerRequest& request) override {
    return client_.look_up(request.full_id);
  }

 private:
  DockerClient client_;
};

Runtimes::Runtimes(RuntimeConfig config) : config_(std::move(config)) {
  for (const std::string& socket : config_.runtime_sockets) {
    runtimes_.push_back(std::make_unique<RuntimeSource>(socket, config_));
  }
  docker_ = std::make_unique<DockerSource>(config_.docker_socket, ContainerType::docker, config_);
  podman_ = std::make_unique<DockerSource>(config_.podman_socket, ContainerType::podman, config_);
}

Runtimes::~Runtimes() = default;

// The likeliest first. A bare id below an unknown parent may be anybody's.
std::vector<Runtimes::Source*> Runtimes::order_for(const ContainerRequest& request) {
  std::vector<Source*> order;
  if (request.type == ContainerType::podman) return {podman_.get()};
  if (request.type == ContainerType::docker) order.push_back(docker_.get());
  for (const auto& runtime : runtimes_) order.push_back(runtime.get());
  return order;
}

Result<ContainerInfo> Runtimes::look_up_on_disk(const ContainerRequest& request) {
  using LookUp = std::function<Result<ContainerInfo>()>;
  const std::string_view hint = request.type == ContainerType::containerd
                                    ? namespace_in(request.cgroup_path)
                                    : std::string_view();
  std::vector<LookUp> places;
  if (request.type == ContainerType::docker) {
    places.emplace_back([&] { return look_up_docker_files(config_.docker_root, request.full_id); });
  }
  if (request.type == ContainerType::podman || is_kubernetes(request)) {
    const ContainerType type =
        request.type == ContainerType::podman ? ContainerType::podman : ContainerType::crio;
    places.emplace_back(
        [&, type] { return look_up_storage(config_.storage_root, request.full_id, type); });
  }
  for (const std::string& root : config_.bundle_roots) {
    places.emplace_back([&] { return look_up_bundle(root, hint, request.full_id); });
    if (!hint.empty()) {
      places.emplace_back([&] { return look_up_bundle(root, {}, request.full_id); });
    }
  }
  places.emplace_back(
      [&] { return look_up_bundle_of_process(config_.proc, request.pid, request.full_id); });
  for (const LookUp& look : places) {
    if (auto info = look(); info.ok()) return info;
  }
  return Error{Code::not_found, fmt::format("no runtime knows container {}", request.full_id)};
}

Result<FoundContainer> Runtimes::look_up(const ContainerRequest& request) {
  if (has_no_runtime(request.type)) return FoundContainer{named_by_cgroup(request), true};
  std::optional<Error> unanswered;
  for (Source* source : order_for(request)) {
    if (stopped_) return Error{Code::busy, "stopped"};
    auto info = source->look_up(request);
    if (info.ok()) {
      // docker keeps its containers in a namespace of containerd, where they have no name.
      if (request.type == ContainerType::docker) info->type = ContainerType::docker;
      return FoundContainer{std::move(info).value(), true};
    }
    if (info.error().code != Code::not_found) unanswered = std::move(info).error();
  }
  auto info = look_up_on_disk(request);
  if (info.ok()) return FoundContainer{std::move(info).value(), !unanswered};
  if (unanswered) return std::move(*unanswered);
  return std::move(info).error();
}

std::vector<RuntimeStatus> Runtimes::check() {
  std::vector<RuntimeStatus> statuses;
  for (const auto& runtime : runtimes_) statuses.push_back(runtime->check());
  statuses.push_back(docker_->check());
  statuses.push_back(podman_->check());
  return statuses;
}

}  // namespace saker::k8s
