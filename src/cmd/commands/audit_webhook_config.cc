// saker audit webhook-config: the kubeconfig that has kube-apiserver send its audit events here.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "agent/config.h"
#include "audit/webhook_config.h"
#include "base/fd.h"
#include "base/strings.h"
#include "cmd/audit_host.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "net/certificate.h"
#include "net/digest.h"
#include "net/url.h"

namespace saker::cmd {

namespace {

constexpr size_t kLargestPem = size_t{1} << 20;
constexpr std::string_view kPlace = "127.0.0.1:9443";  // as docs/audit.md starts the receiver
constexpr unsigned kDays = 3650;  // nobody renews a certificate that two machines pin

struct Arguments {
  std::string server, server_name, authority, token, certificate, key, new_files, output;
  std::vector<std::string> config;
  bool insecure = false;
  bool configured = false;  // the receiver is in saker's configuration

  [[nodiscard]] bool wants_tls() const {
    return insecure || !authority.empty() || !token.empty() || !certificate.empty() ||
           !new_files.empty();
  }
};

void warn(const std::string& text) {
  std::fprintf(stderr, "saker: warning: %s\n", text.c_str());
}

Result<std::string> read_pem(const std::string& path, std::string_view what) {
  std::string text = SAKER_TRY(read_file(path, kLargestPem));
  if (what != "key" && text.contains("PRIVATE KEY"))
    return Error{.message = path + " holds a private key, and should be the " + std::string(what),
                 .hint = "give the file with the certificate alone"};
  return text;
}

void warn_of_end(const std::string& path, const net::CertificateInfo& certificate) {
  const auto now = static_cast<uint64_t>(::time(nullptr));
  constexpr uint64_t kSoon = uint64_t{30} * 86400;
  if (certificate.not_after < now)
    warn(path + " is no longer valid");
  else if (certificate.not_after < now + kSoon)
    warn(path + " is valid for less than 30 days more");
}

Result<std::string> authority_of(const std::string& path, const net::Url& url,
                                 const std::string& server_name) {
  const std::string pem = SAKER_TRY(read_pem(path, "authority's certificate"));
  const auto certificates = net::read_certificates(pem);
  if (!certificates.ok()) return Error{.message = path + ": " + certificates.error().message};
  for (const net::CertificateInfo& certificate : *certificates) warn_of_end(path, certificate);
  // One that has names is the server's own, pinned.
  const net::CertificateInfo& first = certificates->front();
  const std::string host = server_name.empty() ? url.host : server_name;
  if (certificates->size() == 1 && !first.names.empty() && !net::is_for_host(first, host))
    warn(path + " is for " + join(first.names, ", ") + ", not for " + host +
         ": kube-apiserver will refuse it (--server-name names another)");
  return net::base64(pem);
}

Status add_client(const Arguments& arguments, audit::WebhookConfig& config) {
  if (arguments.certificate.empty() != arguments.key.empty())
    return Error{.message = "--client-cert and --client-key go together"};
  if (!arguments.certificate.empty()) {
    const std::string certificate =
        SAKER_TRY(read_pem(arguments.certificate, "client's certificate"));
    const std::string key = SAKER_TRY(read_pem(arguments.key, "key"));
    if (Status pair = net::check_key(certificate, key); !pair.ok())
      return Error{.message = arguments.certificate + " and " + arguments.key + ": " +
                              pair.error().message};
    warn_of_end(arguments.certificate, SAKER_TRY(net::read_certificates(certificate)).front());
    config.client_certificate = net::base64(certificate);
    config.client_key = net::base64(key);
  }
  if (arguments.token.empty()) return {};
  const std::string text = SAKER_TRY(read_file(arguments.token, kLargestPem));
  config.token = trim(text);
  const bool plain =
      !config.token.empty() && std::all_of(config.token.begin(), config.token.end(),
                                           [](char c) { return c > ' ' && c < 0x7f; });
  if (plain) return {};
  return Error{.message = arguments.token + " holds no token: one word of printable characters"};
}

void warn_of_place(const net::Url& url) {
  if (url.host.ends_with(".svc") || url.host.ends_with(".cluster.local"))
    warn(url.host +
         " is a name inside the cluster, which kube-apiserver can't look up: give a "
         "cluster IP, a node's address or 127.0.0.1");
  if (!url.tls && !net::is_loopback(url.host))
    warn("events would travel unencrypted to " + url.host);
}

// Where kube-apiserver finds the receiver of the configuration.
Result<std::string> server_of(const std::string& listen, bool tls) {
  const net::HostPort place = SAKER_TRY(net::parse_host_port(listen));
  if (place.host.empty() || place.host == "0.0.0.0" || place.host == "::")
    return Error{
        .message = "the receiver of the configuration listens on all addresses",
        .hint = "say by which kube-apiserver reaches it: -c FILE --server https://ADDRESS:" +
                std::to_string(place.port)};
  const std::string host = place.host.contains(':') ? "[" + place.host + "]" : place.host;
  return std::string(tls ? "https://" : "http://") + host + ":" + std::to_string(place.port);
}

// What no option says comes from the configuration, when that has a receiver.
Status add_configuration(Arguments& arguments) {
  const bool elsewhere = !arguments.server.empty() && arguments.config.empty();
  if (!arguments.new_files.empty() || elsewhere) return {};
  const agent::LoadedConfig loaded = agent::load_config(
      arguments.config.empty() ? agent::default_config_files() : arguments.config, {});
  if (!loaded.ok()) return loaded.errors.front().error;
  const auto& webhook = loaded.config.audit.webhook;
  if (webhook.listen.empty()) {
    if (arguments.config.empty()) return {};
    return Error{.message = arguments.config.front() + " has no receiver (audit.webhook.listen)"};
  }
  if (arguments.server.empty())
    arguments.server = SAKER_TRY(server_of(webhook.listen, !webhook.certificate_file.empty()));
  arguments.configured = true;
  if (arguments.authority.empty() && !arguments.insecure)
    arguments.authority = webhook.certificate_file;
  if (arguments.token.empty()) arguments.token = webhook.token_file;
  if (!webhook.client_ca_file.empty() && arguments.certificate.empty())
    warn("the receiver asks for a client certificate: --client-cert, --client-key");
  return {};
}

// How the receiver is started that these options fit; what only its owner knows in capitals.
std::string receiver_command(const Arguments& arguments, const net::Url& url) {
  if (arguments.configured) return "saker run, by its configuration";
  const std::string host = url.host.contains(':') ? "[" + url.host + "]" : url.host;
  std::string out = "saker run --audit-webhook " + host + ":" + std::to_string(url.port);
  const std::string& folder = arguments.new_files;
  if (!folder.empty())
    out += " --audit-webhook-cert " + folder + "/webhook.crt --audit-webhook-key " + folder +
           "/webhook.key";
  else if (url.tls)
    out += " --audit-webhook-cert CERTIFICATE --audit-webhook-key KEY";
  if (!arguments.token.empty()) out += " --audit-webhook-token " + arguments.token;
  if (!arguments.certificate.empty()) out += " --audit-webhook-client-ca AUTHORITY";
  return out;
}

// Makes the receiver's certificate, key and token, or takes those that are there.
Status make_files(const net::Url& url, Arguments& arguments) {
  const std::string& folder = arguments.new_files;
  arguments.authority = folder + "/webhook.crt";
  arguments.token = folder + "/webhook.token";
  const std::string key = folder + "/webhook.key";
  size_t there = 0;
  struct stat info{};
  for (const std::string* path :
       {&std::as_const(arguments.authority), &key, &std::as_const(arguments.token)})
    there += ::stat(path->c_str(), &info) == 0 ? 1U : 0U;
  if (there == 3) return {};
  if (there != 0)
    return Error{.message = folder + " holds some of webhook.crt, webhook.key and webhook.token",
                 .hint = "remove them, or name another folder"};
  const net::CertificatePair pair = SAKER_TRY(net::make_server_certificate({url.host}, kDays));
  const std::string token = SAKER_TRY(net::random_hex(32));
  SAKER_CHECK(make_folders(folder, 0700));
  SAKER_CHECK(write_host_file(arguments.authority, pair.certificate));
  SAKER_CHECK(write_host_file(key, pair.key));
  return write_host_file(arguments.token, token + "\n");
}

// The address and what goes with it fit together.
Result<net::Url> check_address(const Arguments& arguments) {
  net::Url url = SAKER_TRY(net::parse_url(arguments.server));
  if (!url.user.empty() || !url.password.empty())
    return Error{.message = "--server takes no login: give a token with --token-file"};
  const bool only_token = !arguments.insecure && arguments.authority.empty() &&
                          arguments.certificate.empty() && arguments.new_files.empty();
  const bool local = net::is_loopback(url.host);
  if (!url.tls && arguments.wants_tls() && !(only_token && local))
    return Error{.message = "certificates and tokens need TLS: --server https://…"};
  if (arguments.insecure && !arguments.authority.empty())
    return Error{.message = "--insecure and --ca exclude each other"};
  if (!arguments.new_files.empty() &&
      (!arguments.authority.empty() || !arguments.token.empty() || arguments.insecure))
    return Error{.message =
                     "--new makes the certificate and the token: leave out --ca, "
                     "--token-file and --insecure"};
  return url;
}

Result<int> run(Arguments arguments) {
  SAKER_CHECK(add_configuration(arguments));
  const std::string scheme = arguments.wants_tls() ? "https://" : "http://";
  if (arguments.server.empty()) arguments.server = scheme + std::string(kPlace);
  const net::Url url = SAKER_TRY(check_address(arguments));
  if (!arguments.new_files.empty()) SAKER_CHECK(make_files(url, arguments));
  audit::WebhookConfig config{.server = arguments.server,
                              .server_name = arguments.server_name,
                              .insecure = arguments.insecure};
  if (!arguments.authority.empty())
    config.authority = SAKER_TRY(authority_of(arguments.authority, url, arguments.server_name));
  SAKER_CHECK(add_client(arguments, config));
  warn_of_place(url);
  const std::string text = audit::write_webhook_config(config);
  if (arguments.output.empty()) {
    print(text);
  } else {
    SAKER_CHECK(replace_file(arguments.output, text));
    std::fprintf(stderr, "Written: %s (mode 0600)\n", arguments.output.c_str());
  }
  std::fprintf(stderr, "The receiver: %s\n", receiver_command(arguments, url).c_str());
  std::fprintf(stderr, "Then, on each control-plane node: saker audit install --webhook=%s\n",
               arguments.output.empty() ? "FILE" : arguments.output.c_str());
  return kExitOk;
}

Invocation prepare() {
  auto arguments = std::make_shared<Arguments>();
  return {
      .options = {{.names = "--server",
                   .value_name = "URL",
                   .help = "Where the events are to go (127.0.0.1:9443; https with any of the "
                           "options below, else http)",
                   .text = &arguments->server},
                  {.names = "-c,--config",
                   .value_name = "FILE",
                   .help =
                       "saker's configuration (/etc/saker/saker.yaml), whose receiver is meant, "
                       "with its certificate and token",
                   .list = &arguments->config},
                  {.names = "--new",
                   .value_name = "DIR",
                   .help = "Make the receiver's certificate, key and token there, or use those "
                           "that are there",
                   .text = &arguments->new_files},
                  {.names = "--ca",
                   .value_name = "FILE",
                   .help = "Authority of the receiver's certificate, or that itself (PEM)",
                   .text = &arguments->authority},
                  {.names = "--token-file",
                   .value_name = "FILE",
                   .help = "The token that the receiver asks for",
                   .text = &arguments->token},
                  {.names = "--client-cert",
                   .value_name = "FILE",
                   .help = "The client certificate that the receiver asks for (PEM)",
                   .text = &arguments->certificate},
                  {.names = "--client-key",
                   .value_name = "FILE",
                   .help = "Its key (PEM)",
                   .text = &arguments->key},
                  {.names = "--server-name",
                   .value_name = "NAME",
                   .help = "The name that the receiver's certificate is for, when it is not the "
                           "URL's host",
                   .text = &arguments->server_name},
                  {.names = "--insecure",
                   .help = "Don't check the receiver's certificate",
                   .flag = &arguments->insecure},
                  {.names = "-o,--output",
                   .value_name = "FILE",
                   .help = "Write there, readable by its owner alone, instead of printing",
                   .text = &arguments->output}},
      .run = [arguments] { return run(*arguments); }};
}

}  // namespace

extern const Command audit_webhook_config_descriptor;
const Command audit_webhook_config_descriptor = {
    .path = "audit webhook-config",
    .summary = "The kubeconfig by which kube-apiserver sends its audit events to saker",
    .description =
        "For kube-apiserver's --audit-webhook-config-file. Certificates, keys and tokens are put "
        "into the file itself.\n"
        "  saker audit webhook-config --new /etc/saker/audit -o webhook.yaml\n"
        "  saker audit webhook-config --server https://10.0.0.4:9443 --ca ca.crt --token-file "
        "token\n"
        "On stderr it says how the receiver is started.",
    .prepare = prepare,
};

}  // namespace saker::cmd
