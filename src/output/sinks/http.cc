// A webhook: each finding is one POST of a JSON object. Delivered at least once: an answer that got
// lost makes the finding go out again.
#include <optional>

#include "net/http_client.h"
#include "output/format.h"
#include "output/sink.h"

namespace saker::output {

namespace {

constexpr SinkOption kOptions[] = {
    {.name = "url", .summary = "Where to POST, http or https"},
    {.name = "format",
     .kind = OptionKind::choice,
     .default_value = "json",
     .summary = "Body: a JSON object, or the line for people as text/plain",
     .choices = "auto|text|json"},
    {.name = "headers",
     .kind = OptionKind::list,
     .summary = "Further headers, as 'Authorization: Bearer ${TOKEN}'"},
    {.name = "user_agent", .default_value = "saker/" SAKER_VERSION, .summary = "User-Agent"},
    {.name = "ca_file", .summary = "PEM file of CAs to trust instead of the system's"},
    {.name = "ca_folder", .summary = "Hashed folder of CAs to trust instead of the system's"},
    {.name = "certificate_file", .summary = "Client certificate (PEM)"},
    {.name = "key_file", .summary = "Key of the client certificate (PEM)"},
    {.name = "insecure",
     .kind = OptionKind::boolean,
     .default_value = "false",
     .summary = "Accept any server certificate"},
    {.name = "connect_timeout",
     .kind = OptionKind::duration,
     .default_value = "3s",
     .summary = "Limit for making a connection"},
    {.name = "timeout",
     .kind = OptionKind::duration,
     .default_value = "10s",
     .summary = "Limit for a whole request"},
    {.name = "retry_for",
     .kind = OptionKind::duration,
     .default_value = "5m",
     .summary = "How long a finding is tried again, with growing pauses, before it is dropped"},
    {.name = "retry_wait",
     .kind = OptionKind::duration,
     .default_value = "500ms",
     .summary = "First pause before a retry; doubles up to 30 s"},
};

Result<net::Headers> parse_headers(std::span<const std::string> lines) {
  net::Headers headers;
  for (const std::string& line : lines) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos)
      return Error{.message = "a header of the http output has no colon"};  // it may be a secret
    const size_t value = line.find_first_not_of(' ', colon + 1);
    headers.emplace_back(line.substr(0, colon),
                         value == std::string::npos ? std::string() : line.substr(value));
  }
  return headers;
}

bool worth_a_retry(int status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

class HttpSink : public Sink {
 public:
  HttpSink(net::HttpClient client, const SinkSettings& settings)
      : client_(std::move(client)),
        json_(settings.json),
        format_(choose_format(settings, true)),
        retry_{.first_wait = settings.duration("retry_wait"),
               .give_up_after = settings.duration("retry_for")} {}

  // One at a time, so that a failure is about one finding.
  Delivery deliver(std::span<const SharedFinding> batch) override {
    const finding::Finding& finding = *batch.front();
    const bool json = format_ == Format::json;
    const std::string body = json ? finding::to_json(finding, json_) : safe_line(finding, json_);
    Result<net::HttpReply> reply = client_.post(body, json ? "application/json" : "text/plain");
    if (!reply.ok()) {
      Error error = std::move(reply).error();
      if (error.code == Code::denied) error.code = Code::busy;  // certificates get renewed
      return {.status = std::move(error)};
    }
    if (reply->status >= 200 && reply->status < 300) return {.done = 1};
    return {.status = Error{.code = worth_a_retry(reply->status) ? Code::busy : Code::invalid,
                            .message = "the server answered " + std::to_string(reply->status)}};
  }

  [[nodiscard]] RetryPolicy retry_policy() const override { return retry_; }
  void cancel() override { client_.cancel(); }

 private:
  net::HttpClient client_;
  finding::JsonOptions json_;
  Format format_;
  RetryPolicy retry_;
};

Result<std::unique_ptr<Sink>> open(const SinkSettings& settings) {
  if (settings.text("url").empty()) return Error{.message = "the http output needs a url"};
  net::HttpClientOptions options{
      .connect_timeout = settings.duration("connect_timeout"),
      .timeout = settings.duration("timeout"),
      .tls = {.ca_file = std::string(settings.text("ca_file")),
              .ca_folder = std::string(settings.text("ca_folder")),
              .certificate_file = std::string(settings.text("certificate_file")),
              .key_file = std::string(settings.text("key_file")),
              .insecure = settings.flag("insecure")},
      .user_agent = std::string(settings.text("user_agent")),
      .headers = SAKER_TRY(parse_headers(settings.list("headers"))),
  };
  net::HttpClient client = SAKER_TRY(net::HttpClient::open(settings.text("url"), options));
  return std::unique_ptr<Sink>(std::make_unique<HttpSink>(std::move(client), settings));
}

}  // namespace

extern const SinkInfo http_descriptor;
const SinkInfo http_descriptor = {
    .name = "http",
    .summary = "POST to a webhook",
    .options = kOptions,
    .enabled = false,
    .open = open,
};

}  // namespace saker::output
