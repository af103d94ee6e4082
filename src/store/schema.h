// The tables of the store, and how an older store becomes a present one.
#pragma once

#include <string>

#include "store/database.h"

namespace saker::store {

inline constexpr const char* kFileName = "alerts.db";

// Where the store of a data folder is.
std::string store_path(const std::string& data_dir);

// $SAKER_DATA_DIR, or /var/lib/saker.
std::string default_data_dir();

// Opens for writing: makes or migrates the tables, and sets what a connection of the writer needs.
// A file that is no database or is damaged is moved aside, and a new one begun.
Result<Database> open_for_writing(const std::string& path);

// Opens for reading. not_found when there is no store yet.
Result<Database> open_for_reading(const std::string& path);

}  // namespace saker::store
