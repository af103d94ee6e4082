// X.509 certificates and keys as PEM text: looking at them, and making one. Facade over OpenSSL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::net {

struct CertificateInfo {
  std::string subject;             // "CN=audit.example"
  std::vector<std::string> names;  // DNS names and addresses that it is for
  uint64_t not_after = 0;          // seconds since the epoch
};

// All certificates of a text, of which there must be one at least.
Result<std::vector<CertificateInfo>> read_certificates(std::string_view pem);

// Whether the key, without a pass phrase, is that of the first certificate.
Status check_key(std::string_view certificate_pem, std::string_view key_pem);

// The name or address is one that the certificate is for; "*" stands for one label.
bool is_for_host(const CertificateInfo& certificate, std::string_view host);

struct CertificatePair {
  std::string certificate, key;  // PEM
};

// A certificate that is its own authority, for a server at these names and addresses, with a new
// P-256 key.
Result<CertificatePair> make_server_certificate(const std::vector<std::string>& hosts,
                                                unsigned days);

// So many random bytes from the system, as lower-case hex.
Result<std::string> random_hex(size_t bytes);

}  // namespace saker::net
