// Old events and what becomes of them.
#include "capture/scap/converter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace saker::capture::scap {
namespace {

using event::Event;
using Outcome = Converter::Outcome;

std::string u32(uint32_t value) {
  return {reinterpret_cast<char*>(&value), sizeof value};
}
std::string u64(uint64_t value) {
  return {reinterpret_cast<char*>(&value), sizeof value};
}

class Conversion : public testing::Test {
 protected:
  Outcome convert(uint16_t type, const std::vector<std::string>& params, int64_t tid = 5) {
    encoder_.begin(99, tid, type);
    for (const std::string& param : params) encoder_.add(as_bytes(param));
    EXPECT_TRUE(Event::decode_into(event, encoder_.finish(), 2));
    event.number = 17;
    return converter_.convert(event);
  }
  std::vector<std::string> params() const {
    std::vector<std::string> list;
    for (size_t i = 0; i < event.param_count; ++i) list.emplace_back(as_text(event.param(i)));
    return list;
  }
  using List = std::vector<std::string>;

  Event event;

 private:
  event::Encoder encoder_;
  Converter converter_;
};

TEST_F(Conversion, enterEventsAreFoldedIntoTheirExits) {
  EXPECT_EQ(convert(event::SYSCALL_READ_E, {u64(3), u32(100)}), Outcome::folded);
  EXPECT_EQ(convert(event::SYSCALL_READ_E, {u64(4), u32(200)}, 6), Outcome::folded);
  ASSERT_EQ(convert(event::SYSCALL_READ_X, {u64(2), "ab"}), Outcome::deliver);
  EXPECT_EQ(params(), (List{u64(2), "ab", u64(3), u32(100)}));
  EXPECT_EQ(event.timestamp, 99U);
  EXPECT_EQ(event.tid, 5);
  EXPECT_EQ(event.cpu, 2);
  EXPECT_EQ(event.number, 17U);
  // Used once, gone: zeros of the types' sizes.
  ASSERT_EQ(convert(event::SYSCALL_READ_X, {u64(2), "ab"}), Outcome::deliver);
  EXPECT_EQ(params(), (List{u64(2), "ab", u64(0), u32(0)}));
  ASSERT_EQ(convert(event::SYSCALL_READ_X, {u64(2), "ab"}, 6), Outcome::deliver);
  EXPECT_EQ(params(), (List{u64(2), "ab", u64(4), u32(200)}));
}

TEST_F(Conversion, anotherEnterEventDoesNotCount) {
  EXPECT_EQ(convert(event::SYSCALL_WRITE_E, {u64(3), u32(100)}), Outcome::folded);
  ASSERT_EQ(convert(event::SYSCALL_UNLINK_X, {u64(0)}), Outcome::deliver);
  EXPECT_EQ(event.type, event::SYSCALL_UNLINK_2_X);
  EXPECT_EQ(params(), (List{u64(0), ""}));
}

TEST_F(Conversion, todaysEventsPassUntouched) {
  ASSERT_EQ(convert(event::SYSCALL_READ_X, {u64(2), "ab", u64(3), u32(9)}), Outcome::deliver);
  EXPECT_EQ(event.param_count, 4);
  ASSERT_EQ(convert(event::SYSCALL_READ_X, {u64(2), "ab", u64(3), u32(9), "new"}),
            Outcome::deliver);
  EXPECT_EQ(event.param_count, 4);  // a parameter of a later day
  ASSERT_EQ(convert(event::PROCEXIT_1_E, {u64(1)}), Outcome::deliver);
  EXPECT_EQ(event.param_count, 1);
  EXPECT_EQ(convert(event::PROCEXIT_X, {}), Outcome::folded);  // no longer used
  EXPECT_EQ(convert(event::SOCKET_ACCEPT_E, {}),
            Outcome::folded);  // an old enter event without a use
  EXPECT_EQ(convert(event::SYSCALL_READ_X, {u64(2)}), Outcome::no_rule);
}

TEST_F(Conversion, entersThatAreKeptPassToo) {
  ASSERT_EQ(convert(event::SYSCALL_OPEN_E, {}), Outcome::deliver);
  EXPECT_EQ(params(), (List{"", "", ""}));
  ASSERT_EQ(convert(event::SYSCALL_EXECVE_8_E, {}), Outcome::deliver);
  EXPECT_EQ(event.type, event::SYSCALL_EXECVE_19_E);
  EXPECT_EQ(params(), (List{""}));
  ASSERT_EQ(convert(event::SYSCALL_EXECVE_18_E, {"/bin/x"}), Outcome::deliver);
  EXPECT_EQ(event.type, event::SYSCALL_EXECVE_19_E);
}

TEST_F(Conversion, executionsOfAllAgesBecomeTodays) {
  convert(event::SYSCALL_EXECVE_18_E, {"/bin/x"});
  List old;
  for (int i = 0; i < 17; ++i) old.push_back(std::string(1, static_cast<char>('a' + i)));
  ASSERT_EQ(convert(event::SYSCALL_EXECVE_18_X, old), Outcome::deliver);
  EXPECT_EQ(event.type, event::SYSCALL_EXECVE_19_X);
  ASSERT_EQ(event.param_count, event.info().params.size());
  List expected = old;
  expected.resize(30);
  expected.push_back("/bin/x");
  EXPECT_EQ(params(), expected);

  old.resize(8);
  ASSERT_EQ(convert(event::SYSCALL_EXECVE_8_X, old), Outcome::deliver);
  EXPECT_EQ(event.type, event::SYSCALL_EXECVE_19_X);
  EXPECT_EQ(event.param_count, 31);
  EXPECT_EQ(params()[7], "h");
}

TEST_F(Conversion, forksGetTheirNewParametersBeforeTheLast) {
  List old;
  for (int i = 0; i < 11; ++i) old.push_back(std::string(4, static_cast<char>('a' + i)));
  ASSERT_EQ(convert(event::SYSCALL_CLONE_11_X, old), Outcome::deliver);
  EXPECT_EQ(event.type, event::SYSCALL_CLONE_20_X);
  ASSERT_EQ(event.param_count, event.info().params.size());
  const List now = params();
  EXPECT_EQ(now[7], "hhhh");
  EXPECT_EQ(now[15], "iiii");  // flags
  EXPECT_EQ(now[16], "jjjj");
  EXPECT_EQ(now[17], "kkkk");
}

TEST_F(Conversion, aConnectTakesOneParameterOfItsEnterEvent) {
  ASSERT_EQ(convert(event::SOCKET_CONNECT_E, {u64(3), "address"}), Outcome::deliver);
  ASSERT_EQ(convert(event::SOCKET_CONNECT_X, {u64(0), "tuple"}), Outcome::deliver);
  // The first round uses the enter event up, as the reference does.
  EXPECT_EQ(params(), (List{u64(0), "tuple", u64(3), ""}));
  ASSERT_EQ(convert(event::SOCKET_CONNECT_E, {u64(3), "address"}), Outcome::deliver);
  ASSERT_EQ(convert(event::SOCKET_CONNECT_X, {u64(0), "tuple", u64(3)}), Outcome::deliver);
  EXPECT_EQ(params(), (List{u64(0), "tuple", u64(3), "address"}));
}

TEST_F(Conversion, copiesAreCutToTheNewSize) {
  EXPECT_EQ(convert(event::SOCKET_ACCEPT4_E, {u32(0x01020304)}), Outcome::folded);
  ASSERT_EQ(convert(event::SOCKET_ACCEPT4_X, {u64(4), "t", u32(7)}), Outcome::deliver);
  EXPECT_EQ(event.type, event::SOCKET_ACCEPT4_6_X);
  const size_t queue = event::fixed_size(event.info().params[2].type);
  EXPECT_EQ(params()[2], u32(7).substr(0, queue));
  EXPECT_LT(queue, 4U);
}

TEST_F(Conversion, theOldestContainerEventBecomesJson) {
  ASSERT_EQ(convert(event::CONTAINER_E, {std::string("0123456789ab\0", 13), u32(7),
                                         std::string("we\"b\n\0", 6), std::string("nginx\0", 6)}),
            Outcome::deliver);
  EXPECT_EQ(event.type, event::CONTAINER_JSON_2_E);
  EXPECT_EQ(event.text(0),
            R"({"container":{"id":"0123456789ab","type":7,"name":"we\"b\u000a","image":"nginx"}})");
}

