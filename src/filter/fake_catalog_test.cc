#include "filter/fake_catalog.h"

#include <array>
#include <utility>

#include "base/assert.h"

namespace saker::filter {

namespace {

// Extractors are plain functions: each slot is one, and knows its field's name.
constexpr size_t kSlots = 512;
std::array<std::string, kSlots> slot_names;
size_t slots_used = 0;

bool extract_named(const std::string& name, const EvalContext& context, const FieldArg& arg,
                   Values& out) {
  if (context.thread == nullptr) return false;
  const auto* event = reinterpret_cast<const FakeEvent*>(context.thread);
  if (!arg.present) return event->extract(name, out);
  return event->extract(name + "[" + arg.text + "]", out);
}

template <size_t Slot>
bool extract_slot(const EvalContext& context, const FieldArg& arg, Values& out) {
  return extract_named(slot_names[Slot], context, arg, out);
}

template <size_t... Slots>
constexpr std::array<Extract, kSlots> make_extractors(std::index_sequence<Slots...>) {
  return {extract_slot<Slots>...};
}
constexpr std::array<Extract, kSlots> kExtractors =
    make_extractors(std::make_index_sequence<kSlots>());

}  // namespace

void FakeEvent::set_text(const std::string& field, std::initializer_list<std::string> texts) {
  std::vector<Stored>& row = values_[field];
  row.clear();
  for (const std::string& text : texts)
    row.push_back({.value = Value::of_text({}), .text = text, .ip = {}});
}

void FakeEvent::set_integer(const std::string& field, std::initializer_list<int64_t> numbers) {
  std::vector<Stored>& row = values_[field];
  row.clear();
  for (int64_t number : numbers)
    row.push_back({.value = Value::of_int(number), .text = {}, .ip = {}});
}

void FakeEvent::set_boolean(const std::string& field, bool value) {
  values_[field] = {{.value = Value::of_bool(value), .text = {}, .ip = {}}};
}

void FakeEvent::set_real(const std::string& field, double value) {
  values_[field] = {{.value = Value::of_real(value), .text = {}, .ip = {}}};
}

void FakeEvent::set_ip(const std::string& field, std::initializer_list<std::string> addresses) {
  std::vector<Stored>& row = values_[field];
  row.clear();
  for (const std::string& address : addresses)
    row.push_back({.value = Value::of_ip(nullptr), .text = {}, .ip = *parse_ip(address)});
}

EvalContext FakeEvent::context(Arena& scratch) const {
  return {.thread = reinterpret_cast<const state::Thread*>(this), .scratch = &scratch};
}

bool FakeEvent::extract(const std::string& field, Values& out) const {
  const auto found = values_.find(field);
  if (found == values_.end()) return false;
  for (const Stored& stored : found->second) {
    Value value = stored.value;
    if (value.kind == Value::Kind::text) value = Value::of_text(stored.text);
    if (value.kind == Value::Kind::ip) value = Value::of_ip(&stored.ip);
    out.add(value);
  }
  return true;
}

void FakeCatalog::add(const std::string& name, FieldInfo info, const std::string& source) {
  SAKER_ASSERT(slots_used < kSlots && catalog_ == nullptr);
  slot_names[slots_used] = name;
  info.name = slot_names[slots_used];
  info.extract = kExtractors[slots_used];
  ++slots_used;
  rows_[source].push_back(info);
}

const FieldCatalog& FakeCatalog::get() {
  if (catalog_ != nullptr) return *catalog_;
  std::vector<FieldClass> classes;
  for (const auto& [source, rows] : rows_)
    classes.push_back({.name = "fake", .source = source, .summary = {}, .fields = rows});
  catalog_ = std::make_unique<FieldCatalog>(std::move(classes));
  return *catalog_;
}

const FieldCatalog& small_catalog() {
  static FakeCatalog fake = [] {
    FakeCatalog rows;
    rows.add("evt.type", {});
    rows.add("evt.num", {.type = Type::uint64});
    rows.add("evt.time", {.flags = kTimeText});
    rows.add("evt.arg", {.arg = ArgRule::required});
    rows.add("evt.buffer", {.type = Type::bytes});
    rows.add("evt.is_io", {.type = Type::boolean});
    rows.add("evt.old", {.flags = kDeprecated});
    rows.add("evt.never", {.flags = kNotComputed});
    rows.add("evt.shown", {.flags = kPrintOnly});
    rows.add("proc.name", {.scope = Scope::process});
    rows.add("proc.pname", {.scope = Scope::process});
    rows.add("proc.exepath", {.type = Type::path, .scope = Scope::process});
    rows.add("proc.aname", {.arg = ArgRule::optional,
                            .many = Many::any,
                            .scope = Scope::process,
                            .flags = kNoRhs | kNoTransformer});
    rows.add("proc.pid", {.type = Type::int64, .scope = Scope::process});
    rows.add("proc.env", {.arg = ArgRule::optional, .scope = Scope::process});
    rows.add("user.uid", {.type = Type::uint32});
    rows.add("fd.name", {.type = Type::path});
    rows.add("fd.types", {.many = Many::list, .flags = kNoRhs});
    rows.add("fd.nums", {.type = Type::uint64, .many = Many::list});
    rows.add("fd.sip", {.type = Type::ip});
    rows.add("fd.cip", {.type = Type::ip});
    rows.add("fd.snet", {.type = Type::net, .flags = kFilterOnly | kNoRhs | kNoTransformer});
    rows.add(
        "fd.ip",
        {.type = Type::ip, .many = Many::either, .flags = kFilterOnly | kNoRhs | kNoTransformer});
    rows.add(
        "fd.port",
        {.type = Type::port, .many = Many::either, .flags = kFilterOnly | kNoRhs | kNoTransformer});
    rows.add("fd.sport", {.type = Type::port});
    rows.add("fd.sip.name", {.type = Type::hostname, .flags = kNoRhs | kNoTransformer});
    rows.add("fd.mode", {.type = Type::uint32, .print = Print::octal});
    rows.add("fd.flags", {.type = Type::int32, .print = Print::hex});
    rows.add("fd.frac", {.type = Type::uint64, .print = Print::padded9});
    rows.add("thread.cpu", {.type = Type::real});
    rows.add("proc.owner", {.type = Type::uid});
    rows.add("ka.verb", {}, "k8s_audit");
    return rows;
  }();
  return fake.get();
}

}  // namespace saker::filter
