// The reading end of a BPF ring buffer. The data are mapped once (libbpf maps them twice, and both
// count as resident): the rare record that wraps is copied.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace saker::kernel {

// One thread reads. The bytes of peek() live until pop().
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&& other) noexcept;
  ~Ring();

  // Maps the ring buffer map `fd` of `size` bytes.
  static Result<Ring> map(int fd, size_t size);

  enum class Head : uint8_t {
    empty,
    busy,  // a record is being written
    record,
  };

  // What is next; `bytes` is set when it is a record.
  Head peek(Bytes& bytes);
  // Takes the record that peek() gave. The space goes back to the kernel by release().
  void pop() { position_ += step_; }
  // Gives all taken space back.
  void release();
  // Bytes taken and not given back yet.
  [[nodiscard]] uint64_t unreleased() const { return position_ - released_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  uint8_t* consumer_ = nullptr;  // page with the reader's position, writable
  uint8_t* producer_ = nullptr;  // page with the writer's position, then the data
  size_t size_ = 0;
  uint64_t position_ = 0;
  uint64_t released_ = 0;
  uint64_t step_ = 0;
  std::vector<uint8_t> wrapped_;
};

}  // namespace saker::kernel
