#include "event/event.h"

#include "base/assert.h"

namespace saker::event {

std::string_view to_string(Source source) {
  return source == Source::syscall ? "syscall" : "k8s_audit";
}

void Event::locate(size_t index) const {
  uint32_t offset;
  size_t next = located_;
  if (next == 0) {
    offset = static_cast<uint32_t>(kHeaderSize + param_count * (large ? 4u : 2u));
  } else {
    offset = offsets_[next - 1] + static_cast<uint32_t>(param_length(next - 1));
  }
  for (; next <= index; ++next) {
    offsets_[next] = offset;
    offset += static_cast<uint32_t>(param_length(next));
  }
  located_ = static_cast<uint16_t>(next);
}

Result<Event> Event::decode(Bytes bytes, uint16_t cpu) {
  auto corrupt = [](std::string message) {
    return Error{.code = Code::corrupt, .message = std::move(message)};
  };
  if (bytes.size() < kHeaderSize) return corrupt("event shorter than its header");
  Event event;
  event.record = bytes.data();
  event.timestamp = load<uint64_t>(bytes.data());
  event.tid = load<int64_t>(bytes.data() + 8);
  event.length = load<uint32_t>(bytes.data() + 16);
  event.type = load<uint16_t>(bytes.data() + 20);
  event.cpu = cpu;
  uint32_t count = load<uint32_t>(bytes.data() + 22);
  if (event.length > bytes.size() || event.length < kHeaderSize)
    return corrupt("event length does not fit its block");
  if (count > kMaxParams) return corrupt("event has " + std::to_string(count) + " parameters");
  event.large = event.type < kEventCodeCount && event::info(event.type).has(LargePayload);
  size_t width = event.large ? 4 : 2;
  if (kHeaderSize + count * width > event.length)
    return corrupt("parameter lengths do not fit the event");
  event.param_count = static_cast<uint16_t>(count);
  uint64_t sum = kHeaderSize + count * width;
  for (size_t i = 0; i < count; ++i) sum += event.param_length(i);
  if (sum > event.length) return corrupt("parameters are longer than the event");
  return event;
}

void Encoder::begin(uint64_t timestamp, int64_t tid, uint16_t type) {
  timestamp_ = timestamp;
  tid_ = tid;
  type_ = type;
  count_ = 0;
  data_.clear();
}

void Encoder::add(Bytes data) {
  SAKER_ASSERT(count_ < kMaxParams);
  lengths_[count_++] = static_cast<uint32_t>(data.size());
  data_.append(data.data(), data.size());
}

void Encoder::add_text(std::string_view text) {
  SAKER_ASSERT(count_ < kMaxParams);
  lengths_[count_++] = static_cast<uint32_t>(text.size() + 1);
  data_.append(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  data_.push_back(0);
}

Bytes Encoder::finish() {
  const bool large = type_ < kEventCodeCount && info(type_).has(LargePayload);
  const size_t width = large ? 4 : 2;
  record_.resize(kHeaderSize + count_ * width);
  uint8_t* out = record_.data();
  auto length = static_cast<uint32_t>(record_.size() + data_.size());
  std::memcpy(out, &timestamp_, 8);
  std::memcpy(out + 8, &tid_, 8);
  std::memcpy(out + 16, &length, 4);
  std::memcpy(out + 20, &type_, 2);
  std::memcpy(out + 22, &count_, 4);
  for (size_t i = 0; i < count_; ++i)
    std::memcpy(out + kHeaderSize + i * width, &lengths_[i], width);
  record_.append(data_);
  return {record_.data(), record_.size()};
}

}  // namespace saker::event
