#include "capture/scap/converter.h"

#include <algorithm>
#include <span>
#include <vector>

namespace saker::capture::scap {

using event::Event;
using event::EventInfo;

// Where a parameter of the new event comes from.
struct Converter::Source {
  enum class From : uint8_t { old, enter, enter_or_empty, zero, empty, container_json } from;
  uint8_t index = 0;
};

struct Converter::Rule {
  enum class Action : uint8_t { store, store_and_pass, pass, add_params, change_type } action;
  uint16_t type;
  uint16_t count;     // parameters that the event has
  uint16_t new_type;  // as `type` but for change_type
  std::span<const Source> sources;
};

// The rows of converter.def, findable by type.
struct Rules {
  using Source = Converter::Source;
  using Rule = Converter::Rule;

  static const Rules& all();
  [[nodiscard]] const Rule* find(uint16_t type, size_t count) const {
    for (size_t i = first[type]; i < first[type + size_t{1}]; ++i)
      if (rows[i].count == count) return &rows[i];
    return nullptr;
  }

  std::vector<Rule> rows;  // sorted by type
  std::array<uint16_t, event::kEventCodeCount + 1> first{};
};

const Rules& Rules::all() {
  using From = Source::From;
  using Action = Rule::Action;
#define OLD(i)                    \
  Source {                        \
    .from = From::old, .index = i \
  }
#define ENTER(i)                    \
  Source {                          \
    .from = From::enter, .index = i \
  }
#define ENTER_OR_EMPTY(i)                    \
  Source {                                   \
    .from = From::enter_or_empty, .index = i \
  }
#define ZERO           \
  Source {             \
    .from = From::zero \
  }
#define EMPTY           \
  Source {              \
    .from = From::empty \
  }
#define CONTAINER_JSON           \
  Source {                       \
    .from = From::container_json \
  }
#define STORE(type, n) {Action::store, event::type, n, event::type, {}},
#define STORE_AND_PASS(type, n) {Action::store_and_pass, event::type, n, event::type, {}},
#define PASS(type, n) {Action::pass, event::type, n, event::type, {}},
#define ADD_PARAMS(type, n, ...)                         \
  {Action::add_params, event::type, n, event::type, [] { \
     static constexpr Source sources[] = {__VA_ARGS__};  \
     return std::span<const Source>(sources);            \
   }()},
#define CHANGE_TYPE(type, n, new_type, ...)                                      \
  {Action::change_type, event::type, n, event::new_type, [] {                    \
     static constexpr std::array sources = {Source{From::empty}, ##__VA_ARGS__}; \
     return std::span<const Source>(sources).subspan(1);                         \
   }()},
  static const Rules rules = [] {
    Rules table{.rows = {
#include "capture/scap/converter.def"
                }};
    std::ranges::sort(table.rows, {}, &Rule::type);
    size_t at = 0;
    for (size_t type = 0; type <= event::kEventCodeCount; ++type) {
      while (at < table.rows.size() && table.rows[at].type < type) ++at;
      table.first[type] = static_cast<uint16_t>(at);
    }
    return table;
  }();
  return rules;
}

const std::array<uint8_t, event::kEventCodeCount>& as_is_counts() {
  static const std::array<uint8_t, event::kEventCodeCount> counts = [] {
    std::array<uint8_t, event::kEventCodeCount> table{};
    for (const EventInfo& info : event::all_events()) {
      uint8_t& count = table[info.code];
      const bool enter = info.code % 2 == 0;
      count = kNeverAsIs;
      if (info.has(event::Unused)) continue;
      if (!info.has(event::ConverterManaged)) {
        if (!info.has(event::OldVersion) || !enter) count = kAnyCount;
      } else if (!enter && !info.has(event::OldVersion)) {
        count = static_cast<uint8_t>(info.params.size());
      } else if (const Rules::Rule* rule = Rules::all().find(info.code, info.params.size());
                 rule != nullptr && rule->action == Rules::Rule::Action::pass) {
        count = static_cast<uint8_t>(info.params.size());
      }
    }
    return table;
  }();
  return counts;
}

namespace {

// A chain of old versions is a dozen rules long; more is a loop.
constexpr int kMaxRounds = 50;
// All stored enter events together.
constexpr size_t kMaxEnterBytes = 8 * 1024 * 1024;
// Of a table entry without its text.
constexpr size_t kEnterOverhead = 96;
constexpr size_t kMaxShortParam = 0xffff;

void append_json_text(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Converter::Outcome Converter::convert(Event& event) {
  for (int round = 0; round < kMaxRounds; ++round) {
    if (event.type >= event::kEventCodeCount) return Outcome::no_rule;
    const uint8_t as_is = as_is_counts()[event.type];
    if (as_is == kAnyCount || as_is == event.param_count) return Outcome::deliver;
    const EventInfo& info = event.info();
    if (info.has(event::Unused) || !info.has(event::ConverterManaged)) return Outcome::folded;
    if (as_is != kNeverAsIs && event.param_count > as_is) {
      event.keep_params(as_is);  // a newer schema than ours has more
      return Outcome::deliver;
    }
    const Rule* rule = Rules::all().find(event.type, event.param_count);
    if (rule == nullptr) return Outcome::no_rule;
    switch (rule->action) {
      case Rule::Action::pass: return Outcome::deliver;
      case Rule::Action::store: store(event); return Outcome::folded;
      case Rule::Action::store_and_pass: store(event); return Outcome::deliver;
      default: break;
    }
    if (const Outcome outcome = apply(*rule, event); outcome != Outcome::deliver) return outcome;
  }
  return Outcome::bad_params;
}

Converter::Outcome Converter::apply(const Rule& rule, Event& event) {
  // `event` may lie in the other encoder, where the last round has put it.
  turn_ ^= 1;
  event::Encoder& encoder = encoders_[turn_];
  new_type_ = rule.new_type;
  used_enter_ = false;
  encoder.begin(event.timestamp, event.tid, new_type_);
  size_t index = 0;
  if (rule.action == Rule::Action::add_params)
    for (; index < event.param_count; ++index) encoder.add(event.param(index));
  for (const Source& source : rule.sources)
    if (!add_param(source, event, index++)) return Outcome::bad_params;
  if (used_enter_) enters_[event.tid].clear();
  const uint64_t number = event.number;
  if (!Event::decode_into(event, encoder.finish(), event.cpu)) return Outcome::bad_params;
  event.number = number;
  return Outcome::deliver;
}

bool Converter::add_param(const Source& source, const Event& event, size_t index) {
  event::Encoder& encoder = encoders_[turn_];
  const auto& params = event::info(new_type_).params;
  const auto type = index < params.size() ? params[index].type : event::ParamType::None;
  // A copied parameter keeps its bytes, as many as the new type can have.
  auto add_copy = [&](Bytes bytes) {
    const size_t fixed = event::fixed_size(type);
    const size_t most = fixed != 0                           ? fixed
                        : event::kHasLargePayload[new_type_] ? bytes.size()
                                                             : kMaxShortParam;
    encoder.add(bytes.first(std::min(bytes.size(), most)));
  };
  using From = Source::From;
  switch (source.from) {
    case From::empty: encoder.add_empty(); return true;
    case From::zero: add_zero(type); return true;
    case From::container_json: add_container_json(event); return true;
    case From::old:
      if (!event.has_param(source.index)) return false;
      add_copy(event.param(source.index));
      return true;
    case From::enter:
    case From::enter_or_empty: break;
  }
  const Event* enter = stored_enter(event);
  if (enter == nullptr) {
    if (source.from == From::enter_or_empty) {
      encoder.add_empty();
    } else {
      add_zero(type);
    }
    return true;
  }
  if (!enter->has_param(source.index)) return false;
  used_enter_ = true;
  add_copy(enter->param(source.index));
  return true;
}

void Converter::add_zero(event::ParamType type) {
  constexpr std::array<uint8_t, 16> kZeros{};
  encoders_[turn_].add(Bytes(kZeros).first(event::fixed_size(type)));
}

// The oldest container event had four parameters; today's has a JSON text.
void Converter::add_container_json(const Event& event) {
  std::string json = "{\"container\":{\"id\":";
  append_json_text(json, event.text(0));
  json += ",\"type\":" + std::to_string(event.get<uint32_t>(1)) + ",\"name\":";
  append_json_text(json, event.text(2));
  json += ",\"image\":";
  append_json_text(json, event.text(3));
  json += "}}";
  if (json.size() >= kMaxShortParam) {
    encoders_[turn_].add_empty();
  } else {
    encoders_[turn_].add_text(json);
  }
}

void Converter::store(const Event& event) {
  auto [slot, is_new] = enters_.try_emplace(event.tid);
  std::basic_string<uint8_t>& bytes = slot->second;
  const size_t before = is_new ? 0 : bytes.capacity() + kEnterOverhead;
  bytes.assign(event.record, event.length);
  enter_bytes_ += bytes.capacity() + kEnterOverhead - before;
  if (enter_bytes_ <= kMaxEnterBytes) return;
  auto kept = std::move(bytes);
  enters_.clear();
  enter_bytes_ = kept.capacity() + kEnterOverhead;
  enters_[event.tid] = std::move(kept);
}

const Event* Converter::stored_enter(const Event& exit) {
  auto found = enters_.find(exit.tid);
  if (found == enters_.end() || found->second.empty()) return nullptr;
  if (!Event::decode_into(enter_, Bytes(found->second.data(), found->second.size()), exit.cpu))
    return nullptr;
  return enter_.type + 1 == exit.type ? &enter_ : nullptr;
}

}  // namespace saker::capture::scap
