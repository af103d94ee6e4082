// Errors as values. Every fallible function of Saker returns Result<T> (or Status); nothing throws.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace saker {

// What kind of failure it is; decides the exit code and whether a retry makes sense.
enum class Code : uint8_t { invalid, not_found, io, corrupt, unsupported, denied, busy };

std::string_view to_string(Code code);

// Where in a user's file the mistake is. Lines and columns count from 1; 0 means unknown.
struct Position {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  uint64_t offset = 0;
};

// A failure: one sentence that says what is wrong, where, and (hint) what to do next.
struct Error {
  Code code = Code::invalid;
  std::string message;
  Position position = {};
  std::string hint = {};

  // "file:line:col: message (hint)", leaving out what is unknown.
  [[nodiscard]] std::string to_text() const;
};

// A value or an Error. A class of its own, since an alias of std::expected is not [[nodiscard]].
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::unexpected(std::move(error))) {}

  [[nodiscard]] bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& value() & { return *state_; }
  const T& value() const& { return *state_; }
  T&& value() && { return std::move(*state_); }
  T& operator*() & { return *state_; }
  const T& operator*() const& { return *state_; }
  T&& operator*() && { return std::move(*state_); }
  T* operator->() { return &*state_; }
  const T* operator->() const { return &*state_; }

  Error& error() & { return state_.error(); }
  const Error& error() const& { return state_.error(); }
  Error&& error() && { return std::move(state_.error()); }

 private:
  std::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::unexpected(std::move(error))) {}

  [[nodiscard]] bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & { return state_.error(); }
  const Error& error() const& { return state_.error(); }
  Error&& error() && { return std::move(state_.error()); }

 private:
  std::expected<void, Error> state_;
};

using Status = Result<void>;

// An Error from errno: "WHAT: strerror", with the code that fits.
Error errno_error(std::string_view what, int error_number);

}  // namespace saker

// Evaluates EXPR (a Result); on failure returns its Error from the calling function, else yields
// the value. A statement expression, which both compilers of ours have.
#define SAKER_TRY(expr)                                                     \
  __extension__({                                                           \
    auto saker_try_result = (expr);                                         \
    if (!saker_try_result.ok()) return std::move(saker_try_result).error(); \
    std::move(saker_try_result).value();                                    \
  })

// The same for a Status.
#define SAKER_CHECK(expr)                                           \
  do {                                                              \
    if (auto saker_check_status = (expr); !saker_check_status.ok()) \
      return std::move(saker_check_status).error();                 \
  } while (false)
