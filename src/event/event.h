// One event, as a view of the bytes that a source handed out. Layout of those bytes (as in a
// capture block and in the live ring buffer): u64 timestamp ns, i64 thread id, u32 length, u16
// type, u32 number of parameters, then one u16 length a parameter (u32 for types flagged
// LargePayload), then the parameters' data back to back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "event/schema.h"

namespace saker::audit {
struct AuditRecord;
}

namespace saker::event {

inline constexpr size_t kHeaderSize = 26;
inline constexpr size_t kMaxParams = 64;

// Which types have parameter lengths of four bytes; a table of its own since every decode asks it.
inline constexpr std::array<bool, kEventCodeCount> kHasLargePayload = [] {
  std::array<bool, kEventCodeCount> table{};
#define EVENT(code, ident, name, category, kind, flags, ...) \
  table[code] = ((flags) & LargePayload) != 0;
#include "event/events.def"
#undef EVENT
  return table;
}();

enum class Source : uint8_t { syscall, k8s_audit };
std::string_view to_string(Source source);

// Valid until the next read of its source. Copying copies the view, not the bytes.
class Event {
 public:
  uint64_t number = 0;     // counts from 1: events that reached the engine
  uint64_t timestamp = 0;  // ns since the epoch
  int64_t tid = 0;         // thread id in the initial pid namespace
  uint16_t type = 0;       // EventCode
  uint16_t cpu = 0;
  uint16_t param_count = 0;
  Source source = Source::syscall;
  bool large = false;   // lengths are u32
  uint32_t length = 0;  // whole record in bytes
  const uint8_t* record = nullptr;

  [[nodiscard]] const EventInfo& info() const { return event::info(type); }

  // The bytes of parameter `index`; empty when it was empty or is not there.
  [[nodiscard]] Bytes param(size_t index) const {
    if (index >= param_count) return {};
    return {record + offsets_[index], offsets_[index + 1] - offsets_[index]};
  }

  [[nodiscard]] bool has_param(size_t index) const { return index < param_count; }

  // A fixed-size parameter; `missing` when it is empty or shorter than T.
  template <typename T>
  [[nodiscard]] T get(size_t index, T missing = T{}) const {
    Bytes bytes = param(index);
    return bytes.size() >= sizeof(T) ? load<T>(bytes.data()) : missing;
  }

  // A string parameter up to its NUL; empty also when it was NULL.
  [[nodiscard]] std::string_view text(size_t index) const { return as_c_string(param(index)); }

  // Parameter 0 as the call's result. Only for types that have one.
  [[nodiscard]] int64_t result() const { return get<int64_t>(0, 0); }

  // Reads the header and checks that all lengths fit; the one validation of an event's bytes.
  // `count` and the lengths become trusted after it.
  static Result<Event> decode(Bytes record, uint16_t cpu);

  // The same in place, for hot loops: sets all but `number`. False when the bytes are no event;
  // decode() of the same bytes then says why.
  static bool decode_into(Event& event, Bytes record, uint16_t cpu) {
    if (record.size() < kHeaderSize) return false;
    const uint8_t* bytes = record.data();
    const auto length = load<uint32_t>(bytes + 16);
    const auto type = load<uint16_t>(bytes + 20);
    const auto count = load<uint32_t>(bytes + 22);
    if (length > record.size() || length < kHeaderSize || count > kMaxParams) return false;
    event.timestamp = load<uint64_t>(bytes);
    event.tid = load<int64_t>(bytes + 8);
    event.type = type;
    event.cpu = cpu;
    event.source = Source::syscall;
    event.length = length;
    event.record = bytes;
    event.param_count = static_cast<uint16_t>(count);
    event.large = type < kEventCodeCount && kHasLargePayload[type];
    return event.large ? event.locate<uint32_t>() : event.locate<uint16_t>();
  }

  // Takes the last parameters away: those that a newer schema than ours has.
  void keep_params(size_t count) {
    if (count < param_count) param_count = static_cast<uint16_t>(count);
  }

 private:
  // Fills the offsets by one pass over the lengths; false when they do not fit the record.
  template <typename Length>
  bool locate() {
    const uint8_t* lengths = record + kHeaderSize;
    uint64_t offset = kHeaderSize + param_count * sizeof(Length);
    if (offset > length) return false;
    for (size_t i = 0; i < param_count; ++i) {
      offsets_[i] = static_cast<uint32_t>(offset);
      offset += load<Length>(lengths + i * sizeof(Length));
      if constexpr (sizeof(Length) > 2) {
        if (offset > length) return false;  // keeps the sum within 32 bits
      }
    }
    offsets_[param_count] = static_cast<uint32_t>(offset);
    return offset <= length;
  }

  // Where each parameter starts, and where the last one ends. Set up to param_count only.
  uint32_t offsets_[kMaxParams + 1];
};

// Writes the bytes of one event. For converters, tests and meta events; reusable without allocation
// once warm.
class Encoder {
 public:
  // Starts an event; parameters follow in order through add*().
  void begin(uint64_t timestamp, int64_t tid, uint16_t type);
  void add(Bytes data);
  void add_text(std::string_view text);  // with its NUL
  void add_empty() { add(Bytes{}); }
  template <typename T>
  void add_value(T value) {
    add(Bytes(reinterpret_cast<const uint8_t*>(&value), sizeof value));
  }
  // The finished record; valid until the next begin().
  Bytes finish();

 private:
  uint64_t timestamp_ = 0;
  int64_t tid_ = 0;
  uint16_t type_ = 0;
  uint32_t count_ = 0;
  uint32_t lengths_[kMaxParams];
  std::basic_string<uint8_t> data_;
  std::basic_string<uint8_t> record_;
};

}  // namespace saker::event
