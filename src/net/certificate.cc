#include "net/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "base/strings.h"

namespace saker::net {

namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

Bio reader_of(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(std::max(size, 0L))};
}

std::string text_of(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return text_of(out.get());
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (ASN1_STRING_length(address) != 4 && ASN1_STRING_length(address) != 16) return {};
  ::inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

CertificateInfo info_of(const X509* certificate) {
  CertificateInfo info{.subject = text_of(X509_get_subject_name(certificate))};
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1)
    info.not_after = static_cast<uint64_t>(std::max<time_t>(::timegm(&end), 0));
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS)
      info.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                              static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) info.names.push_back(address_text(name->d.iPAddress));
  }
  return info;
}

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

// "IP:127.0.0.1,DNS:audit.example"; a comma in a host would begin another.
Result<std::string> alternative_names(const std::vector<std::string>& hosts) {
  std::string out;
  for (const std::string& host : hosts) {
    if (host.empty() || host.find_first_of(",\n ") != std::string::npos)
      return Error{.message = "no host name: " + host};
    out += (out.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
  }
  return out;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::string& names, unsigned days) {
  uint8_t serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return false;
  serial[0] &= 0x7f;
  constexpr long kDay = 24L * 60 * 60;
  const auto* common_name = reinterpret_cast<const unsigned char*>("saker audit webhook");
  X509_NAME* subject = X509_get_subject_name(certificate);
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kDay * static_cast<long>(days)) !=
             nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         add_extension(certificate, NID_subject_alt_name, names) &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

Key key_of(std::string_view pem) {
  // Without a pass phrase there is nothing to ask for.
  return Key(PEM_read_bio_PrivateKey(
      reader_of(pem).get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
}

}  // namespace

Result<std::vector<CertificateInfo>> read_certificates(std::string_view pem) {
  std::vector<CertificateInfo> out;
  const Bio bio = reader_of(pem);
  while (const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
    out.push_back(info_of(certificate.get()));
  if (out.empty())
    return Error{.message = "no certificate in it (PEM: -----BEGIN CERTIFICATE-----)"};
  return out;
}

Status check_key(std::string_view certificate_pem, std::string_view key_pem) {
  const Certificate certificate(
      PEM_read_bio_X509(reader_of(certificate_pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Error{.message = "no certificate (PEM)"};
  const Key key = key_of(key_pem);
  if (key == nullptr) return Error{.message = "no key without a pass phrase (PEM)"};
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return Error{.message = "the key is not that of the certificate"};
  return {};
}

bool is_for_host(const CertificateInfo& certificate, std::string_view host) {
  return std::any_of(certificate.names.begin(), certificate.names.end(),
                     [&](const std::string& name) {
                       if (to_lower(name) == to_lower(host)) return true;
                       const size_t dot = host.find('.');
                       return name.starts_with("*.") && dot != std::string_view::npos && dot > 0 &&
                              to_lower(name.substr(1)) == to_lower(host.substr(dot));
                     });
}

Result<CertificatePair> make_server_certificate(const std::vector<std::string>& hosts,
                                                unsigned days) {
  const std::string names = SAKER_TRY(alternative_names(hosts));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  const Bio certificate_out(BIO_new(BIO_s_mem())), key_out(BIO_new(BIO_s_mem()));
  const bool made = key != nullptr && certificate != nullptr && certificate_out != nullptr &&
                    key_out != nullptr && fill(certificate.get(), key.get(), names, days) &&
                    PEM_write_bio_X509(certificate_out.get(), certificate.get()) == 1 &&
                    PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                             nullptr) == 1;
  if (!made) return Error{.message = "cannot make a certificate for " + names};
  return CertificatePair{.certificate = text_of(certificate_out.get()),
                         .key = text_of(key_out.get())};
}

Result<std::string> random_hex(size_t bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<uint8_t> data(bytes);
  if (RAND_bytes(data.data(), static_cast<int>(bytes)) != 1)
    return Error{.code = Code::io, .message = "the system gives no random bytes"};
  std::string out;
  for (const uint8_t byte : data) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace saker::net
