// A bump allocator for values that live until the next reset(): one event, one batch.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace saker {

// Not thread-safe. Memory is kept across reset(), so a warm arena never allocates.
class Arena {
 public:
  explicit Arena(size_t block_size = 16384) : block_size_(block_size) {}

  // Uninitialised bytes, 8-byte aligned.
  char* allocate(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (size > left_) [[unlikely]]
      grow(size);
    char* result = next_;
    next_ += size;
    left_ -= size;
    return result;
  }

  std::string_view copy(std::string_view text) {
    char* to = allocate(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  void reset() {
    if (blocks_.empty()) return;
    if (blocks_.size() > 1) {  // one larger block instead of several, for the next round
      size_t total = 0;
      for (const Block& block : blocks_) total += block.size;
      blocks_.clear();
      add_block(total < kLargestKept ? total : block_size_);
    }
    next_ = blocks_.front().data.get();
    left_ = blocks_.front().size;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t size;
  };
  static constexpr size_t kLargestKept = 1 << 20;

  void add_block(size_t size) {
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    next_ = blocks_.back().data.get();
    left_ = size;
  }
  void grow(size_t size) { add_block(size > block_size_ ? size : block_size_); }

  size_t block_size_;
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace saker
