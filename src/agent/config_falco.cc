// What the keys of falco.yaml mean to Saker.
#include "agent/config_keys.h"

namespace saker::agent {

namespace {

using enum FalcoKey::Meaning;

constexpr std::string_view kAtOnce = "outputs are written as soon as they can be";
constexpr std::string_view kNoPlugins =
    "Saker has no plugins; containers and Kubernetes are built in";
constexpr std::string_view kOwnKernel = "Saker has a kernel side of its own; see live";
constexpr std::string_view kNoGrpc = "there is no gRPC output; see server and its event stream";
constexpr std::string_view kStateGrows = "Saker's process table needs no such limit";
constexpr std::string_view kDropsCounted =
    "lost events are always counted, and alerted at most once a second";
constexpr std::string_view kKeepAlive = "connections and files are always kept open";
constexpr std::string_view kRaw = "byte buffers are shown as text";
constexpr std::string_view kStderr = "Saker's own messages go to stderr; see log_level";
constexpr std::string_view kDemand = "what the kernel sends follows from the rules";

constexpr FalcoKey kKeys[] = {
    {special, "rules_file", "rules_files"},
    {special, "config_files", ""},
    {same, "stdout_output.enabled", "outputs.stdout.enabled"},
    {same, "file_output.enabled", "outputs.file.enabled"},
    {same, "file_output.filename", "outputs.file.path"},
    {ignored, "file_output.keep_alive", kKeepAlive},
    {same, "syslog_output.enabled", "outputs.syslog.enabled"},
    {same, "http_output.enabled", "outputs.http.enabled"},
    {same, "http_output.url", "outputs.http.url"},
    {same, "http_output.user_agent", "outputs.http.user_agent"},
    {same, "http_output.insecure", "outputs.http.insecure"},
    {same, "http_output.ca_cert", "outputs.http.ca_file"},
    {same, "http_output.ca_bundle", "outputs.http.ca_file"},
    {same, "http_output.ca_path", "outputs.http.ca_folder"},
    {special, "http_output.mtls"},
    {same, "http_output.client_cert", "outputs.http.certificate_file"},
    {same, "http_output.client_key", "outputs.http.key_file"},
    {ignored, "http_output.echo", "the server's answers are not shown"},
    {ignored, "http_output.compress_uploads", "bodies are sent as they are"},
    {ignored, "http_output.keep_alive", kKeepAlive},
    {ignored, "http_output.max_consecutive_timeouts", "see outputs.http.retry_for"},
    {special, "program_output.enabled"},
    {ignored, "program_output.program", "no shell is ever started"},
    {ignored, "program_output.keep_alive", "no shell is ever started"},
    {same, "webserver.enabled", "server.enabled"},
    {special, "webserver.listen_port"},
    {special, "webserver.listen_address"},
    {special, "webserver.ssl_enabled"},
    {special, "webserver.ssl_certificate"},
    {same, "webserver.prometheus_metrics_enabled", "server.metrics"},
    {ignored, "webserver.k8s_healthz_endpoint", "it is /healthz"},
    {ignored, "webserver.threadiness", "threads are started when needed"},
    {special, "output_timeout", "outputs_queue.slow_after"},
    {ignored, "buffered_outputs", kAtOnce},
    {ignored, "buffer_format_base64", kRaw},
    {ignored, "outputs.rate", "see rate_limit, which counts for each rule"},
    {ignored, "outputs.max_burst", "see rate_limit, which counts for each rule"},
    {ignored, "log_stderr", kStderr},
    {ignored, "log_syslog", kStderr},
    {ignored, "libs_logger.*", kStderr},
    {ignored, "metrics.*", "see server.metrics and saker run --stats-json"},
    {special, "engine.kind"},
    {same, "engine.modern_ebpf.drop_failed_exit", "live.drop_failed"},
    {same, "engine.kmod.drop_failed_exit", "live.drop_failed"},
    {same, "engine.ebpf.drop_failed_exit", "live.drop_failed"},
    {ignored, "engine.*", kOwnKernel},
    {ignored, "syscall_buf_size_preset", kOwnKernel},
    {same, "syscall_drop_failed_exit", "live.drop_failed"},
    {ignored, "modern_bpf.*", kOwnKernel},
    {ignored, "base_syscalls.*", kDemand},
    {same, "falco_libs.snaplen", "live.snaplen"},
    {ignored, "falco_libs.*", kStateGrows},
    {ignored, "load_plugins", kNoPlugins},
    {ignored, "plugins", kNoPlugins},
    {ignored, "plugins_hostinfo", kNoPlugins},
    {same, "container_engines.cri.sockets", "containers.sockets"},
    {ignored, "container_engines.*", "every runtime is asked whose socket is there"},
    {ignored, "metadata_download.*", "metadata comes from the container runtime"},
    {ignored, "grpc.*", kNoGrpc},
    {ignored, "grpc_output.*", kNoGrpc},
    {ignored, "syscall_event_drops.*", kDropsCounted},
    {ignored, "syscall_event_timeouts.*", "an idle machine is no mistake"},
    {ignored, "capture.*", "see saker record"},
    {ignored, "falcoctl.*", "not a key of the watcher"},
};

bool covers(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with(".*")) return pattern == path;
  pattern.remove_suffix(2);
  return path == pattern || (path.starts_with(pattern) && path[pattern.size()] == '.');
}

}  // namespace

const FalcoKey* find_falco_key(std::string_view path) {
  for (const FalcoKey& key : kKeys) {
    // A group of which only a part is ignored is looked into.
    const bool is_rest = covers(key.path, path) && key.path != path && is_falco_group(path);
    if (covers(key.path, path) && !is_rest) return &key;
  }
  return nullptr;
}

bool is_falco_group(std::string_view path) {
  for (const FalcoKey& key : kKeys)
    if (key.path.size() > path.size() + 2 && key.path.starts_with(path) &&
        key.path[path.size()] == '.' && key.path[path.size() + 1] != '*')
      return true;
  return false;
}

}  // namespace saker::agent
