// Socket addresses of parameters as text. Layout: family u8, then for IPv4 address and port (twice
// in a tuple), for IPv6 the same with 16 bytes, for unix sockets two u64 (in a tuple) and the path.
// Addresses in network order, ports in host order.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/text_builder.h"
#include "filter/field.h"

namespace saker::fields {

// "1.2.3.4:80", "/run/x.sock".
std::string_view render_sockaddr(const filter::EvalContext& context, Bytes bytes);

// "1.2.3.4:80->5.6.7.8:90", "ffff88->ffff89 /run/x.sock".
std::string_view render_socktuple(const filter::EvalContext& context, Bytes bytes);

// An address of 4 or 16 bytes.
std::string_view render_ip(const filter::EvalContext& context, Bytes bytes);

// 4 bytes as IPv4, 16 as IPv6; IPv4 in IPv6 as IPv4.
void append_ip(Bytes bytes, TextBuilder& out);

}  // namespace saker::fields
