// The numbers of the rooms below, as metrics.
#pragma once

#include "output/dispatcher.h"
#include "server/event_stream.h"
#include "server/metrics.h"
#include "store/writer.h"

namespace saker::server {

// Each refers to what it reports on, which must outlive it.
class OutputMetrics : public MetricsSource {
 public:
  explicit OutputMetrics(const output::Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  void collect(MetricsWriter& writer) const override;

 private:
  const output::Dispatcher& dispatcher_;
};

class StoreMetrics : public MetricsSource {
 public:
  explicit StoreMetrics(const store::Writer& store) : store_(store) {}
  void collect(MetricsWriter& writer) const override;

 private:
  const store::Writer& store_;
};

class StreamMetrics : public MetricsSource {
 public:
  explicit StreamMetrics(const EventStream& stream) : stream_(stream) {}
  void collect(MetricsWriter& writer) const override;

 private:
  const EventStream& stream_;
};

}  // namespace saker::server
