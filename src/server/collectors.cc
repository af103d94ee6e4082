#include "server/collectors.h"

namespace saker::server {

namespace {

using output::SinkStats;

// One family with a sample for each sink.
template <typename Value>
void each_sink(MetricsWriter& writer, const std::vector<SinkStats>& sinks, Value value) {
  for (const SinkStats& sink : sinks) writer.sample(value(sink), {{"sink", sink.name}});
}

}  // namespace

void OutputMetrics::collect(MetricsWriter& writer) const {
  const std::vector<SinkStats> sinks = dispatcher_.stats();
  writer.counter("saker_output_delivered_total", "Findings that a sink took");
  each_sink(writer, sinks, [](const SinkStats& sink) { return sink.delivered; });
  writer.counter("saker_output_dropped_total",
                 "Findings lost because the queue of a sink was full");
  each_sink(writer, sinks, [](const SinkStats& sink) { return sink.dropped; });
  writer.counter("saker_output_failed_total", "Findings given up after errors of a sink");
  each_sink(writer, sinks, [](const SinkStats& sink) { return sink.failed; });
  writer.counter("saker_output_retries_total", "Deliveries that were tried again");
  each_sink(writer, sinks, [](const SinkStats& sink) { return sink.retries; });
  writer.gauge("saker_output_queue_length", "Findings that wait for a sink");
  each_sink(writer, sinks, [](const SinkStats& sink) { return uint64_t{sink.queued}; });
  writer.gauge("saker_output_queue_capacity", "Findings that may wait for a sink");
  each_sink(writer, sinks, [](const SinkStats& sink) { return uint64_t{sink.capacity}; });
  writer.gauge("saker_output_busy_seconds", "How long the present delivery has been under way");
  each_sink(writer, sinks, [](const SinkStats& sink) {
    return std::chrono::duration<double>(sink.busy_for).count();
  });
  writer.counter("saker_output_rate_limited_total",
                 "Findings held back by the limit of their rule");
  writer.sample(dispatcher_.rate_limited());
}

void StoreMetrics::collect(MetricsWriter& writer) const {
  const store::WriterStats stats = store_.stats();
  writer.counter("saker_store_stored_total", "Alerts committed to the store");
  writer.sample(stats.stored);
  writer.counter("saker_store_lost_total", "Alerts that did not get into the store");
  writer.sample(stats.dropped, {{"reason", "queue full"}});
  writer.sample(stats.lost, {{"reason", "write failed"}});
  writer.counter("saker_store_removed_total", "Alerts removed for age or size");
  writer.sample(stats.removed);
  writer.counter("saker_store_failed_commits_total", "Commits that failed and were tried again");
  writer.sample(stats.failed_commits);
  writer.gauge("saker_store_queue_length", "Alerts that wait for the store");
  writer.sample(uint64_t{stats.queued});
  writer.gauge("saker_store_queue_capacity", "Alerts that may wait for the store");
  writer.sample(uint64_t{stats.capacity});
  writer.gauge("saker_store_bytes", "Size of the store's file");
  writer.sample(stats.bytes);
}

void StreamMetrics::collect(MetricsWriter& writer) const {
  const StreamStats stats = stream_.stats();
  writer.gauge("saker_stream_clients", "Clients of /api/v1/events");
  writer.sample(uint64_t{stats.clients});
  writer.counter("saker_stream_slow_clients_total", "Clients cut off because they read too slowly");
  writer.sample(stats.slow_clients);
  writer.counter("saker_stream_dropped_total", "Events that such clients missed");
  writer.sample(stats.dropped);
}

}  // namespace saker::server
