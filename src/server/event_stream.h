// Findings as server-sent events, to any number of clients within a limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "base/result.h"
#include "finding/finding.h"
#include "net/http_server.h"
#include "store/query.h"

namespace saker::server {

struct StreamStats {
  size_t clients = 0;
  uint64_t slow_clients = 0;  // cut off
  uint64_t dropped = 0;       // events that they missed
};

// Thread-safe. publish() never blocks: a client whose queue is full is cut off, and can come back.
class EventStream {
 public:
  EventStream(size_t max_clients, size_t queue_capacity)
      : max_clients_(max_clients), queue_capacity_(queue_capacity) {}
  ~EventStream() { close(); }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  void publish(const finding::Finding& finding);

  // What a new client is sent; busy when there are too many.
  Result<std::unique_ptr<net::BodyStream>> subscribe(store::AlertFilter filter);

  // Ends all streams.
  void close();
  [[nodiscard]] StreamStats stats() const;

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Client {
    Client(store::AlertFilter wanted, size_t capacity)
        : filter(std::move(wanted)), queue(capacity) {}
    store::AlertFilter filter;
    BoundedQueue<Text> queue;
    std::atomic<bool> gone = false;
  };
  class Body;

  void forget_gone();

  const size_t max_clients_, queue_capacity_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Client>> clients_;  // each shared with the Body that sends it
  std::atomic<bool> nobody_ = true;
  uint64_t next_id_ = 1, slow_clients_ = 0, dropped_ = 0;
  bool closed_ = false;
};

}  // namespace saker::server
