#include "agent/audit_sources.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "agent/outputs.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/thread_signals.h"
#include "formats/json.h"
#include "formats/spool_reader.h"

namespace saker::agent {

namespace {

using std::chrono::milliseconds;

constexpr size_t kIntakeBytes = size_t{32} << 20;
constexpr std::string_view kSpool = "audit spool";  // the name of its position
constexpr milliseconds kLookUp{200};                // how often a thread looks whether it is to end
constexpr std::chrono::minutes kTidyInterval{1};

Result<net::HttpServerOptions> http_options(const Config& config) {
  const auto& webhook = config.audit.webhook;
  net::HttpServerOptions http{.listen = webhook.listen,
                              .certificate_file = webhook.certificate_file,
                              .key_file = webhook.key_file,
                              .client_ca_file = webhook.client_ca_file};
  if (!webhook.token_file.empty())
    http.token = trim(SAKER_TRY(read_file(webhook.token_file, 4096)));
  return http;
}

// Text of a reader that lets kJsonPadding bytes behind it be read.
AuditBatch to_batch(std::string_view lines, std::string source, std::string position) {
  return {.text = std::string(lines.data(), lines.size() + formats::kJsonPadding),
          .size = lines.size(),
          .source = std::move(source),
          .position = std::move(position)};
}

}  // namespace

static std::string name_of(const auto& log) {
  return "audit log " + log.path;
}

AuditSources::AuditSources() : intake_(kIntakeBytes) {}

AuditSources::~AuditSources() {
  stop();
}

Result<std::unique_ptr<AuditSources>> AuditSources::open(const Config& config,
                                                         store::Writer* store) {
  std::unique_ptr<AuditSources> sources;
  if (!config.audit.wanted()) return sources;
  if (store == nullptr)
    return Error{.code = Code::invalid,
                 .message =
                     "audit events are collected together with the store, which knows how "
                     "far they were read",
                 .hint = "leave --no-store (store.enabled: false) out"};
  sources.reset(new AuditSources);
  if (!config.audit.webhook.listen.empty()) SAKER_CHECK(sources->open_webhook(config, *store));
  for (const std::string& path : config.audit.log_files) sources->open_log(path, *store);
  return sources;
}

// A log need not be there yet: the server may be about to start.
void AuditSources::open_log(const std::string& path, const store::Writer& store) {
  auto log = std::make_unique<FollowedLog>();
  log->path = std::filesystem::absolute(path).lexically_normal().string();
  log->begin = capture::parse_log_position(store.position(name_of(*log)));
  names_.push_back(log->path);
  logs_.push_back(std::move(log));
}

Status AuditSources::open_webhook(const Config& config, const store::Writer& store) {
  const auto& audit = config.audit;
  spool_begin_ = formats::parse_spool_position(store.position(kSpool)).value_or(spool_begin_);
  spool_ = SAKER_TRY(store::AuditSpool::open(
      {.folder = store::spool_folder(data_folder(config)),
       .max_bytes = audit.spool.max_size,
       .max_age = std::chrono::duration_cast<std::chrono::seconds>(audit.spool.max_age),
       .matched = spool_begin_}));
  net::HttpServerOptions http = SAKER_TRY(http_options(config));
  webhook_ = SAKER_TRY(AuditWebhook::open(std::move(http), spool_));
  spool_behind_ = true;
  names_.push_back("the webhook at " + audit.webhook.listen);
  return {};
}

Status AuditSources::start() {
  if (webhook_) {
    SAKER_CHECK(webhook_->start());
    threads_.emplace_back([this](const std::stop_token& stop) { follow_spool(stop); });
  }
  for (const auto& log : logs_)
    threads_.emplace_back(
        [this, raw = log.get()](const std::stop_token& stop) { follow_log(*raw, stop); });
  return {};
}

void AuditSources::stop() {
  if (webhook_) webhook_->stop();
  for (std::jthread& thread : threads_) thread.request_stop();
  intake_.close();
  threads_.clear();
}

void AuditSources::follow_spool(const std::stop_token& stop) {
  block_signals();
  auto opened = formats::SpoolReader::open(spool_->folder());
  if (!opened.ok()) {
    log::error("audit events are kept, but not judged: " + opened.error().to_text());
    return;
  }
  formats::SpoolReader& reader = **opened;
  reader.start_behind(spool_begin_);
  size_t told = 0;
  auto next_tidy = std::chrono::steady_clock::now() + kTidyInterval;
  while (!stop.stop_requested()) {
    formats::SpoolFrame frame;
    while (!stop.stop_requested() && reader.next(frame, spool_->committed())) {
      spool_behind_ = true;
      if (!intake_.push(to_batch(frame.lines, std::string(kSpool), formats::to_text(frame.end))))
        return;
    }
    for (; told < reader.problems().size(); ++told) log::error(reader.problems()[told]);
    spool_behind_ = false;
    if (spool_->wait_beyond(reader.position(), kLookUp)) spool_behind_ = true;
    if (const auto now = std::chrono::steady_clock::now(); now >= next_tidy) {
      spool_->tidy();
      next_tidy = now + kTidyInterval;
    }
  }
}

void AuditSources::follow_log(FollowedLog& log, const std::stop_token& stop) {
  block_signals();
  capture::LogFollower follower(log.path, log.begin);
  const std::string name = name_of(log);
  while (!stop.stop_requested()) {
    capture::LogFollower::Piece piece;
    while (!stop.stop_requested() && follower.next(piece)) {
      log.behind = true;
      log.bytes += piece.text.size();
      if (!intake_.push(to_batch(piece.text, name, capture::to_text(piece.behind)))) return;
    }
    log.behind = false;
    log.gaps = follower.gaps();
    for (const std::string& message : follower.take_messages()) log::warning(message);
    std::this_thread::sleep_for(kLookUp);
  }
}

void AuditSources::judged(const AuditBatch& batch) {
  if (batch.source != kSpool) return;
  if (const auto position = formats::parse_spool_position(batch.position))
    spool_->set_matched(*position);
}

bool AuditSources::is_caught_up() const {
  return !spool_behind_ && intake_.size() == 0 &&
         std::ranges::none_of(logs_, [](const auto& log) { return log->behind.load(); });
}

void AuditSources::collect(server::MetricsWriter& writer) const {
  if (!logs_.empty()) {
    writer.counter("saker_audit_log_bytes_total", "Read of the followed audit logs");
    for (const auto& log : logs_) writer.sample(log->bytes.load(), {{"path", log->path}});
    writer.counter("saker_audit_log_gaps_total",
                   "Times that a rotated file was gone before it was read to its end");
    for (const auto& log : logs_) writer.sample(log->gaps.load(), {{"path", log->path}});
  }
  if (!webhook_) return;
  const AuditReceiver::Stats hook = webhook_->stats();
  writer.counter("saker_audit_webhook_batches_total",
                 "Batches of audit events, by what became of them");
  writer.sample(hook.batches, {{"result", "durable"}});
  writer.sample(hook.malformed, {{"result", "malformed"}});
  writer.sample(hook.failed, {{"result", "failed"}});
  writer.counter("saker_audit_webhook_events_total", "Audit events of durable batches");
  writer.sample(hook.events, {{"result", "spooled"}});
  writer.sample(hook.repeated, {{"result", "repeated"}});
  writer.sample(hook.skipped, {{"result", "no event"}});
  const store::SpoolStats spool = spool_->stats();
  writer.gauge("saker_audit_spool_bytes", "Size of the spool of audit events");
  writer.sample(spool.bytes);
  writer.gauge("saker_audit_spool_segments", "Its segments");
  writer.sample(spool.segments);
  writer.counter("saker_audit_spool_removed_bytes_total", "Removed from it for age or size");
  writer.sample(spool.removed_bytes);
  writer.counter("saker_audit_spool_unseen_bytes_total",
                 "Of those, what no rule had seen: judging does not keep up");
  writer.sample(spool.unmatched_bytes);
}

}  // namespace saker::agent
