// Objects that are large or costly to make, lent to a few threads at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace saker {

// Thread-safe. At most `most` objects are there at a time, made when they are first needed; who
// finds none waits for one.
template <typename T>
class Pool {
 public:
  explicit Pool(size_t most) : left_(most) {}

  // Gives its object back at the end of the scope.
  class Loan {
   public:
    Loan(Pool& pool, std::unique_ptr<T> object) : pool_(pool), object_(std::move(object)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.give_back(std::move(object_)); }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_.get(); }
    // The object is not used again: it holds more memory than it is worth.
    void discard() { object_.reset(); }

   private:
    Pool& pool_;
    std::unique_ptr<T> object_;
  };

  Loan borrow() {
    std::unique_lock lock(mutex_);
    back_.wait(lock, [this] { return !idle_.empty() || left_ != 0; });
    if (idle_.empty()) {
      idle_.push_back(std::make_unique<T>());
      --left_;
    }
    std::unique_ptr<T> object = std::move(idle_.back());
    idle_.pop_back();
    return Loan(*this, std::move(object));
  }

 private:
  void give_back(std::unique_ptr<T> object) {
    const std::scoped_lock lock(mutex_);
    if (object != nullptr)
      idle_.push_back(std::move(object));
    else
      ++left_;
    back_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable back_;
  std::vector<std::unique_ptr<T>> idle_;
  size_t left_;  // that may still be made
};

}  // namespace saker
