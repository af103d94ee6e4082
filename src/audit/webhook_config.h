// The kubeconfig by which kube-apiserver sends its audit events (--audit-webhook-config-file).
#pragma once

#include <string>

namespace saker::audit {

struct WebhookConfig {
  std::string server;       // URL
  std::string server_name;  // that its certificate is for, when it is not the URL's host
  // Base64 of PEM text, as the file has it; empty: none.
  std::string authority, client_certificate, client_key;
  std::string token;
  bool insecure = false;  // the server's certificate is not checked
};

std::string write_webhook_config(const WebhookConfig& config);

}  // namespace saker::audit
