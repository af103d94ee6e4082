// Which calls of a wanted number are sent: the argument tests of the loaded rules, and what state needs. A test is a
// necessary condition: what can't be decided here passes, and user space decides.
#pragma once

#include "socket.h"

enum { kTestPath = 512 };

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

// The high bits of the bytes of `word` that are 0; bytes above such a one may be marked wrongly.
ALWAYS u64 zero_bytes(u64 word) { return (word - ONES) & ~word & HIGHS; }

struct PathScan {
  u32 length;  // without NUL
  u32 at;      // the word that is looked at
  u32 odd;     // has "//", "/./", "/../" or such an end: its text is not its meaning
};

// Marks when a slash may be followed by a dot or a slash in the eight bytes at `at`: never missed, rarely wrong.
ALWAYS u64 suspicious_at(struct Record *r, u32 at) {
  const u64 word = *(u64 *)&r->path[at & 1023];
  const u64 slashes = zero_bytes(word ^ ONES * '/');
  // '.' and '/' differ in the lowest bit.
  return (slashes << 8) & zero_bytes((word | ONES) ^ ONES * '/');
}

// One place, looked at closely: names may begin with a dot.
static long close_step(u32 index, struct PathScan *scan) {
  struct Record *r = scratch();
  if (!r) return 1;
  const u32 p = scan->at + index;
  if (r->path[p & 1023] != '/') return 0;
  const u8 a = r->path[(p + 1) & 1023], b = r->path[(p + 2) & 1023], c = r->path[(p + 3) & 1023];
  scan->odd = a == '/' || (a == '.' && (b == 0 || b == '/' || (b == '.' && (c == 0 || c == '/'))));
  return scan->odd;
}

static long scan_step(u32 index, struct PathScan *scan) {
  struct Record *r = scratch();
  if (!r) return 1;
  scan->at = index * 7;
  if (scan->at >= scan->length) return 1;
  if (suspicious_at(r, scan->at)) bpf_loop(7, close_step, scan, 0);
  return scan->odd;
}

enum { kQuickWords = 10 };

// Whether the text at path[8] of `length` bytes has "//", "/./", "/../" or such an end. The usual short path without
// any dot behind a slash takes a few instructions a word.
ALWAYS int is_odd(struct Record *r, u32 length) {
  struct PathScan scan = {length + 8, 0, 0};
  u64 suspicious = length > kQuickWords * 7;
#pragma unroll
  for (int i = 0; i < kQuickWords; ++i) {
    if (i * 7 >= length) break;
    suspicious |= suspicious_at(r, 8 + i * 7);
  }
  if (!suspicious) return 0;
  bpf_loop(kTestPath / 7 + 2, scan_step, &scan, 0);
  return scan.odd;
}

ALWAYS int matches_at(const volatile struct Pattern *p, const u8 *from, int words) {
  for (int i = 0; i < 4; ++i) {
    if (i >= words) break;
    if ((*(u64 *)(from + 8 * i) & p->mask[i]) != p->value[i]) return 0;
  }
  return 1;
}

struct PatternScan {
  u32 set, first, offset, words, hit;
};

static long pattern_step(u32 index, struct PatternScan *scan) {
  struct Record *r = scratch();
  if (!r) return 1;
  const u32 number = scan->first + index;
  if (number >= kMaxPatterns || scan->set >= kMaxTestSets) return 1;
  if (!matches_at(&path_tests[bounded(scan->set, kMaxTestSets - 1)].patterns[bounded(number, kMaxPatterns - 1)], &r->path[scan->offset & 1023], scan->words)) return 0;
  scan->hit = 1;
  return 1;
}

ALWAYS int any_pattern(u32 set, struct PatternRange range, u32 offset, u32 words) {
  if (range.count == 0) return 0;
  struct PatternScan scan = {set, range.first, offset, words, 0};
  bpf_loop(range.count, pattern_step, &scan, 0);
  return scan.hit;
}

struct SubstringScan {
  struct Record *record;
  u64 bytes[3];
  u32 set, length, hit;
};

// Six places at a time; a few more are found than are there, none is missed.
static long substring_step(u32 index, struct SubstringScan *scan) {
  const u32 at = index * 6;
  if (at >= scan->length) return 1;
  const u64 word = *(u64 *)&scan->record->path[(8 + at) & 1023];
  const u64 found = (zero_bytes(word ^ scan->bytes[0]) << 16) & (zero_bytes(word ^ scan->bytes[1]) << 8) &
                    zero_bytes(word ^ scan->bytes[2]);
  if (!found) return 0;
  scan->hit = 1;
  return 1;
}

