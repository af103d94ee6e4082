#include "net/url.h"

#include <gtest/gtest.h>

namespace saker::net {
namespace {

TEST(Url, TakesApart) {
  Url url = parse_url("https://user:pa@ss@example.org:8443/a/b?c=d#part").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/a/b?c=d");
  EXPECT_EQ(url.user, "user");
  EXPECT_EQ(url.password, "pa@ss");
}

TEST(Url, Defaults) {
  EXPECT_EQ(parse_url("http://h")->port, 80);
  EXPECT_EQ(parse_url("HTTPS://h")->port, 443);
  EXPECT_EQ(parse_url("http://h")->target, "/");
  EXPECT_EQ(parse_url("http://h?x")->target, "/?x");
  EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/")->port, 81);
}

TEST(Url, Refuses) {
  for (const char* bad :
       {"", "ftp://h", "h", "http://", "http:///x", "http://h:99999", "http://h:x", "http://a b",
        "http://h/\r\nX: y", "http://[::1", "http://[zz]/", "http://::1/", "http://h:-1"}) {
    EXPECT_FALSE(parse_url(bad).ok()) << bad;
  }
}

TEST(Url, Listen) {
  EXPECT_EQ(parse_host_port("127.0.0.1:0")->port, 0);
  EXPECT_EQ(parse_host_port("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_host_port(":80")->host, "0.0.0.0");
  for (const char* bad : {"", "80", "h:", "[::1]", "h:70000", "h: 80", "::1:80"})
    EXPECT_FALSE(parse_host_port(bad).ok()) << bad;
}

TEST(Url, Loopback) {
  for (const char* yes : {"127.0.0.1", "127.9.8.7", "::1", "LocalHost"})
    EXPECT_TRUE(is_loopback(yes)) << yes;
  for (const char* no :
       {"0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.org", "localhost.evil.org", ""})
    EXPECT_FALSE(is_loopback(no)) << no;
}

}  // namespace
}  // namespace saker::net
