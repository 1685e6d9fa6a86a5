#include "engineio/sid.h"

#include "base/assert.h"
#include "base/base64.h"

namespace tidewire::engineio {
namespace {

constexpr std::size_t kRandomBytes = 12;

}  // namespace

SidSource::SidSource(base::Random& random, std::uint32_t shard) : random_(random), shard_(static_cast<std::uint8_t>(shard)) {
  TW_ASSERT(shard < 256);
}

Sid SidSource::next() {
  Sid sid;
  random_.fill(std::span(sid).first(kRandomBytes));
  sid[kRandomBytes] = shard_;
  sid[kRandomBytes + 1] = static_cast<unsigned char>(counter_ >> 8);
  sid[kRandomBytes + 2] = static_cast<unsigned char>(counter_ & 0xff);
  ++counter_;
  return sid;
}

std::string sid_text(const Sid& sid) {
  std::string text(base::limits::kSidTextBytes, '\0');
  base::base64url_encode(sid, text.data());
  return text;
}

std::optional<Sid> parse_sid(std::string_view text) noexcept {
  Sid sid;
  if (text.size() != base::limits::kSidTextBytes || !base::base64url_decode(text, sid)) return std::nullopt;
  return sid;
}

}  // namespace tidewire::engineio
