#include "store/schema.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iterator>

#include "base/log.h"

namespace saker::store {

namespace {

// Step N makes version N+1. Never change a step that was released: add one.
constexpr const char* kMigrations[] = {
    R"sql(
      CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of arrival; never used again
        time_ns INTEGER NOT NULL,              -- of the event, since the epoch
        severity INTEGER NOT NULL,             -- 0 emergency to 7 debug
        rule TEXT NOT NULL,
        source TEXT NOT NULL,
        hostname TEXT NOT NULL,
        container_id TEXT NOT NULL,
        message TEXT NOT NULL,
        tags TEXT NOT NULL,                    -- JSON array of strings
        fields TEXT NOT NULL,                  -- JSON object, keys in template order
        sequence INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX alerts_by_time ON alerts (time_ns);
      CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    )sql",
    R"sql(
      -- How far logs and the spool have been read: the alerts of all before are stored.
      CREATE TABLE positions (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    )sql",
};
constexpr int64_t kVersion = std::size(kMigrations);

Status migrate(Database& database) {
  int64_t version = SAKER_TRY(database.integer("PRAGMA user_version"));
  if (version > kVersion) {
    return Error{.code = Code::unsupported,
                 .message = "the store was written by a newer saker (its version is " +
                            std::to_string(version) + ", this one knows " +
                            std::to_string(kVersion) + ")"};
  }
  if (version == kVersion) return {};
  SAKER_CHECK(database.execute("BEGIN IMMEDIATE"));
  version = SAKER_TRY(database.integer("PRAGMA user_version"));  // another process may have been
  for (; version < kVersion; ++version) SAKER_CHECK(database.execute(kMigrations[version]));
  const std::string set = "PRAGMA user_version = " + std::to_string(kVersion);
  SAKER_CHECK(database.execute(set.c_str()));
  return database.execute("COMMIT");
}

// auto_vacuum must come before the first table. FULL syncs the log at each commit: what is reported
// as stored survives a power cut, too.
constexpr const char* kWriterSetup =
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 4194304;"
    "PRAGMA cache_size = -1024;"
    "PRAGMA temp_store = MEMORY;";

Result<Database> try_open(const std::string& path) {
  Database database = SAKER_TRY(Database::open(path, Database::Mode::create));
  SAKER_CHECK(database.execute(kWriterSetup));
  SAKER_CHECK(migrate(database));
  SAKER_TRY(
      database.integer("SELECT count(*) FROM (SELECT 1 FROM alerts ORDER BY id DESC LIMIT 1)"));
  return database;
}

}  // namespace

std::string store_path(const std::string& data_dir) {
  return (std::filesystem::path(data_dir) / kFileName).string();
}

std::string default_data_dir() {
  const char* folder = std::getenv("SAKER_DATA_DIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/lib/saker";
}

Result<Database> open_for_writing(const std::string& path) {
  Result<Database> database = try_open(path);
  if (database.ok() || database.error().code != Code::corrupt) return database;
  const std::string aside = path + ".damaged-" + std::to_string(std::time(nullptr));
  log::error("the store " + path + " is damaged (" + database.error().message + "); it is now " +
             aside + ", and a new one begins");
  std::error_code problem;
  std::filesystem::rename(path, aside, problem);
  if (problem) return errno_error("cannot move " + path + " aside", problem.value());
  for (const char* suffix : {"-wal", "-shm"})
    std::filesystem::rename(path + suffix, aside + suffix, problem);  // often not there
  return try_open(path);
}

Result<Database> open_for_reading(const std::string& path) {
  Database database = SAKER_TRY(Database::open(path, Database::Mode::read));
  const int64_t version = SAKER_TRY(database.integer("PRAGMA user_version"));
  if (version == 0) return Error{.code = Code::not_found, .message = path + " holds no alerts yet"};
  if (version > kVersion) {
    return Error{.code = Code::unsupported,
                 .message = "the store " + path + " was written by a newer saker"};
  }
  return database;
}

}  // namespace saker::store
