#include "capture/scap/scap.h"

#include <algorithm>
#include <cstring>

#include "capture/scap/snapshot_blocks.h"

namespace saker::capture {

using event::Event;
using scap::BlockKind;
using scap::EntryResult;

namespace {

// An event of ordinary size has 64 KiB at most; payloads of plugins and container metadata may be
// larger.
constexpr size_t kMaxEventBlock = 16 * 1024 * 1024;
// Entries of processes and the like: a first look, and the most that one may take.
constexpr size_t kEntryWindow = 32 * 1024;
constexpr size_t kMaxEntry = 1024 * 1024;
// Of an event as it was before its header told the number of parameters.
constexpr size_t kHeaderSizeV1 = 22;

// For those who want events only.
class NullSink final : public event::SnapshotSink {
  void on_machine(const event::MachineInfo& /*machine*/) override {}
  void on_process(const event::ProcessEntry& /*process*/) override {}
  void on_fd(const event::FdEntry& /*fd*/) override {}
  void on_user(const event::UserEntry& /*user*/) override {}
  void on_interface(const event::InterfaceEntry& /*interface*/) override {}
};

event::SnapshotSink& null_sink() {
  static NullSink sink;
  return sink;
}

}  // namespace

Result<std::unique_ptr<EventSource>> open_scap(const ScapOptions& options) {
  std::unique_ptr<EventSource> source = SAKER_TRY(ScapReader::open(options));
  return source;
}

Result<std::unique_ptr<ScapReader>> ScapReader::open(const ScapOptions& options) {
  auto stream = SAKER_TRY(ChunkStream::open(options.path, options.chunk_bytes, options.chunks));
  return open(std::move(stream), {});
}

Result<std::unique_ptr<ScapReader>> ScapReader::open(std::unique_ptr<ChunkStream> stream,
                                                     Bytes window) {
  std::unique_ptr<ScapReader> reader(new ScapReader(std::move(stream)));
  reader->cursor_ = window.data();
  reader->limit_ = window.data() + window.size();
  reader->window_end_ = window.size();
  if (reader->read_section_header() == Step::done) return reader;
  if (reader->failed_) return std::move(reader->error_);
  return Error{.code = Code::corrupt, .message = "empty file", .position = {.file = reader->path_}};
}

ScapReader::ScapReader(std::unique_ptr<ChunkStream> stream)
    : stream_(std::move(stream)), path_(stream_->name()), as_is_(scap::as_is_counts()) {}

bool ScapReader::need(size_t size) {
  while (static_cast<size_t>(limit_ - cursor_) < size) {
    const Bytes unread(cursor_, static_cast<size_t>(limit_ - cursor_));
    Bytes window;
    if (!stream_->more(unread, window)) return false;
    cursor_ = window.data();
    limit_ = window.data() + window.size();
    window_end_ += window.size() - unread.size();
  }
  return true;
}

ScapReader::Step ScapReader::fail(Code code, std::string message, uint64_t at) {
  ready_ = false;
  over_ = failed_ = true;
  error_ = Error{.code = code,
                 .message = "offset " + std::to_string(at) + ": " + std::move(message),
                 .position = {.file = path_, .offset = at}};
  return Step::failed;
}

// The stream ended where `what` should have gone on: because it is damaged, cut off, or because we
// were told to stop.
ScapReader::Step ScapReader::truncated(std::string_view what) {
  if (stream_->stopped()) return Step::end;
  if (!stream_->status().ok()) {
    const Error& error = stream_->status().error();
    return fail(error.code, error.message, window_end_);
  }
  return fail(Code::corrupt, "the file ends within " + std::string(what), offset());
}

ScapReader::Step ScapReader::peek_block(Block& block) {
  if (!need(scap::kBlockHeaderSize)) {
    if (stream_->stopped() || (cursor_ == limit_ && stream_->status().ok())) return Step::end;
    return truncated("a block header");
  }
  block.code = load<uint32_t>(cursor_);
  block.total = load<uint32_t>(cursor_ + 4);
  block.info = scap::block_info(block.code);
  if (block.total < scap::kBlockFrameSize)
    return fail(Code::corrupt, "wrong block total length", offset());
  return Step::done;
}

ScapReader::Step ScapReader::skip(uint64_t size) {
  while (size != 0) {
    if (cursor_ == limit_ && !need(1)) return truncated("a block");
    const auto count = std::min<uint64_t>(size, static_cast<uint64_t>(limit_ - cursor_));
    advance(static_cast<size_t>(count));
    size -= count;
  }
  return Step::done;
}

ScapReader::Step ScapReader::read_section_header() {
  constexpr size_t kBody = 16;
  if (!need(scap::kBlockHeaderSize)) {
    if (stream_->stopped() || (cursor_ == limit_ && stream_->status().ok())) return Step::end;
    return truncated("the section header");
  }
  if (load<uint32_t>(cursor_) != scap::kSectionHeader)
    return fail(Code::corrupt, "not a capture: no section header", offset());
  const auto total = load<uint32_t>(cursor_ + 4);
  if (!need(scap::kBlockHeaderSize + kBody)) return truncated("the section header");
  const uint8_t* body = cursor_ + scap::kBlockHeaderSize;
  // Before the length is looked at: in a file of the other byte order all numbers are wrong.
  if (load<uint32_t>(body) != scap::kSectionMagic)
    return fail(Code::unsupported, "invalid magic number", offset());
  const auto major = load<uint16_t>(body + 4);
  if (major > scap::kMajorVersion)
    return fail(Code::unsupported,
                "format version " + std::to_string(major) + " is newer than this program knows",
                offset());
  if (total < scap::kBlockFrameSize + kBody)
    return fail(Code::corrupt, "wrong block total length", offset());
  const uint64_t start = offset();
  if (Step step = skip(total - sizeof(uint32_t)); step != Step::done) return step;
  if (!need(sizeof(uint32_t))) return truncated("the section header");
  if (load<uint32_t>(cursor_) != total)
    return fail(Code::corrupt, "wrong block total length", start);
  advance(sizeof(uint32_t));
  return Step::done;
}

ScapReader::Step ScapReader::read_metadata() {
  for (;;) {
    Block block;
    const Step peeked = peek_block(block);
    if (peeked == Step::end && !stream_->stopped())
      return fail(Code::corrupt, "no events in file", offset());
    if (peeked != Step::done) return peeked;
    if (block.info.kind == BlockKind::event) {
      ready_ = true;
      return Step::done;
    }
    if (Step step = block.info.kind == BlockKind::section_header ? read_section_header()
                                                                 : read_metadata_block(block);
        step != Step::done)
      return step;
  }
}

ScapReader::Step ScapReader::read_metadata_block(const Block& block) {
  const uint64_t start = offset();
  advance(scap::kBlockHeaderSize);
  uint64_t left = block.total - scap::kBlockFrameSize;
  const uint8_t version = block.info.version;
  event::SnapshotSink& sink = sink_ != nullptr ? *sink_ : null_sink();
  Step step = Step::done;
  switch (block.info.kind) {
    case BlockKind::machine:
      if (left > kEntryWindow) return fail(Code::corrupt, "machine info too long", start);
      if (!need(left)) return truncated("the machine info");
      if (EntryResult entry = scap::read_machine({cursor_, static_cast<size_t>(left)}, sink);
          entry.state != EntryResult::State::done)
        return fail(Code::corrupt, std::string(entry.problem), start);
      advance(left);
      break;
    case BlockKind::processes:
      step = read_entries(left, [&](Bytes in) { return scap::read_process(in, version, sink); });
      break;
    case BlockKind::users:
      step = read_entries(left, [&](Bytes in) { return scap::read_user(in, version, sink); });
      break;
    case BlockKind::interfaces:
      step = read_entries(left, [&](Bytes in) { return scap::read_interface(in, version, sink); });
      break;
    case BlockKind::fds: {
      if (left < sizeof(int64_t)) return fail(Code::corrupt, "fd list without a thread", start);
      if (!need(sizeof(int64_t))) return truncated("an fd list");
      const auto tid = load<int64_t>(cursor_);
      advance(sizeof tid);
      left -= sizeof tid;
      step = read_entries(left, [&](Bytes in) { return scap::read_fd(in, version, tid, sink); });
      break;
    }
    default: step = skip(left); break;
  }
  if (step != Step::done) return step;
  if (!need(sizeof(uint32_t))) return truncated("a block");
  if (load<uint32_t>(cursor_) != block.total)
    return fail(Code::corrupt, "wrong block total length", start);
  advance(sizeof(uint32_t));
  return Step::done;
}

// Reads entries one by one, so that a list of any length passes through a small window.
template <typename ReadEntry>
ScapReader::Step ScapReader::read_entries(uint64_t left, ReadEntry read_entry) {
  constexpr uint64_t kLeastEntry = 4;  // less is padding
  while (left >= kLeastEntry) {
    size_t size = std::min<uint64_t>(left, kEntryWindow);
    for (;;) {
      // Less than wished for is enough when the entry is shorter.
      const bool whole = need(size);
      const Bytes window(cursor_, std::min(size, static_cast<size_t>(limit_ - cursor_)));
      const EntryResult entry = read_entry(window);
      if (entry.state == EntryResult::State::bad)
        return fail(Code::corrupt, std::string(entry.problem), offset());
      if (entry.state == EntryResult::State::done) {
        advance(entry.size);
        left -= entry.size;
        break;
      }
      if (!whole) return truncated("a list of what was there before the first event");
      if (size == left || size >= kMaxEntry || entry.size > left || entry.size > kMaxEntry)
        return fail(Code::corrupt, "an entry is longer than its block", offset());
      size = std::min<uint64_t>(left, kMaxEntry);
    }
  }
  return skip(left);
}

Status ScapReader::snapshot(event::SnapshotSink& sink) {
  sink_ = &sink;
  switch (read_metadata()) {
    case Step::done: return {};
    case Step::end: over_ = true; return {};
    case Step::failed: break;
  }
  return error_;
}

Next ScapReader::next_slowly(Event& event) {
  if (!over_ && !ready_ && read_metadata() == Step::end) over_ = true;
  while (!over_) {
    Block block;
    Step step = stream_->stopped() ? Step::end : peek_block(block);
    bool deliver = false;
    if (step == Step::done) {
      if (block.info.kind == BlockKind::event) {
        step = read_event(event, block, deliver);
      } else if (block.info.kind == BlockKind::section_header) {
        // Another capture follows in the same file.
        ready_ = false;
        step = read_section_header();
        if (step == Step::done) step = read_metadata();
      } else {
        step = fail(Code::corrupt, "unexpected block", offset());
      }
    }
    if (step == Step::end) over_ = true;
    if (deliver) {
      event.number = ++delivered_;
      return Next::event;
    }
  }
  ready_ = false;
  return failed_ ? Next::failed : Next::end;
}

ScapReader::Step ScapReader::read_event(Event& event, const Block& block, bool& deliver) {
  const size_t head = scap::kBlockHeaderSize + 2 + (block.info.has_dump_flags ? 4 : 0);
  if (block.total < head + sizeof(uint32_t))
    return fail(Code::corrupt, "event block too short", offset());
  if (block.total > kMaxEventBlock)
    return fail(Code::corrupt, "event block of " + std::to_string(block.total) + " bytes",
                offset());
  if (!need(block.total)) return truncated("an event");
  const auto cpu = load<uint16_t>(cursor_ + scap::kBlockHeaderSize);
  const Bytes body(cursor_ + head, block.total - head - sizeof(uint32_t));

  if (block.info.version == 1) {
    if (Step step = decode_v1(event, body, cpu); step != Step::done) return step;
  } else if (body.size() >= event::kHeaderSize &&
             load<uint16_t>(body.data() + 20) >= event::kEventCodeCount) {
    event.type = load<uint16_t>(body.data() + 20);
  } else if (!Event::decode_into(event, body, cpu)) {
    return fail(Code::corrupt, Event::decode(body, cpu).error().message, offset());
  }
  advance(block.total);

  if (event.type >= event::kEventCodeCount) {
    count_lost("unknown event type", event.type);
    return Step::done;
  }
  switch (converter_.convert(event)) {
    case scap::Converter::Outcome::deliver: deliver = true; break;
    case scap::Converter::Outcome::folded: ++not_delivered_; break;
    case scap::Converter::Outcome::no_rule:
      count_lost("unknown number of parameters", event.type);
      break;
    case scap::Converter::Outcome::bad_params:
      count_lost("parameters missing for conversion", event.type);
      break;
  }
  return Step::done;
}

// An event v1 does not tell how many parameters it has: as many as make the lengths fit, and the
// table's number first.
ScapReader::Step ScapReader::decode_v1(Event& event, Bytes body, uint16_t cpu) {
  if (body.size() < kHeaderSizeV1)
    return fail(Code::corrupt, "event shorter than its header", offset());
  const auto type = load<uint16_t>(body.data() + 20);
  event.type = type;
  if (type >= event::kEventCodeCount) return Step::done;
  uint64_t length = load<uint32_t>(body.data() + 16);
  // These two were written with a length that is 3 too large.
  if ((type == event::NOTIFICATION_E || type == event::INFRASTRUCTURE_EVENT_E) && length >= 3)
    length -= 3;
  if (length < kHeaderSizeV1 || length > body.size())
    return fail(Code::corrupt, "event length does not fit its block", offset());
  const size_t width = event::kHasLargePayload[type] ? 4 : 2;
  const uint8_t* lengths = body.data() + kHeaderSizeV1;
  auto fits = [&](size_t count) {
    uint64_t sum = kHeaderSizeV1 + count * width;
    if (sum > length) return false;
    for (size_t i = 0; i < count; ++i)
      sum += width == 4 ? load<uint32_t>(lengths + i * 4) : load<uint16_t>(lengths + i * 2);
    return sum == length;
  };
  size_t count = event::info(type).params.size();
  while (count != 0 && !fits(count)) --count;
  if (!fits(count)) return fail(Code::corrupt, "number of parameters can't be told", offset());

  rewritten_.assign(body.data(), kHeaderSizeV1);
  const auto count32 = static_cast<uint32_t>(count);
  const auto length32 = static_cast<uint32_t>(length + sizeof count32);
  std::memcpy(rewritten_.data() + 16, &length32, sizeof length32);
  rewritten_.append(reinterpret_cast<const uint8_t*>(&count32), sizeof count32);
  rewritten_.append(body.data() + kHeaderSizeV1, length - kHeaderSizeV1);
  if (!Event::decode_into(event, {rewritten_.data(), rewritten_.size()}, cpu))
    return fail(Code::corrupt, "parameters are longer than the event", offset());
  return Step::done;
}

void ScapReader::count_lost(std::string_view reason, uint16_t type) {
  ++not_delivered_;
  ++lost_[std::string(reason)];
  ++lost_by_type_[type < event::kEventCodeCount ? std::string(event::info(type).name)
                                                : "type " + std::to_string(type)];
}

SourceStats ScapReader::stats() const {
  return SourceStats{.seen = delivered_ + not_delivered_,
                     .delivered = delivered_,
                     .bytes = offset(),
                     .lost = lost_,
                     .lost_by_type = lost_by_type_};
}

}  // namespace saker::capture
