// Extracting fields must not touch the heap once everything is warm. Counts calls of operator new.
#include <atomic>
#include <cstdlib>
#include <new>

#include "fields/test_driver.h"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

// Not inlined: the compiler would think that malloc and delete do not match.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace saker::fields {
namespace {

using namespace event;

class Allocations : public FieldTest {
 protected:
  // All fields that the event has, with the arguments that they like best. Extraction only: how a
  // value is printed is another room's.
  size_t count() {
    std::vector<filter::Operand> operands;
    for (const filter::FieldClass& group : catalog().classes()) {
      for (const filter::FieldInfo& field : group.fields) {
        if (field.has(filter::kNotComputed) || field.name == "static") continue;
        for (const char* argument : {"", "[1]", "[data]", "[openat]", "[/a]"}) {
          const std::string name = std::string(field.name) + argument;
          Result<filter::ParsedOperand> parsed = filter::parse_operand(name);
          if (!parsed.ok() || parsed->length != name.size()) continue;
          auto made = filter::compile_operand(parsed->operand, catalog(), "");
          if (made.ok()) operands.push_back(std::move(*made));
        }
      }
    }
    EXPECT_GT(operands.size(), 300u);
    EXPECT_GT(allocations, 300u) << "allocations are not counted";
    filter::Values values;
    size_t last = 0;
    for (int round = 0; round < 3; ++round) {
      context_.scratch->reset();
      const size_t before = allocations;
      for (const filter::Operand& operand : operands) {
        values.clear();
        operand.field.info->extract(context_, operand.field.arg, values);
        values.clear();
        if (operand.field.info->display != nullptr)
          operand.field.info->display(context_, operand.field.arg, values);
      }
      last = allocations - before;
    }
    return last;
  }
};

TEST_F(Allocations, NoneForSystemCalls) {
  process(1, 0, "init");
  process(5, 1, "sshd", "/home");
  for (int64_t pid = 6; pid < 16; ++pid) fork(pid - 1, pid);
  socket(15, 4, 2, 1).run();
  at(openat(15, 3, "some/relative/path"));
  EXPECT_EQ(count(), 0u);
  at(call(15, SYSCALL_READ_X).i64(5).bytes("abcde").i64(3).u32(100));
  EXPECT_EQ(count(), 0u);
}

TEST_F(Allocations, NoneForAuditEvents) {
  const TextRecord record(R"({"auditID":"1","verb":"get","requestURI":"/a?b=c%20d",
    "user":{"groups":["a","b","c","d","e","f"]},"requestObject":{"rules":[{"verbs":["get"]}],
    "subjects":[{"kind":"ServiceAccount","name":"n","namespace":"s"}],
    "spec":{"volumes":[{"name":"v","hostPath":{"path":"/a"}}],
    "containers":[{"name":"n","image":"i:1","command":["a","b"],"ports":[{"hostPort":1}],
    "securityContext":{"privileged":true}}]}}})");
  at_audit(record);
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace saker::fields
