// The numbers of the .scap format. A capture is a chain of blocks: u32 type, u32 total length,
// body, padding to 4 bytes, u32 total length. All little-endian and packed; strings are u16 length
// and bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace saker::capture::scap {

inline constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
inline constexpr uint32_t kSectionMagic = 0x1a2b3c4d;
inline constexpr uint16_t kMajorVersion = 1;
inline constexpr uint16_t kMinorVersion = 2;

// Block codes that we write, and that hot loops look for.
inline constexpr uint32_t kMachineInfo = 0x201;
inline constexpr uint32_t kProcessListV9 = 0x215;
inline constexpr uint32_t kEventV2 = 0x216;
inline constexpr uint32_t kFdListV2 = 0x218;
inline constexpr uint32_t kInterfaceListV2 = 0x219;
inline constexpr uint32_t kUserListV2 = 0x220;
inline constexpr uint32_t kEventV2Large = 0x221;

inline constexpr size_t kBlockHeaderSize = 8;
inline constexpr size_t kBlockFrameSize = 12;  // with the trailer

enum class BlockKind : uint8_t {
  unknown,
  section_header,
  machine,
  processes,
  fds,
  interfaces,
  users,
  event,
};

struct BlockInfo {
  BlockKind kind = BlockKind::unknown;
  uint8_t version = 0;          // of process lists 1 to 9, of the others 1 or 2
  bool has_dump_flags = false;  // of events
};

constexpr BlockInfo block_info(uint32_t code) {
  switch (code) {
    case kSectionHeader: return {BlockKind::section_header};
    case kMachineInfo:
    case 0x8002abcd: return {BlockKind::machine};
    case 0x202:
    case 0x8000abcd: return {BlockKind::processes, 1};
    case 0x207:
    case 0x8013abcd: return {BlockKind::processes, 2};
    case 0x209:
    case 0x8014abcd: return {BlockKind::processes, 3};
    case 0x210: return {BlockKind::processes, 4};
    case 0x211: return {BlockKind::processes, 5};
    case 0x212: return {BlockKind::processes, 6};
    case 0x213: return {BlockKind::processes, 7};
    case 0x214: return {BlockKind::processes, 8};
    case kProcessListV9: return {BlockKind::processes, 9};
    case 0x203:
    case 0x8001abcd: return {BlockKind::fds, 1};
    case kFdListV2: return {BlockKind::fds, 2};
    case 0x205:
    case 0x8011abcd: return {BlockKind::interfaces, 1};
    case kInterfaceListV2: return {BlockKind::interfaces, 2};
    case 0x206:
    case 0x8012abcd: return {BlockKind::users, 1};
    case kUserListV2: return {BlockKind::users, 2};
    case 0x204:
    case 0x8010abcd: return {BlockKind::event, 1};
    case 0x208: return {BlockKind::event, 1, true};
    case kEventV2:
    case kEventV2Large: return {BlockKind::event, 2};
    case 0x217:
    case 0x222: return {BlockKind::event, 2, true};
    default: return {};
  }
}

}  // namespace saker::capture::scap
