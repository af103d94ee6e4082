// SQLite behind a small facade: a connection, prepared statements, errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace saker::store {

// Why a step failed, as far as the caller acts on it.
enum class Failure : uint8_t { none, full, busy, corrupt, row, other };

// A prepared statement, bound and stepped by one thread. Text is copied when it is bound.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement();

  // Parameters and columns count from 1 and from 0, as in SQL and in SQLite.
  void bind(int index, int64_t value);
  void bind(int index, std::string_view text);
  // True when there is a row.
  Result<bool> step();
  // Makes it ready for the next run.
  void reset();

  [[nodiscard]] int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  // until the next step

 private:
  sqlite3_stmt* statement_;
};

// One connection, for one thread.
class Database {
 public:
  enum class Mode : uint8_t { create, read };

  // The folder is made (0700) and the file (0600) when they are not there and the mode is create.
  static Result<Database> open(const std::string& path, Mode mode);
  Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Database();

  Status execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row.
  Result<int64_t> integer(std::string_view sql);

  [[nodiscard]] int64_t last_id() const;
  [[nodiscard]] Failure last_failure() const;
  [[nodiscard]] Error error(std::string_view what) const;

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
};

}  // namespace saker::store
