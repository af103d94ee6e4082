#include "output/rate_limit.h"

#include <algorithm>

namespace saker::output {

bool RateLimit::pass(std::string_view rule, Time now) {
  if (per_second_ <= 0) return true;
  auto found = buckets_.find(rule);
  if (found == buckets_.end())
    found = buckets_.emplace(std::string(rule), Bucket{.tokens = burst_, .filled = now}).first;
  Bucket& bucket = found->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(burst_, bucket.tokens + std::max(0.0, seconds) * per_second_);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace saker::output
