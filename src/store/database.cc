#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "base/fd.h"
#include "base/strings.h"

namespace saker::store {

namespace {

constexpr int kBusyMilliseconds = 5000;

// glob(PATTERN, TEXT) as everywhere else in Saker, instead of SQLite's own.
void glob_function(sqlite3_context* context, int, sqlite3_value** values) {
  auto text_of = [](sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    if (text == nullptr) return std::string_view();
    return std::string_view(text, static_cast<size_t>(sqlite3_value_bytes(value)));
  };
  sqlite3_result_int(context, glob_match(text_of(values[0]), text_of(values[1])) ? 1 : 0);
}

Status make_file(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code problem;
  if (!folder.empty() && !std::filesystem::exists(folder, problem)) {
    std::filesystem::create_directories(folder, problem);
    if (problem) return errno_error("cannot make " + folder.string(), problem.value());
    ::chmod(folder.c_str(), 0700);
  }
  // SQLite would make it readable for all; its other files get the mode of this one.
  UniqueFd fd = SAKER_TRY(open_file(path, O_RDWR | O_CREAT));
  if (::fchmod(fd.get(), 0600) != 0) return errno_error("cannot protect " + path, errno);
  return {};
}

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
}

void Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
}

Result<bool> Statement::step() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default:
      return Error{.code = Code::io, .message = sqlite3_errmsg(sqlite3_db_handle(statement_))};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  if (mode == Mode::create) SAKER_CHECK(make_file(path));
  if (mode == Mode::read) SAKER_TRY(open_file(path, O_RDONLY));  // says best what is wrong
  // Reading, too, needs write access: after a crash it is the first reader that recovers the log.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (result != SQLITE_OK) return database.error("cannot open " + path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_create_function_v2(handle, "glob", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                             glob_function, nullptr, nullptr, nullptr);
  if (mode == Mode::read) SAKER_CHECK(database.execute("PRAGMA query_only = 1"));
  return database;
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error("store");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK)
    return error("store");
  return Statement(statement);
}

Result<int64_t> Database::integer(std::string_view sql) {
  Statement statement = SAKER_TRY(prepare(sql));
  const bool row = SAKER_TRY(statement.step());
  return row ? statement.integer(0) : int64_t{0};
}

int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

Failure Database::last_failure() const {
  switch (sqlite3_errcode(handle_) & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return Failure::none;
    case SQLITE_FULL: return Failure::full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Failure::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Failure::corrupt;
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return Failure::row;
    default: return Failure::other;
  }
}

Error Database::error(std::string_view what) const {
  const Failure failure = last_failure();
  Code code = Code::io;
  if (failure == Failure::corrupt) code = Code::corrupt;
  if (failure == Failure::busy) code = Code::busy;
  return Error{.code = code, .message = std::string(what) + ": " + sqlite3_errmsg(handle_)};
}

}  // namespace saker::store
