// base/limits.h - every hard bound of the engine on one page. Tunable bounds live in include/tidewire/options.h, each within
// the hard bound named here. Bytes unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidewire::base::limits {

// http: one request head.
inline constexpr std::size_t kHeaderLineBytesMax = 8 * 1024;
inline constexpr std::size_t kRequestTargetBytesMax = 8 * 1024;
inline constexpr std::size_t kRequestHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kHeaderCountMax = 100;
inline constexpr std::size_t kChunkExtensionBytesMax = 256;     // per chunk line
inline constexpr std::size_t kChunkExtensionTotalMax = 1024;    // per message
inline constexpr std::size_t kTrailerBytesMax = 1024;
inline constexpr std::int64_t kRequestHeadTimeMs = 10'000;      // from accept or from the first byte of the next request
inline constexpr std::int64_t kKeepAliveIdleMs = 30'000;
inline constexpr std::int64_t kBodyGraceMs = 5'000;             // then kBodyBytesPerSecondMin
inline constexpr std::size_t kBodyBytesPerSecondMin = 1024;
inline constexpr std::size_t kPipelineBytesMax = 16 * 1024;     // unparsed bytes behind an unanswered request

// websocket
inline constexpr std::size_t kFrameHeaderBytesMax = 14;
inline constexpr std::size_t kControlPayloadBytesMax = 125;
inline constexpr std::uint32_t kFragmentsPerMessageMax = 16'384;
inline constexpr std::int64_t kMessageCompletionMs = 30'000;    // first byte of a message to its last
inline constexpr std::int64_t kCloseLingerMs = 2'000;           // our CLOSE sent, theirs not here: end the stream

// engineio
inline constexpr std::size_t kSidBytes = 15;                    // raw; 20 characters of base64url
inline constexpr std::size_t kSidTextBytes = 20;
inline constexpr std::size_t kPacketsPerPayloadMax = 10'000;
inline constexpr std::size_t kPacketsPerTurn = 64;              // of one payload, then the other connections get their turn
inline constexpr std::int64_t kFirstRequestMs = 10'000;         // after the handshake answer
inline constexpr std::size_t kUnreturnedSessionBytes = 2 * 1024; // of a session that has never come back, on average
inline constexpr std::size_t kMessageBytesBeforeAdmission = 64 * 1024;  // kept for a peer that no namespace has let in
inline constexpr std::size_t kFirstMessageBytesMax = 128 * 1024; // of one message until then: enough to say what is wrong with it

// socketio
inline constexpr std::size_t kNamespaceNameBytesMax = 256;
inline constexpr std::size_t kNamespacesPerConnectionMax = 16;
inline constexpr std::uint64_t kAckIdMax = (std::uint64_t{1} << 53) - 1;
inline constexpr std::int64_t kAttachmentsCompletionMs = 10'000;
inline constexpr std::int64_t kLateNamespacePacketMs = 10'000;  // packets for a namespace just left are ignored, not punished
inline constexpr std::size_t kPacketsBeforeConnectMax = 64;     // queued behind a pending CONNECT

// hub
inline constexpr std::size_t kRoomNameBytesMax = 128;
inline constexpr std::size_t kRoomsPerMemberMax = 256;
inline constexpr std::size_t kPendingAcksPerMemberMax = 1024;
inline constexpr std::size_t kDynamicNamespacesMax = 1'000'000;  // of the server; see Options::dynamic_namespaces_max
inline constexpr std::size_t kRoomsMax = 100'000'000;           // of the server; see Options::rooms_max
inline constexpr std::size_t kPastNamespacesPerTenantMax = 256; // emptied and forgotten, whose totals each shard remembers
inline constexpr std::size_t kPastTenantsMax = 1024;            // with such namespaces

// json
inline constexpr std::size_t kJsonDepthDefault = 64;
inline constexpr std::size_t kJsonDepthMax = 512;
inline constexpr std::size_t kJsonNumberBytesMax = 32;
inline constexpr std::size_t kJsonNodesBeforeConnectMax = 10'000;

// turns and threads
inline constexpr std::size_t kReceiveBufferBytes = 256 * 1024;  // one per shard
inline constexpr std::size_t kInputBytesPerTurn = 256 * 1024;   // of one connection
inline constexpr std::size_t kAcceptsPerTurn = 64;
inline constexpr std::size_t kTlsHandshakesPerTurn = 16;
inline constexpr std::size_t kMailboxItemsMax = 65'536;
inline constexpr std::int64_t kDelayMsMax = std::int64_t{100} * 366 * 86'400'000;  // that an application may ask for: a century

static_assert(kRoomsPerMemberMax <= kRoomsMax);
static_assert(kHeaderLineBytesMax <= kRequestHeadBytesMax);
static_assert(kRequestHeadBytesMax < kReceiveBufferBytes);
static_assert(kJsonDepthDefault <= kJsonDepthMax);

}  // namespace tidewire::base::limits
