// Host names: nobody is asked before a check needs an answer.
#include "filter/host_names.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "filter/testing.h"

namespace saker::filter {
namespace {

bool has_address(std::span<const IpNetwork> addresses, std::string_view text) {
  const Result<IpAddress> address = parse_ip(text);
  return std::ranges::any_of(addresses,
                             [&](const IpNetwork& network) { return network.contains(*address); });
}

TEST(HostNames, AreLookedUpWhenACheckNeedsThem) {
  const std::shared_ptr<HostName> name = host_name("127.0.0.2");
  const Result<CompiledFilter> filter =
      compile_text("proc.name = cat and fd.sip.name in (127.0.0.2, 127.0.0.3)");
  ASSERT_TRUE(filter.ok());
  EXPECT_FALSE(name->is_asked());

  FakeEvent event;
  event.set_ip("fd.sip.name", {"127.0.0.3"});
  event.set_text("proc.name", {"dog"});
  Arena scratch;
  EXPECT_FALSE(matches(filter->root, event.context(scratch)));
  EXPECT_FALSE(name->is_asked());

  event.set_text("proc.name", {"cat"});
  EXPECT_TRUE(matches(filter->root, event.context(scratch)));
  EXPECT_TRUE(name->is_asked());
  EXPECT_TRUE(has_address(name->addresses(), "127.0.0.2"));
  EXPECT_FALSE(has_address(name->addresses(), "127.0.0.3"));
}

TEST(HostNames, AreOneObjectAName) {
  const std::shared_ptr<HostName> name = host_name("127.0.0.4");
  EXPECT_EQ(name, host_name("127.0.0.4"));
  EXPECT_NE(name, host_name("127.0.0.5"));
}

TEST(HostNames, LookedUpAheadAreNotWaitedFor) {
  const std::shared_ptr<HostName> name = host_name("127.0.0.6");
  look_up_host_names_ahead();
  EXPECT_TRUE(name->is_asked());
  // Nothing at first, perhaps, and then the address.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (name->addresses().empty() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_TRUE(has_address(name->addresses(), "127.0.0.6"));
}

}  // namespace
}  // namespace saker::filter
