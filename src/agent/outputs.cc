#include "agent/outputs.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/assert.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"

namespace saker::agent {

static output::DispatcherOptions dispatcher_options(const Config& config) {
  return {.queue_capacity = config.outputs_queue.capacity,
          .rate = static_cast<double>(config.rate_limit.per_second),
          .burst = static_cast<double>(config.rate_limit.burst),
          .slow_after = config.outputs_queue.slow_after};
}

Outputs::Outputs(const Config& config, bool force_json)
    : config_(config),
      force_json_(force_json),
      dispatcher_(dispatcher_options(config)),
      stream_(config.server.max_streams, config.server.stream_queue) {}

std::vector<output::SinkSpec> Outputs::specs(const Config& config) const {
  std::vector<output::SinkSpec> specs;
  for (const SinkConfig& sink : config.outputs) {
    if (!sink.enabled) continue;
    output::SinkSettings settings = sink.settings;
    settings.json = config.json_options();
    settings.prefer_json = config.json_output;
    if (force_json_ && sink.info->name == "stdout") settings.values["format"] = "json";
    specs.push_back({.info = sink.info, .settings = std::move(settings), .least = sink.priority});
  }
  return specs;
}

Status Outputs::prepare(const Config& config) {
  prepared_ = SAKER_TRY(dispatcher_.prepare(dispatcher_options(config), specs(config)));
  return {};
}

void Outputs::exchange() {
  SAKER_ASSERT(prepared_.has_value());
  dispatcher_.exchange(std::move(*prepared_));
  prepared_.reset();
}

Status Outputs::open() {
  SAKER_CHECK(prepare(config_));
  sources_ = {&metrics, &process_, &output_metrics_, &stream_metrics_};
  if (config_.store.enabled) SAKER_CHECK(open_store());
  audit_ = SAKER_TRY(AuditSources::open(config_, store_.get()));
  if (audit_) sources_.push_back(audit_.get());
  return {};
}

void Outputs::start() {
  exchange();
  if (store_) store_->start();
}

void Outputs::serve() {
  if (!config_.server.enabled) return;
  std::string token;
  if (!config_.server.token_file.empty()) {
    Result<std::string> read = read_file(config_.server.token_file, 4096);
    if (!read.ok()) {
      log::error("no HTTP: " + read.error().to_text());
      return;
    }
    token = trim(*read);
  }
  Result<std::unique_ptr<server::Server>> opened =
      server::Server::open({.http = {.listen = config_.server.listen,
                                     .certificate_file = config_.server.certificate_file,
                                     .key_file = config_.server.key_file,
                                     .token = token},
                            .store_path = store_ ? store_path_ : "",
                            .metrics = config_.server.metrics},
                           stream_, sources_);
  if (opened.ok()) {
    server_ = std::move(*opened);
  } else {
    log::warning("no HTTP: " + opened.error().to_text());
  }
}

void Outputs::close() {
  server_.reset();
  dispatcher_.stop(config_.outputs_queue.shutdown_timeout);
  if (store_) store_->stop();
}

Status Outputs::open_store() {
  const std::string folder = data_folder(config_);
  std::error_code failed;
  const bool made = std::filesystem::create_directories(folder, failed);
  if (failed)
    return Error{
        .code = Code::denied,
        .message = "cannot make " + folder + ": " + failed.message(),
        .hint =
            "run as root, name another with --data-dir, or leave the store out with --no-store"};
  if (made) ::chmod(folder.c_str(), 0700);
  store_path_ = folder + "/alerts.db";
  store_ = SAKER_TRY(store::Writer::open(
      {.path = store_path_,
       .max_bytes = config_.store.max_size,
       .max_age = std::chrono::duration_cast<std::chrono::hours>(config_.store.max_age),
       .queue_capacity = config_.store.queue_capacity,
       .batch_time = config_.store.batch_time,
       .start = false}));
  sources_.push_back(&store_metrics_.emplace(*store_));
  return {};
}

std::string data_folder(const Config& config) {
  if (!config.data_dir.empty()) return config.data_dir;
  if (const char* given = ::getenv("SAKER_DATA_DIR"); given != nullptr) return given;
  return "/var/lib/saker";
}

}  // namespace saker::agent
