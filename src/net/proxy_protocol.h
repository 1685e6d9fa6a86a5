// net/proxy_protocol.h - the PROXY protocol, versions 1 (text) and 2 (binary): which client a load balancer speaks for.
//
// Pure: a function of the bytes. Strict: what is not exactly a header is malformed, and the connection is closed, since a
// guess would let a client name its own address.
// Limits: kProxyHeaderBytesMax. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/address.h"

namespace tidewire::net {

enum class ProxyOutcome : std::uint8_t {
  kNeedMore,
  kMalformed,
  kAddress,  // `source` is the client
  kLocal,    // the proxy speaks for itself, or does not know (LOCAL, UNKNOWN, UNIX sockets)
};

struct ProxyHeader {
  ProxyOutcome outcome = ProxyOutcome::kNeedMore;
  std::size_t bytes = 0;  // of the header, when it is complete; the stream begins behind it
  Address source;
};

inline constexpr std::size_t kProxyHeaderBytesMax = 2048;  // version 2 with its extensions, which are skipped

// Reads the header at the beginning of `input`.
ProxyHeader read_proxy_header(std::string_view input);

}  // namespace tidewire::net
