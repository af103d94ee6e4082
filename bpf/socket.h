// Socket addresses: of the caller's structure, and of the kernel's socket.
#pragma once

#include "files.h"

enum { kUnix = 1, kInet = 2, kInet6 = 10, kAddressBytes = 110 };

ALWAYS u16 host_order(u16 port) { return __builtin_bswap16(port); }

ALWAYS u64 hidden(void *pointer) { return pointer ? (u64)pointer ^ pointer_key : 0; }

// Reads the caller's address into r->address, zeros behind it; returns its family, or 0.
CHECKED_APART int read_address(struct Record *r, u64 pointer, u32 length) {
  if (!r) return 0;
  __builtin_memset(r->address, 0, sizeof r->address);
  length &= 0xffff;
  if (!pointer || length < 2) return 0;
  if (length > kAddressBytes) length = kAddressBytes;
  if (bpf_probe_read_user(r->address, bounded(length, 127), (void *)pointer)) return 0;
  return *(u16 *)&r->address[0];
}

// The name of a unix address whose path is at `from`, with its NUL; the leading NUL of abstract names is skipped.
CHECKED_APART int copy_unix_name(struct Record *r, u64 from, u32 pos) {
  if (!r) return 0;
  char first = 0;
  bpf_probe_read_kernel(&first, 1, (void *)from);
  if (!first) ++from;
  const long length = bpf_probe_read_kernel_str(BYTE_AT(r, pos), first ? 109 : 108, (void *)from);
  if (length > 0) return length;
  *BYTE_AT(r, pos) = 0;
  return 1;
}

CHECKED_APART int put_address(struct Record *r, u64 pointer, u32 length) {
  if (!r) return 0;
  const u32 family = read_address(r, pointer, length);
  const u32 pos = r->pos;
  if (family == kInet) {
    *BYTE_AT(r, pos) = kInet;
    *(u32 *)BYTE_AT(r, pos + 1) = *(u32 *)&r->address[4];
    *(u16 *)BYTE_AT(r, pos + 5) = host_order(*(u16 *)&r->address[2]);
    end_param(r, 7);
  } else if (family == kInet6) {
    *BYTE_AT(r, pos) = kInet6;
    __builtin_memcpy(BYTE_AT(r, pos + 1), &r->address[8], 16);
    *(u16 *)BYTE_AT(r, pos + 17) = host_order(*(u16 *)&r->address[2]);
    end_param(r, 19);
  } else if (family == kUnix) {
    *BYTE_AT(r, pos) = kUnix;
    end_param(r, 1 + copy_unix_name(r, number_of(r, &r->address[2]), pos + 1));
  } else {
    put_empty(r);
  }
  return 0;
}

ALWAYS struct sock *sock_of_file(struct file *file) {
  if (mode_of(file) != kModeSocket) return 0;
  struct socket *socket = BPF_CORE_READ(file, private_data);
  return BPF_CORE_READ(socket, sk);
}

ALWAYS struct sock *sock_of(struct Record *r, s64 fd) { return sock_of_file(file_of(r, fd)); }

// The bound path of a unix socket into the buffer; one NUL byte when it has none.
ALWAYS u32 copy_bound_name(struct Record *r, struct sock *sk, u32 pos) {
  struct unix_sock *own = (struct unix_sock *)sk;
  struct unix_address *address = sk ? BPF_CORE_READ(own, addr) : 0;
  if (!address || BPF_CORE_READ(address, len) <= 2) {
    *BYTE_AT(r, pos) = 0;
    return 1;
  }
  return copy_unix_name(r, (u64)address + bpf_core_field_offset(struct unix_address, name) + 2, pos);
}

CHECKED_APART int put_unix_tuple(struct Record *r, u64 address, u32 inbound, u64 user) {
  if (!r) return 0;
  struct sock *sk = (struct sock *)address;
  struct unix_sock *own = (struct unix_sock *)sk;
  struct sock *peer = BPF_CORE_READ(own, peer);
  const u32 pos = r->pos;
  *BYTE_AT(r, pos) = kUnix;
  *(u64 *)BYTE_AT(r, pos + 1) = inbound ? hidden(sk) : hidden(peer);
  *(u64 *)BYTE_AT(r, pos + 9) = inbound ? hidden(peer) : hidden(sk);
  u32 length;
  if (inbound)
    length = copy_bound_name(r, sk, pos + 17);
  else if (peer || read_address(r, user, kAddressBytes) != kUnix)
    length = copy_bound_name(r, peer, pos + 17);
  else
    length = copy_unix_name(r, number_of(r, &r->address[2]), pos + 17);
  end_param(r, 17 + length);
  return 0;
}

ALWAYS void note_ports(struct Record *r, u16 source, u16 destination) {
  r->ports[0] = source;
  r->ports[1] = destination;
  r->has_ports = 1;
}

CHECKED_APART int put_tuple(struct Record *r, s64 fd, u32 inbound, u64 user) {
  if (!r) return 0;
  struct sock *sk = sock_of(r, fd);
  const u32 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
  if (family == kUnix) return put_unix_tuple(r, (u64)sk, inbound, user);
  if (family != kInet && family != kInet6) {
    put_empty(r);
    return 0;
  }
  struct inet_sock *inet = (struct inet_sock *)sk;
  const u16 local_port = host_order(BPF_CORE_READ(inet, inet_sport));
  u16 remote_port = host_order(BPF_CORE_READ(sk, __sk_common.skc_dport));
  u32 from_user = 0;
  if (remote_port == 0 && user && read_address(r, user, family == kInet ? 16 : 28)) {
    from_user = 1;
    remote_port = host_order(*(u16 *)&r->address[2]);
  }
  const u32 size = family == kInet ? 4 : 16;
  const u32 pos = r->pos;
  const u32 local = pos + (inbound ? 1 + size + 2 : 1);
  const u32 remote = pos + (inbound ? 1 : 1 + size + 2);
  *BYTE_AT(r, pos) = family;
  if (family == kInet) {
    *(u32 *)BYTE_AT(r, local) = BPF_CORE_READ(inet, inet_saddr);
    *(u32 *)BYTE_AT(r, remote) =
        from_user ? *(u32 *)&r->address[4] : BPF_CORE_READ(sk, __sk_common.skc_daddr);
  } else {
    struct in6_addr ours = {}, theirs = {};
    BPF_CORE_READ_INTO(&ours, inet, pinet6, saddr);
    if (from_user)
      __builtin_memcpy(&theirs, &r->address[8], 16);
    else
      BPF_CORE_READ_INTO(&theirs, sk, __sk_common.skc_v6_daddr);
    __builtin_memcpy(BYTE_AT(r, local), &ours, 16);
    __builtin_memcpy(BYTE_AT(r, remote), &theirs, 16);
  }
  *(u16 *)BYTE_AT(r, local + size) = local_port;
  *(u16 *)BYTE_AT(r, remote + size) = remote_port;
  end_param(r, 1 + 2 * (size + 2));
  if (inbound)
    note_ports(r, remote_port, local_port);
  else
    note_ports(r, local_port, remote_port);
  return 0;
}

// Whether the fd is a socket without a peer in the kernel: a datagram on it tells the peer.
ALWAYS int is_unconnected(struct Record *r, s64 fd) {
  struct sock *sk = sock_of(r, fd);
  if (!sk) return 0;
  const u32 family = BPF_CORE_READ(sk, __sk_common.skc_family);
  if (family == kInet || family == kInet6) return BPF_CORE_READ(sk, __sk_common.skc_dport) == 0;
  return family == kUnix && !BPF_CORE_READ((struct unix_sock *)sk, peer);
}
