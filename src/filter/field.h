// How a field is described and found: the one table row a field has. The language knows no field by
// name; it is handed a FieldCatalog.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "event/event.h"
#include "filter/value.h"

namespace saker::state {
struct Thread;
struct Fd;
class State;
}  // namespace saker::state

namespace saker::filter {

// What an extractor may look at. Any pointer may be null: then fields that need it have no value.
struct EvalContext {
  const event::Event* event = nullptr;
  const state::Thread* thread = nullptr;  // the thread that made the event
  const state::Fd* fd = nullptr;          // the fd that the event uses or made
  const state::State* state = nullptr;
  const audit::AuditRecord* audit = nullptr;
  Arena* scratch = nullptr;  // never null; reset by the caller between events
};

// The argument of a field: proc.aname[2], evt.arg.flags, k8s.pod.label[app]. Bound once when
// compiled.
struct FieldArg {
  bool present = false;
  std::string text;
  std::optional<uint64_t> index;  // the text as a number, when it is one
};

// false: the field has no value for this event.
using Extract = bool (*)(const EvalContext& context, const FieldArg& arg, Values& out);

enum class ArgRule : uint8_t { none, optional, required };

// How several values combine under an operator.
enum class Many : uint8_t {
  single,  // one value
  list,    // `in`: every element is in the set; `intersects`: any is
  any,     // true when any value satisfies the operator (proc.aname)
  either,  // both ends of a connection: like any, but != wants all to differ (fd.ip)
};

// How long a value stays the same; lets the engine judge once what can't change.
enum class Scope : uint8_t {
  event,    // may differ for every event
  process,  // same for a thread until its epoch changes (exec, credentials, parents, container
            // metadata), and for all audit events of one class (event/audit_record.h)
};

enum class Print : uint8_t { decimal, hex, octal, padded9 };

enum FieldFlags : uint16_t {
  kPlain = 0,
  kFilterOnly = 1,  // no use in outputs
  kNoRhs = 2,       // not on the right side of a comparison
  kNoTransformer = 4,
  kDeprecated = 8,    // known, never has a value; a condition with it loads with a warning
  kNotComputed = 16,  // known, but Saker can't compute it: an error at load
  kTableOnly = 32,    // shown by tools only
  kTimeText = 64,     // text for people, in JSON the event's ns timestamp
  kPrintOnly = 128,   // only in outputs
  kDistance = 256,    // compared by `=` alone, which means "at most so far away"
};

struct FieldInfo {
  std::string_view name;
  Type type = Type::text;
  ArgRule arg = ArgRule::none;
  Many many = Many::single;
  Scope scope = Scope::event;
  uint16_t flags = kPlain;
  Print print = Print::decimal;
  std::string_view summary;
  Extract extract = nullptr;
  // Checks and completes the argument when a condition is compiled; may be null. The returned type
  // replaces `type` (evt.rawarg.x has that of the parameter).
  Result<Type> (*bind)(FieldArg& arg) = nullptr;
  // What outputs show, when it is not what comparisons use: a single value (the ancestors of
  // proc.aname as one text). Null: `extract`.
  Extract display = nullptr;

  [[nodiscard]] bool has(uint16_t flag) const { return (flags & flag) != 0; }
};

// A group of fields of one class (proc, fd, evt ...), one file in src/fields/.
struct FieldClass {
  std::string_view name;    // "thread"
  std::string_view source;  // "syscall", "k8s_audit", "" for all
  std::string_view summary;
  std::span<const FieldInfo> fields;
};

// A field with its argument, as written in a condition.
struct FieldRef {
  const FieldInfo* info = nullptr;
  FieldArg arg;
  Type type = Type::text;  // info->type, or what bind() said
  std::string text;        // canonical spelling: "proc.aname[2]"
};

// All fields that there are. Immutable once built.
class FieldCatalog {
 public:
  explicit FieldCatalog(std::vector<FieldClass> classes);

  // `text` is a complete field with its argument, as `proc.aname[2]` or `evt.arg.flags`; the name
  // is the longest prefix that is a field and the rest its argument. `source` limits it to the
  // classes of that event source ("" allows all).
  [[nodiscard]] Result<FieldRef> resolve(std::string_view text, std::string_view source) const;

  // Whether `name` (without argument) is a field.
  [[nodiscard]] bool knows(std::string_view name) const;
  [[nodiscard]] std::span<const FieldClass> classes() const { return classes_; }

  // The field named so in the classes of `source`, or null.
  [[nodiscard]] const FieldInfo* find(std::string_view name, std::string_view source) const;

 private:
  struct Entry {
    std::string_view source;
    const FieldInfo* info;
  };
  [[nodiscard]] Error unknown_field(std::string_view text, std::string_view source) const;

  std::vector<FieldClass> classes_;
  std::unordered_multimap<std::string_view, Entry> by_name_;
};

}  // namespace saker::filter
