// Reading little-endian integers and length-prefixed strings out of untrusted bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace saker {

using Bytes = std::span<const uint8_t>;

// An unaligned load; the caller has checked that sizeof(T) bytes are there.
template <typename T>
  requires std::is_trivially_copyable_v<T>
inline T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The text up to the first NUL (a C string that sits in a length-prefixed parameter).
inline std::string_view as_c_string(Bytes bytes) {
  std::string_view text = as_text(bytes);
  return text.substr(0, text.find('\0'));
}

// A cursor over bytes. Reading past the end makes it fail for good: reads give zero and ok() is
// false, so that a parser checks once at the end instead of after every field.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t position() const { return position_; }
  [[nodiscard]] size_t remaining() const { return bytes_.size() - position_; }

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  T read() {
    if (remaining() < sizeof(T)) {
      fail();
      return T{};
    }
    T value = load<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  Bytes take(size_t count) {
    if (remaining() < count) {
      fail();
      return {};
    }
    Bytes part = bytes_.subspan(position_, count);
    position_ += count;
    return part;
  }

  // A string as captures store it: u16 length, then that many bytes.
  std::string_view text16() { return as_text(take(read<uint16_t>())); }

  void skip(size_t count) { take(count); }

 private:
  void fail() {
    ok_ = false;
    position_ = bytes_.size();
  }

  Bytes bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace saker
