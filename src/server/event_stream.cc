#include "server/event_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

namespace saker::server {

// Sent into silence, so that both sides notice a broken connection.
static constexpr std::chrono::seconds kHeartbeat{10};

class EventStream::Body : public net::BodyStream {
 public:
  explicit Body(std::shared_ptr<Client> client) : client_(std::move(client)) {}
  ~Body() override { client_->gone = true; }

  std::optional<std::string> next(std::chrono::milliseconds timeout) override {
    const auto now = std::chrono::steady_clock::now();
    if (!begun_) {
      begun_ = true;
      last_sent_ = now;
      return ": saker\n\n";
    }
    if (std::optional<Text> text = client_->queue.pop(timeout)) {
      last_sent_ = now;
      return **text;
    }
    if (client_->queue.closed()) return std::nullopt;
    if (now - last_sent_ < kHeartbeat) return std::string();
    last_sent_ = now;
    return ": still here\n\n";
  }

 private:
  std::shared_ptr<Client> client_;
  bool begun_ = false;
  std::chrono::steady_clock::time_point last_sent_{};
};

void EventStream::forget_gone() {
  std::erase_if(clients_,
                [](const std::shared_ptr<Client>& client) { return client->gone.load(); });
  nobody_ = clients_.empty();
}

void EventStream::publish(const finding::Finding& finding) {
  if (nobody_) return;
  std::lock_guard lock(mutex_);
  forget_gone();
  Text text;
  for (const std::shared_ptr<Client>& client : clients_) {
    if (!client->filter.matches(finding)) continue;
    if (text == nullptr) {
      text = std::make_shared<const std::string>(fmt::format(
          "id: {}\nevent: finding\ndata: {}\n\n", next_id_++, finding::to_json(finding)));
    }
    if (client->queue.try_push(text)) continue;
    dropped_ += client->queue.size() + 1;
    ++slow_clients_;
    client->queue.close();
    client->gone = true;
  }
}

Result<std::unique_ptr<net::BodyStream>> EventStream::subscribe(store::AlertFilter filter) {
  std::lock_guard lock(mutex_);
  forget_gone();
  if (closed_) return Error{.code = Code::busy, .message = "the program is ending"};
  if (clients_.size() >= max_clients_)
    return Error{.code = Code::busy, .message = "too many clients are listening"};
  clients_.push_back(std::make_shared<Client>(std::move(filter), queue_capacity_));
  nobody_ = false;
  return std::unique_ptr<net::BodyStream>(std::make_unique<Body>(clients_.back()));
}

void EventStream::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const std::shared_ptr<Client>& client : clients_) client->queue.close();
}

StreamStats EventStream::stats() const {
  std::lock_guard lock(mutex_);
  const auto there = std::ranges::count_if(
      clients_, [](const std::shared_ptr<Client>& client) { return !client->gone; });
  return {
      .clients = static_cast<size_t>(there), .slow_clients = slow_clients_, .dropped = dropped_};
}

}  // namespace saker::server