static long text_step(u32 index, struct SubstringScan *scan) {
  const volatile struct Substring *text =
      &path_tests[bounded(scan->set, kMaxTestSets - 1)].substrings[bounded(index, kMaxSubstrings - 1)];
  scan->bytes[0] = text->bytes[0];
  scan->bytes[1] = text->bytes[1];
  scan->bytes[2] = text->bytes[2];
  bpf_loop(kTestPath / 6 + 1, substring_step, scan, 0);
  return scan->hit;
}

// Whether the text at path[8] may contain one of the first `count` texts of the set.
ALWAYS int any_substring(struct Record *r, u32 set, u32 count, u32 length) {
  struct SubstringScan scan = {r, {}, set, length, 0};
  bpf_loop(bounded(count, 2 * kMaxSubstrings - 1), text_step, &scan, 0);
  return scan.hit;
}

// Whether the text at path[8], surrounded by zeros, may satisfy the patterns of a set.
CHECKED_APART int text_may_match(struct Record *r, u32 set, u32 length) {
  if (!r) return 1;
  const u8 last = r->path[(7 + length) & 1023];
  if (last == '/') return 1;
  if (is_odd(r, length)) return 1;
  const volatile struct PathTest *test = &path_tests[bounded(set, kMaxTestSets - 1)];
  const u32 texts = test->substrings_count, raw = test->raw_count;
  if (r->path[8] == '/') {
    if (test->any_prefixes.count) return 1;
    const u8 second = r->path[9];
    struct PatternRange prefixes = {test->prefixes[second].first, test->prefixes[second].count};
    if (any_pattern(set, prefixes, 8, 4)) return 1;
    if (texts && any_substring(r, set, texts, length)) return 1;
  } else {
    // Relative: where it begins is not known here, and its end only when the pattern lies wholly in it. A first
    // component of dots is odd too.
    if (test->has_prefixes || texts > raw || length < test->longest_suffix || r->path[8] == '.') return 1;
    if (raw && any_substring(r, set, raw, length)) return 1;
  }
  struct PatternRange suffixes = {test->suffixes[last].first, test->suffixes[last].count};
  return any_pattern(set, suffixes, length, 1);
}

// A short path in whole words, with zeros behind it.
struct ShortPath {
  u64 words[kRejectedWords];
};

// Where a path that was rejected is remembered.
ALWAYS struct Rejected *rejected_slot(struct Record *r, const struct ShortPath *path) {
  u64 hash = 0;
#pragma unroll
  for (int i = 0; i < kRejectedWords; ++i) hash ^= path->words[i] * (0x9e3779b97f4a7c15ull + 2 * i);
  return &r->rejected[bounded((hash ^ hash >> 20) >> 40, kRejectedSlots - 1)];
}

ALWAYS int is_remembered(const struct Rejected *slot, u64 key, const struct ShortPath *path) {
  u64 difference = slot->key ^ key;
#pragma unroll
  for (int i = 0; i < kRejectedWords; ++i) difference |= slot->words[i] ^ path->words[i];
  return difference == 0;
}

// The tests of a short path, with what they rejected before remembered.
ALWAYS int short_path_may_match(struct Record *r, const struct ShortPath *path, u32 set, u32 length) {
  struct Rejected *slot = rejected_slot(r, path);
  const u64 key = (u64)control.tests_generation << 32 | set << 16 | length;
  if (is_remembered(slot, key, path)) return 0;
  *(u64 *)&r->path[0] = 0;
#pragma unroll
  for (int i = 0; i < kRejectedWords + 4; ++i) *(u64 *)&r->path[8 + 8 * i] = i < kRejectedWords ? path->words[i] : 0;
  *(u64 *)&r->path[(8 + length) & 1023] = 0;  // kernels before 5.10 leave bytes behind the NUL
  if (text_may_match(r, set, length)) return 1;
  slot->key = key;
#pragma unroll
  for (int i = 0; i < kRejectedWords; ++i) slot->words[i] = path->words[i];
  return 0;
}

