#include "event/event.h"

#include "base/assert.h"

namespace saker::event {

std::string_view to_string(Source source) {
  return source == Source::syscall ? "syscall" : "k8s_audit";
}

Result<Event> Event::decode(Bytes bytes, uint16_t cpu) {
  Event event;
  if (decode_into(event, bytes, cpu)) return event;
  auto corrupt = [](std::string message) {
    return Error{.code = Code::corrupt, .message = std::move(message)};
  };
  if (bytes.size() < kHeaderSize) return corrupt("event shorter than its header");
  const auto length = load<uint32_t>(bytes.data() + 16);
  const auto type = load<uint16_t>(bytes.data() + 20);
  const auto count = load<uint32_t>(bytes.data() + 22);
  if (length > bytes.size() || length < kHeaderSize)
    return corrupt("event length does not fit its block");
  if (count > kMaxParams) return corrupt("event has " + std::to_string(count) + " parameters");
  const size_t width = type < kEventCodeCount && kHasLargePayload[type] ? 4 : 2;
  if (kHeaderSize + count * width > length)
    return corrupt("parameter lengths do not fit the event");
  return corrupt("parameters are longer than the event");
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
