// Text that must be put together for one event, in the context's arena.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/arena.h"

namespace saker {

// Grows inside the arena; nothing else need be freed. The view lives until the arena is reset.
class TextBuilder {
 public:
  explicit TextBuilder(Arena& arena, size_t expected = 120) : arena_(arena) {
    capacity_ = expected < 24 ? 24 : expected;
    data_ = arena_.allocate(capacity_);
  }

  TextBuilder& operator<<(std::string_view text) {
    if (text.size() > capacity_ - size_) [[unlikely]]
      grow(text.size());
    if (!text.empty()) std::memcpy(data_ + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  TextBuilder& operator<<(char c) { return *this << std::string_view(&c, 1); }

  TextBuilder& decimal(int64_t value) { return number(value, 10); }
  TextBuilder& decimal(uint64_t value) { return number(value, 10); }
  // Upper case, no prefix.
  TextBuilder& hex(uint64_t value) {
    char buffer[20];
    const char* end = std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr;
    for (char* c = buffer; c != end; ++c)
      if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
    return *this << std::string_view(buffer, static_cast<size_t>(end - buffer));
  }
  TextBuilder& lower_hex(uint64_t value) { return number(value, 16); }
  // With a leading 0, as C writes it.
  TextBuilder& octal(uint64_t value) {
    if (value != 0) *this << '0';
    return number(value, 8);
  }
  TextBuilder& padded(uint64_t value, int width) {
    uint64_t limit = 1;
    for (int i = 1; i < width; ++i) limit *= 10;
    for (; limit > 1 && value < limit; limit /= 10) *this << '0';
    return decimal(value);
  }

  // Where `count` more bytes may be written; advance() takes them in.
  char* reserve(size_t count) {
    if (count > capacity_ - size_) grow(count);
    return data_ + size_;
  }
  void advance(size_t count) { size_ += count; }

  void clear() { size_ = 0; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {data_, size_}; }

 private:
  template <typename T>
  TextBuilder& number(T value, int base) {
    char buffer[24];
    const char* end = std::to_chars(buffer, buffer + sizeof buffer, value, base).ptr;
    return *this << std::string_view(buffer, static_cast<size_t>(end - buffer));
  }
  void grow(size_t more) {
    const size_t wanted = (size_ + more) * 2;
    char* larger = arena_.allocate(wanted);
    std::memcpy(larger, data_, size_);
    data_ = larger;
    capacity_ = wanted;
  }

  Arena& arena_;
  char* data_;
  size_t size_ = 0;
  size_t capacity_;
};

}  // namespace saker
