// Turns events of older captures into today's schema: exit events with all their parameters, as the
// live source writes them. Rules in converter.def.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "event/event.h"

namespace saker::capture::scap {

// For each type the number of parameters with which an event needs no conversion at all.
inline constexpr uint8_t kAnyCount = 0xfe;
inline constexpr uint8_t kNeverAsIs = 0xff;
const std::array<uint8_t, event::kEventCodeCount>& as_is_counts();

// Keeps the enter events that wait for their exits. Not thread-safe.
class Converter {
 public:
  enum class Outcome : uint8_t {
    deliver,     // the event, perhaps another one than before, is of today's schema
    folded,      // an enter event that its exit will bring, or one that today's schema has dropped
    no_rule,     // nobody knows what to do with this number of parameters
    bad_params,  // the rules want a parameter that the event lacks, or never come to an end
  };

  // The event stays valid until the next call, like those of a source.
  Outcome convert(event::Event& event);

 private:
  struct Rule;
  struct Source;
  friend struct Rules;

  Outcome apply(const Rule& rule, event::Event& event);
  bool add_param(const Source& source, const event::Event& event, size_t index);
  void add_zero(event::ParamType type);
  void add_container_json(const event::Event& event);
  void store(const event::Event& event);
  // The enter event that belongs to this exit.
  const event::Event* stored_enter(const event::Event& exit);

  // Enter events by thread; an empty text is none. Bounded: when hostile input fills it, all are
  // forgotten.
  std::unordered_map<int64_t, std::basic_string<uint8_t>> enters_;
  size_t enter_bytes_ = 0;
  event::Event enter_;
  bool used_enter_ = false;

  // The event in the making and the one that it is made from.
  std::array<event::Encoder, 2> encoders_;
  size_t turn_ = 0;
  uint16_t new_type_ = 0;
};

}  // namespace saker::capture::scap