// Whether the path at the user's pointer may satisfy the patterns of a set.
ALWAYS int path_may_match(struct Record *r, u64 pointer, u32 set) {
  if (set >= kMaxTestSets || !pointer) return 1;
  // The stack takes user memory with fewer checks than a map.
  struct ShortPath path = {};
  long copied = bpf_probe_read_user_str(&path, sizeof path, (void *)pointer);
  if (copied <= 1) return 1;
  if (copied < sizeof path) return short_path_may_match(r, &path, set, copied - 1);
  copied = bpf_probe_read_user_str(&r->path[8], kTestPath, (void *)pointer);
  if (copied <= 1 || copied >= kTestPath) return 1;
  const u32 length = copied - 1;
  // Zeros around the text make whole words comparable.
  *(u64 *)&r->path[0] = 0;
  *(u64 *)&r->path[(8 + length) & 1023] = 0;
  *(u64 *)&r->path[(16 + length) & 1023] = 0;
  *(u64 *)&r->path[(24 + length) & 1023] = 0;
  *(u64 *)&r->path[(32 + length) & 1023] = 0;
  return text_may_match(r, set, length);
}

ALWAYS u32 flags_of_open(struct Record *r, u32 which) {
  if (which == 255) {
    u64 flags = 0;
    bpf_probe_read_user(&flags, sizeof flags, (void *)r->args[2]);
    return flags;
  }
  return r->args[(which - 1) & 3];
}

// The class of a call; a mode of 3 counts as reading, as in the event's flags.
ALWAYS u32 class_of(struct Record *r, u32 number) {
  const u32 open_flags_arg = plans[number].open_flags_arg;
  const u32 mode = open_flags_arg ? flags_of_open(r, open_flags_arg) & 3 : 0;
  return (mode == 3 ? 0 : mode * 2) + (r->ret < 0);
}

// Whether the argument tests of the rules let the call pass.
ALWAYS int passes_tests(struct Record *r, u32 number) {
  const u32 flags = tests[number].flags;
  if (flags == 0) return 1;
  if (flags & TEST_CLASS) {
    const u32 set = tests[number].by_class[bounded(class_of(r, number), kClassSlots - 1)];
    if (set == CLASS_NONE) return 0;
    const u32 path_arg = plans[number].path_arg;
    if (set != CLASS_ALL && path_arg && !path_may_match(r, r->args[(path_arg - 1) & 3], set)) return 0;
  }
  const u32 fd_arg = plans[number].fd_arg;
  if ((flags & TEST_SOCKET) && fd_arg && mode_of(file_of(r, (s32)r->args[(fd_arg - 1) & 3])) != kModeSocket) return 0;
  return 1;
}

ALWAYS int is_kept(struct Record *r, s64 fd) {
  const u32 mode = mode_of(file_of(r, fd));
  return mode == kModeSocket || mode == kModeDirectory;
}

// Whether an open made an fd of a directory. What is opened for writing or with O_CREAT is none.
ALWAYS int opened_directory(struct Record *r) {
  const u32 open_flags_arg = plans[bounded(r->number, kSyscalls - 1)].open_flags_arg;
  if (r->ret < 0 || (open_flags_arg && (flags_of_open(r, open_flags_arg) & 0103))) return 0;
  return mode_of(file_of(r, r->ret)) == kModeDirectory;
}

// Whether state needs a call that the tests held back.
CHECKED_APART int state_needs_rarely(struct Record *r, u32 when) {
  if (!r) return 0;
  const s64 ret = r->ret;
  const s64 fd = (s32)r->args[0];
  if (when == WHEN_CONNECT) return ret >= 0 || ret == -115;
  if (ret < 0) return 0;
  const u32 second = r->args[1];
  switch (when) {
    case WHEN_KEPT: return is_kept(r, ret);
    case WHEN_PRCTL: return r->args[0] == 15 || r->args[0] == 36;
    case WHEN_NOFILE: return r->number == 160 ? r->args[0] == 7 : second == 7;
    case WHEN_FCNTL: return second == 0 || second == 1030 || second == 2;
    case WHEN_FCNTL_KEPT: return (second == 0 || second == 1030) && is_kept(r, ret);
    case WHEN_SO_ERROR: return second == 1 && (u32)r->args[2] == 4;
    case WHEN_UNCONNECTED: return is_unconnected(r, fd);
    case WHEN_RIGHTS: {
      u64 control[2] = {};
      bpf_probe_read_user(control, sizeof control, (void *)(r->args[1] + 32));
      return control[1] != 0 || is_unconnected(r, fd);
    }
    default: return 1;
  }
}

// Opens are many: their question is answered without a call.
ALWAYS int state_needs(struct Record *r, u32 when) {
  return when == WHEN_DIRECTORY ? opened_directory(r) : state_needs_rarely(r, when);
}
