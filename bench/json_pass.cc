// What reading an audit log costs at least: one thread, simdjson's forward reader, the fields that
// the analysis of audit logs is about, each event's text added up and thrown away.
#include <simdjson.h>

#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

namespace ondemand = simdjson::ondemand;

namespace {

size_t text_of(simdjson::simdjson_result<ondemand::value> value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? text.size() : 0;
}

size_t texts_of(simdjson::simdjson_result<ondemand::value> value) {
  size_t size = 0;
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return 0;
  for (auto item : array) {
    std::string_view text;
    if (item.get_string().get(text) == simdjson::SUCCESS) size += text.size();
  }
  return size;
}

// Keys in the order in which a server writes them.
size_t touch(ondemand::document& document) {
  size_t size = text_of(document["auditID"]) + text_of(document["stage"]) +
                text_of(document["requestURI"]) + text_of(document["verb"]);
  ondemand::object user;
  if (document["user"].get_object().get(user) == simdjson::SUCCESS)
    size += text_of(user["username"]) + texts_of(user["groups"]);
  size += texts_of(document["sourceIPs"]) + text_of(document["userAgent"]);
  ondemand::object object;
  if (document["objectRef"].get_object().get(object) == simdjson::SUCCESS)
    for (const char* key : {"resource", "namespace", "name", "apiGroup", "subresource"})
      size += text_of(object[key]);
  ondemand::object status;
  if (document["responseStatus"].get_object().get(status) == simdjson::SUCCESS) {
    int64_t code = 0;
    if (status["code"].get_int64().get(code) == simdjson::SUCCESS)
      size += static_cast<size_t>(code);
  }
  size += text_of(document["stageTimestamp"]);
  ondemand::object annotations;
  if (document["annotations"].get_object().get(annotations) == simdjson::SUCCESS)
    size += text_of(annotations["authorization.k8s.io/decision"]) +
            text_of(annotations["authorization.k8s.io/reason"]);
  return size;
}

// The whole lines of a block; what is behind them is the begin of the next.
size_t read_lines(ondemand::parser& parser, const char* begin, size_t size, size_t& events,
                  size_t& sum) {
  const char* line = begin;
  while (const void* stop = std::memchr(line, '\n', size - static_cast<size_t>(line - begin))) {
    const auto length = static_cast<size_t>(static_cast<const char*>(stop) - line);
    ondemand::document document;
    if (length != 0 &&
        parser.iterate(line, length, length + simdjson::SIMDJSON_PADDING).get(document) ==
            simdjson::SUCCESS) {
      sum += touch(document);
      ++events;
    }
    line = static_cast<const char*>(stop) + 1;
  }
  return static_cast<size_t>(line - begin);
}

}  // namespace

int main(int count, char** arguments) {
  constexpr size_t kBlock = size_t{256} * 1024, kLongest = size_t{64} * 1024 * 1024;
  std::FILE* log = count == 2 ? std::fopen(arguments[1], "rb") : nullptr;
  if (log == nullptr) {
    std::fprintf(stderr, "usage: json_pass AUDIT.log\n");
    return 2;
  }
  std::setvbuf(log, nullptr, _IONBF, 0);
  ondemand::parser parser;
  std::vector<char> block(kLongest + kBlock + simdjson::SIMDJSON_PADDING);
  size_t events = 0, sum = 0, carried = 0;
  while (carried < kLongest) {
    const size_t more = std::fread(block.data() + carried, 1, kBlock, log);
    if (more == 0) break;
    const size_t size = carried + more;
    const size_t used = read_lines(parser, block.data(), size, events, sum);
    carried = size - used;
    std::memmove(block.data(), block.data() + used, carried);
  }
  std::printf("%zu events, %zu\n", events, sum);
  return 0;
}
