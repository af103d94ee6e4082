#include "capture/scap/writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "capture/scap/blocks.h"

namespace saker::capture {

using event::FdType;
using formats::Compression;

namespace {

// Metadata blocks get a little longer than this at most.
constexpr size_t kBlockBytes = 64 * 1024;
// What readers of the format accept: strings, lists of strings, event blocks without large payload.
constexpr size_t kMaxPath = 1023;
constexpr size_t kMaxList = 4095;
constexpr size_t kMaxName = 255;
constexpr size_t kMaxEventBlock = 65'535;
constexpr size_t kHostnameSize = 128;

Compression compression_of(const ScapWriterOptions& options) {
  if (options.compression) return *options.compression;
  if (options.path.ends_with(".gz")) return Compression::gzip;
  if (options.path.ends_with(".zst")) return Compression::zstd;
  return Compression::none;
}

}  // namespace

Result<std::unique_ptr<ScapWriter>> ScapWriter::create(const ScapWriterOptions& options) {
  auto file = SAKER_TRY(scap::CompressedFile::create(options.path, compression_of(options)));
  std::unique_ptr<ScapWriter> writer(new ScapWriter(std::move(file)));
  writer->put(scap::kSectionMagic);
  writer->put(scap::kMajorVersion);
  writer->put(scap::kMinorVersion);
  writer->put(~uint64_t{0});  // length of the section: unknown
  writer->code_ = scap::kSectionHeader;
  SAKER_CHECK(writer->end_block());
  return writer;
}

ScapWriter::~ScapWriter() = default;

template <typename T>
void ScapWriter::put(T value) {
  put_bytes({reinterpret_cast<const uint8_t*>(&value), sizeof value});
}

void ScapWriter::put_bytes(Bytes bytes) {
  body_.append(bytes.data(), bytes.size());
}

void ScapWriter::put_text(std::string_view text, size_t limit) {
  text = text.substr(0, limit);
  put(static_cast<uint16_t>(text.size()));
  put_bytes(as_bytes(text));
}

void ScapWriter::begin_entry(uint32_t code, int64_t tid) {
  if (code != code_ || tid != tid_ || body_.size() >= kBlockBytes) {
    if (Status status = end_block(); !status.ok()) status_ = status;
    code_ = code;
    tid_ = tid;
    if (code == scap::kFdListV2) put(tid);
  }
  put(uint32_t{0});  // the entry's length, filled in at its end
}

// The entry began at `start`; its length does not count the first `not_counted` bytes.
void ScapWriter::end_entry(size_t start, size_t not_counted) {
  const auto size = static_cast<uint32_t>(body_.size() - start - not_counted);
  std::memcpy(body_.data() + start, &size, sizeof size);
}

Status ScapWriter::end_block() {
  if (code_ == 0) return {};
  Status status = write_block(code_, body_, {});
  body_.clear();
  code_ = 0;
  return status;
}

Status ScapWriter::write_block(uint32_t code, Bytes head, Bytes body) {
  constexpr std::array<uint8_t, 4> kPadding{};
  const size_t size = head.size() + body.size();
  const size_t padding = (4 - size % 4) % 4;
  const auto total = static_cast<uint32_t>(scap::kBlockFrameSize + size + padding);
  std::array<uint8_t, scap::kBlockHeaderSize> header;
  std::memcpy(header.data(), &code, sizeof code);
  std::memcpy(header.data() + 4, &total, sizeof total);
  SAKER_CHECK(file_->write(header));
  SAKER_CHECK(file_->write(head));
  SAKER_CHECK(file_->write(body));
  SAKER_CHECK(file_->write(Bytes(kPadding).first(padding)));
  SAKER_CHECK(file_->write(Bytes(header).subspan(4)));
  bytes_ += total;
  return {};
}

void ScapWriter::on_machine(const event::MachineInfo& machine) {
  if (has_events_) return;
  if (Status status = end_block(); !status.ok()) status_ = status;
  code_ = scap::kMachineInfo;
  put(machine.cpus);
  put(machine.memory_bytes);
  put(machine.max_pid);
  std::array<uint8_t, kHostnameSize> hostname{};
  std::memcpy(hostname.data(), machine.hostname.data(),
              std::min(machine.hostname.size(), kHostnameSize - 1));
  put_bytes(hostname);
  put(machine.boot_time_ns);
  put(machine.flags);
  put(uint64_t{0});
  put(uint64_t{0});
  if (Status status = end_block(); !status.ok()) status_ = status;
}

void ScapWriter::on_process(const event::ProcessEntry& process) {
  if (has_events_) return;
  begin_entry(scap::kProcessListV9, 0);
  const size_t start = body_.size() - sizeof(uint32_t);
  put(process.tid);
  put(process.pid);
  put(process.ptid);
  put(process.sid);
  put(process.vpgid);
  put_text(process.comm, kMaxPath);
  put_text(process.exe, kMaxPath);
  put_text(process.exepath, kMaxPath);
  put_text(process.args, kMaxList);
  put_text(process.cwd, kMaxPath);
  put(process.fdlimit);
  put(process.flags);
  put(process.uid);
  put(process.gid);
  put(process.vmsize_kb);
  put(process.vmrss_kb);
  put(process.vmswap_kb);
  put(process.pfmajor);
  put(process.pfminor);
  put_text(process.env, kMaxList);
  put(process.vtid);
  put(process.vpid);
  put_text(process.cgroups, kMaxList);
  put_text(process.root, kMaxPath);
  put(process.pidns_init_start_ts);
  put(process.tty);
  put(process.loginuid);
  put(static_cast<uint8_t>(process.exe_writable));
  put(process.cap_inheritable);
  put(process.cap_permitted);
  put(process.cap_effective);
  put(static_cast<uint8_t>(process.exe_upper_layer));
  put(process.exe_ino);
  put(process.exe_ino_ctime);
  put(process.exe_ino_mtime);
  put(static_cast<uint8_t>(process.exe_from_memfd));
  put(static_cast<uint8_t>(process.exe_lower_layer));
  put(process.pgid);
  end_entry(start, 0);
}

void ScapWriter::on_fd(const event::FdEntry& fd) {
  if (has_events_) return;
  begin_entry(scap::kFdListV2, fd.tid);
  const size_t start = body_.size() - sizeof(uint32_t);
  FdType type = fd.type;
  if (type == FdType::file && (fd.open_flags != 0 || fd.dev != 0)) type = FdType::file_v2;
  const size_t ip_size = type == FdType::ipv6_socket || type == FdType::ipv6_server ? 16 : 4;
  put(fd.fd);
  put(fd.ino);
  put(static_cast<uint8_t>(type));
  switch (type) {
    case FdType::unknown: break;
    case FdType::ipv4_socket:
    case FdType::ipv6_socket:
      put_bytes(Bytes(fd.source_ip).first(ip_size));
      put_bytes(Bytes(fd.dest_ip).first(ip_size));
      put(fd.source_port);
      put(fd.dest_port);
      put(static_cast<uint8_t>(fd.l4));
      break;
    case FdType::ipv4_server:
    case FdType::ipv6_server:
      put_bytes(Bytes(fd.source_ip).first(ip_size));
      put(fd.source_port);
      put(static_cast<uint8_t>(fd.l4));
      break;
    case FdType::unix_socket:
      put(fd.unix_source);
      put(fd.unix_dest);
      put_text(fd.name, kMaxPath);
      break;
    case FdType::file_v2:
      put(fd.open_flags);
      put_text(fd.name, kMaxPath);
      put(fd.dev);
      break;
    default: put_text(fd.name, kMaxPath); break;
  }
  end_entry(start, 0);
}

void ScapWriter::on_user(const event::UserEntry& user) {
  if (has_events_ || !user.container_id.empty()) return;
  begin_entry(scap::kUserListV2, 0);
  const size_t start = body_.size() - sizeof(uint32_t);
  put(static_cast<uint8_t>(user.is_group));
  put(user.id);
  if (!user.is_group) put(user.gid);
  put_text(user.name, kMaxName);
  if (!user.is_group) {
    put_text(user.home, kMaxName);
    put_text(user.shell, kMaxName);
  }
  end_entry(start, 0);
}

void ScapWriter::on_interface(const event::InterfaceEntry& interface) {
  if (has_events_) return;
  begin_entry(scap::kInterfaceListV2, 0);
  const size_t start = body_.size() - sizeof(uint32_t);
  const size_t ip_size = interface.is_ipv6 ? 16 : 4;
  const std::string_view name = interface.name.substr(0, kMaxName);
  constexpr std::array<uint8_t, 16> kNoBroadcast{};
  put(static_cast<uint16_t>(interface.is_ipv6 ? 2 : 1));
  put(static_cast<uint16_t>(name.size()));
  put_bytes(Bytes(interface.address).first(ip_size));
  put_bytes(Bytes(interface.netmask).first(ip_size));
  put_bytes(Bytes(kNoBroadcast).first(ip_size));
  put(uint64_t{0});  // link speed
  put_bytes(as_bytes(name));
  end_entry(start, sizeof(uint32_t));
}

Status ScapWriter::write(const event::Event& event) {
  SAKER_CHECK(status_);
  if (code_ != 0) SAKER_CHECK(end_block());
  has_events_ = true;
  if (event.source != event::Source::syscall || event.record == nullptr)
    return Error{.code = Code::unsupported, .message = "only syscall events go into a capture"};
  constexpr size_t kOverhead = scap::kBlockFrameSize + sizeof event.cpu + 3;
  if (!event.large && event.length + kOverhead > kMaxEventBlock) {
    ++skipped_;
    return {};
  }
  SAKER_CHECK(write_block(event.large ? scap::kEventV2Large : scap::kEventV2,
                          {reinterpret_cast<const uint8_t*>(&event.cpu), sizeof event.cpu},
                          {event.record, event.length}));
  ++events_;
  return {};
}

Status ScapWriter::flush() {
  SAKER_CHECK(status_);
  SAKER_CHECK(end_block());
  return file_->flush();
}

Status ScapWriter::close() {
  SAKER_CHECK(status_);
  SAKER_CHECK(end_block());
  return file_->close();
}

}  // namespace saker::capture
