#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace saker {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::invalid: return "invalid";
    case Code::not_found: return "not found";
    case Code::io: return "input/output";
    case Code::corrupt: return "corrupt";
    case Code::unsupported: return "unsupported";
    case Code::denied: return "denied";
    case Code::busy: return "busy";
  }
  return "unknown";
}

std::string Error::to_text() const {
  std::string text;
  if (!position.file.empty()) {
    text += position.file;
    if (position.line != 0) {
      text += ':' + std::to_string(position.line);
      if (position.column != 0) text += ':' + std::to_string(position.column);
    }
    text += ": ";
  }
  text += message;
  if (!hint.empty()) text += " (" + hint + ")";
  return text;
}

static Code code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return Code::not_found;
    case EACCES:
    case EPERM: return Code::denied;
    case EAGAIN:
    case EBUSY:
    case EINTR: return Code::busy;
    case ENOSYS:
    case EOPNOTSUPP: return Code::unsupported;
    case EINVAL: return Code::invalid;
    default: return Code::io;
  }
}

Error errno_error(std::string_view what, int error_number) {
  return Error{.code = code_of_errno(error_number),
               .message = std::string(what) + ": " + std::strerror(error_number)};
}

}  // namespace saker
