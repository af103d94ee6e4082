// Digests and base64 by known values; certificates that are made are read again.
#include "net/digest.h"

#include <gtest/gtest.h>

#include <ctime>

#include "net/certificate.h"

namespace saker::net {
namespace {

TEST(Digest, KnownValues) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string_view("\0\xff", 2)), "AP8=");
}

TEST(Certificate, OneThatIsMadeIsForItsHostsAndHasItsKey) {
  const auto pair = make_server_certificate({"127.0.0.1", "::1", "audit.example"}, 30);
  ASSERT_TRUE(pair.ok()) << pair.error().to_text();
  const auto read = read_certificates(pair->certificate + pair->certificate);
  ASSERT_TRUE(read.ok()) << read.error().to_text();
  ASSERT_EQ(read->size(), 2U);
  const CertificateInfo& info = read->front();
  EXPECT_EQ(info.subject, "CN=saker audit webhook");
  EXPECT_EQ(info.names, (std::vector<std::string>{"127.0.0.1", "::1", "audit.example"}));
  const auto now = static_cast<uint64_t>(::time(nullptr));
  EXPECT_GT(info.not_after, now + 29 * 86400);
  EXPECT_LT(info.not_after, now + 31 * 86400);
  EXPECT_TRUE(check_key(pair->certificate, pair->key).ok());
  const auto other = make_server_certificate({"127.0.0.1"}, 30);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(check_key(pair->certificate, other->key).ok());
  EXPECT_FALSE(check_key(pair->key, pair->key).ok());
  EXPECT_FALSE(check_key(pair->certificate, "").ok());
}

TEST(Certificate, HostsAreComparedAsTlsDoes) {
  const CertificateInfo info{.names = {"*.example", "Audit.Host", "10.0.0.1"}};
  EXPECT_TRUE(is_for_host(info, "a.example"));
  EXPECT_TRUE(is_for_host(info, "audit.host"));
  EXPECT_TRUE(is_for_host(info, "10.0.0.1"));
  EXPECT_FALSE(is_for_host(info, "a.b.example"));
  EXPECT_FALSE(is_for_host(info, ".example"));
  EXPECT_FALSE(is_for_host(info, "example"));
}

TEST(Certificate, OtherTextIsNone) {
  EXPECT_FALSE(read_certificates("").ok());
  EXPECT_FALSE(
      read_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").ok());
  EXPECT_FALSE(make_server_certificate({"a,DNS:b"}, 1).ok());
}

TEST(Certificate, RandomTextIsOfItsLengthAndNew) {
  const auto one = random_hex(32), other = random_hex(32);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(one->size(), 64U);
  EXPECT_NE(*one, *other);
}

}  // namespace
}  // namespace saker::net