TEST_F(Conversion, entersOfManyThreadsStayWithinBounds) {
  const std::string path(60'000, 'p');
  for (int64_t tid = 0; tid < 500; ++tid)
    ASSERT_EQ(convert(event::SYSCALL_UNLINK_E, {path}, tid), Outcome::folded);
  ASSERT_EQ(convert(event::SYSCALL_UNLINK_X, {u64(0)}, 499), Outcome::deliver);
  EXPECT_EQ(params()[1], path);
  ASSERT_EQ(convert(event::SYSCALL_UNLINK_X, {u64(0)}, 0), Outcome::deliver);
  EXPECT_EQ(params()[1], "");  // forgotten
}

// Whatever type and number of parameters comes: an answer, and never an old event delivered.
TEST_F(Conversion, everyTypeWithEveryNumberOfParameters) {
  for (const event::EventInfo& info : event::all_events())
    for (size_t count = 0; count <= info.params.size() + 2 && count <= event::kMaxParams; ++count) {
      const Outcome outcome = convert(info.code, List(count, "12345678"));
      if (outcome != Outcome::deliver) continue;
      EXPECT_FALSE(event.info().has(event::Unused)) << info.identifier;
      // These enter events are marked as old, but kept: they fill what their exits lack.
      const bool kept =
          event.type == event::SYSCALL_EXECVE_19_E || event.type == event::SYSCALL_EXECVEAT_E;
      EXPECT_TRUE(kept || !event.info().has(event::OldVersion)) << info.identifier << " " << count;
      EXPECT_TRUE(!event.info().has(event::ConverterManaged) ||
                  event.param_count == event.info().params.size())
          << info.identifier << " " << count;
    }
}

}  // namespace
}  // namespace saker::capture::scap
