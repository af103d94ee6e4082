// A record is an u32 length with two flag bits, an u32 that only the kernel needs, and the data,
// padded to 8 bytes. The writer publishes by its position and clears the busy bit when the data are
// complete.
#include "kernel/ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace saker::kernel {

namespace {

constexpr uint32_t kBusy = 1u << 31;
constexpr uint32_t kDiscarded = 1u << 30;
constexpr uint64_t kRecordHeader = 8;

uint64_t load_position(const uint8_t* page) {
  return __atomic_load_n(reinterpret_cast<const uint64_t*>(page), __ATOMIC_ACQUIRE);
}

size_t page_size() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

Ring::Ring(Ring&& other) noexcept
    : consumer_(std::exchange(other.consumer_, nullptr)),
      producer_(std::exchange(other.producer_, nullptr)),
      size_(other.size_),
      position_(other.position_),
      released_(other.released_),
      step_(other.step_),
      wrapped_(std::move(other.wrapped_)) {}

Ring& Ring::operator=(Ring&& other) noexcept {
  std::swap(consumer_, other.consumer_);
  std::swap(producer_, other.producer_);
  std::swap(size_, other.size_);
  std::swap(position_, other.position_);
  std::swap(released_, other.released_);
  std::swap(step_, other.step_);
  std::swap(wrapped_, other.wrapped_);
  return *this;
}

Ring::~Ring() {
  if (consumer_ != nullptr) munmap(consumer_, page_size());
  if (producer_ != nullptr) munmap(producer_, page_size() + size_);
}

Result<Ring> Ring::map(int fd, size_t size) {
  Ring ring;
  ring.size_ = size;
  void* consumer = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED) return errno_error("mapping the ring buffer", errno);
  ring.consumer_ = static_cast<uint8_t*>(consumer);
  void* producer =
      mmap(nullptr, page_size() + size, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(page_size()));
  if (producer == MAP_FAILED) return errno_error("mapping the ring buffer", errno);
  ring.producer_ = static_cast<uint8_t*>(producer);
  ring.position_ = ring.released_ = load_position(ring.consumer_);
  return ring;
}

Ring::Head Ring::peek(Bytes& bytes) {
  while (position_ < load_position(producer_)) {
    const uint8_t* data = producer_ + page_size();
    const uint64_t at = position_ & (size_ - 1);
    const uint32_t word =
        __atomic_load_n(reinterpret_cast<const uint32_t*>(data + at), __ATOMIC_ACQUIRE);
    if ((word & kBusy) != 0) return Head::busy;
    const uint32_t length = word & ~(kBusy | kDiscarded);
    step_ = (length + kRecordHeader + 7) & ~uint64_t{7};
    if ((word & kDiscarded) != 0) {
      pop();
      continue;
    }
    const uint64_t start = (at + kRecordHeader) & (size_ - 1);
    if (start + length <= size_) {
      bytes = {data + start, length};
      return Head::record;
    }
    wrapped_.resize(length);
    const size_t first = size_ - start;
    std::memcpy(wrapped_.data(), data + start, first);
    std::memcpy(wrapped_.data() + first, data, length - first);
    bytes = {wrapped_.data(), length};
    return Head::record;
  }
  return Head::empty;
}

void Ring::release() {
  if (released_ == position_) return;
  __atomic_store_n(reinterpret_cast<uint64_t*>(consumer_), position_, __ATOMIC_RELEASE);
  released_ = position_;
}

}  // namespace saker::kernel
