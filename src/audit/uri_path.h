// The path of a request's URI, as the server's policy and authorizer see it.
#pragma once

#include <string>
#include <string_view>

namespace saker::audit {

// Without query, percent-decoded.
void decode_uri_path(std::string_view uri, std::string& out);

}  // namespace saker::audit
