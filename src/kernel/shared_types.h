// bpf/shared.h for C++: what the BPF programs and their user side agree on.
#pragma once

#include <cstdint>

namespace saker::kernel {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s32 = int32_t;
using s64 = int64_t;

#include "shared.h"

}  // namespace saker::kernel
