// Values that fields have, and the types of fields.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::filter {

enum class Type : uint8_t {
  boolean,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  real,
  port,      // uint16; constants may be service names
  reltime,   // ns, uint64
  abstime,   // ns since the epoch, uint64
  text,      // C string
  path,      // C string that is a path
  bytes,     // byte buffer
  ip,        // address; constants are addresses
  net,       // address; constants are networks
  hostname,  // address, shown by name; constants are host names, resolved when compiled
  uid,       // uint32 that conditions can't compare
};
bool is_number(Type type);  // integers, port, times, real
bool is_text(Type type);    // text, path
std::string_view to_string(Type type);

struct IpAddress {
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 in the first four
  bool v6 = false;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};
Result<IpAddress> parse_ip(std::string_view text);
std::string to_text(const IpAddress& address);

struct IpNetwork {
  IpAddress address;
  uint8_t prefix = 0;

  [[nodiscard]] bool contains(const IpAddress& ip) const;
};
Result<IpNetwork> parse_network(std::string_view text);

// A value of a field for one event. Text is a view into the event, the state or the context's
// scratch arena.
struct Value {
  enum class Kind : uint8_t {
    boolean,
    integer,
    unsigned_integer,
    real,
    text,
    ip
  } kind = Kind::boolean;
  union {
    bool boolean;
    int64_t integer;
    uint64_t unsigned_integer = 0;
    double real;
    const char* data;
    const IpAddress* ip;  // points into the state or the scratch arena
  };
  size_t size = 0;  // of text

  [[nodiscard]] std::string_view text() const { return {data, size}; }

  static Value of_bool(bool b) {
    Value v;
    v.kind = Kind::boolean;
    v.unsigned_integer = b ? 1 : 0;
    return v;
  }
  static Value of_int(int64_t i) {
    Value v;
    v.kind = Kind::integer;
    v.integer = i;
    return v;
  }
  static Value of_uint(uint64_t u) {
    Value v;
    v.kind = Kind::unsigned_integer;
    v.unsigned_integer = u;
    return v;
  }
  static Value of_real(double d) {
    Value v;
    v.kind = Kind::real;
    v.real = d;
    return v;
  }
  static Value of_text(std::string_view t) {
    Value v;
    v.kind = Kind::text;
    v.data = t.data();
    v.size = t.size();
    return v;
  }
  static Value of_ip(const IpAddress* address) {
    Value v;
    v.kind = Kind::ip;
    v.ip = address;
    return v;
  }
};

// The values that an extractor gives: one for single fields, any number for lists. Reused; warm, it
// allocates nothing.
class Values {
 public:
  void clear() { count_ = 0; }
  void add(Value value) {
    if (count_ < inline_.size()) {
      inline_[count_++] = value;
      return;
    }
    spill(value);
  }
  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::span<const Value> span() const {
    return count_ <= inline_.size() ? std::span<const Value>(inline_.data(), count_)
                                    : std::span<const Value>(overflow_.data(), count_);
  }
  const Value& operator[](size_t index) const { return span()[index]; }

 private:
  void spill(Value value) {
    if (count_ == inline_.size()) overflow_.assign(inline_.begin(), inline_.end());
    overflow_.resize(count_);
    overflow_.push_back(value);
    ++count_;
  }

  std::array<Value, 4> inline_;
  std::vector<Value> overflow_;
  size_t count_ = 0;
};

}  // namespace saker::filter
