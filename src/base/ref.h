// Shared ownership without atomics, for objects that only one thread touches (process and fd
// state).
#pragma once

#include <cstdint>
#include <utility>

namespace saker {

// Base of objects that a Ref owns together.
struct RefCounted {
  uint32_t references = 0;
};

// T derives from RefCounted. The last Ref deletes the object. Not thread-safe, on purpose.
template <typename T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) { retain(); }
  Ref(const Ref& other) : object_(other.object_) { retain(); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { release(); }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  [[nodiscard]] bool unique() const { return object_ != nullptr && object_->references == 1; }

 private:
  void retain() {
    if (object_ != nullptr) ++object_->references;
  }
  void release() {
    if (object_ == nullptr || --object_->references != 0) return;
    if constexpr (requires { object_->dispose(); }) {
      object_->dispose();  // a type with a free list of its own
    } else {
      delete object_;
    }
  }

  T* object_ = nullptr;
};

template <typename T, typename... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace saker
