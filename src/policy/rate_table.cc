#include "policy/rate_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace tidewire::policy {

RateTable::RateTable(const Rate& rate, std::size_t entries_max)
    : rate_(rate),
      entries_max_(std::clamp<std::size_t>(entries_max, 1, kNone - 1)),
      index_(0, Hash{&entries_}, Equal{&entries_}) {}

bool RateTable::take(std::string_view key, base::Milliseconds now, std::uint32_t tokens) {
  key = key.substr(0, kKeyBytesMax);
  const auto found = index_.find(key);
  const Slot slot = found == index_.end() ? add(key, now) : *found;
  if (slot != newest_) {
    unlink(slot);
    link_newest(slot);
  }
  return entries_[slot].bucket.take(rate_, now, tokens);
}

base::Milliseconds RateTable::wait_ms(std::string_view key, base::Milliseconds now, std::uint32_t tokens) {
  const auto found = index_.find(key.substr(0, kKeyBytesMax));
  return found == index_.end() ? 0 : entries_[*found].bucket.wait_ms(rate_, now, tokens);
}

RateTable::Slot RateTable::add(std::string_view key, base::Milliseconds now) {
  Slot slot;
  if (entries_.size() < entries_max_) {
    slot = static_cast<Slot>(entries_.size());
    entries_.push_back({std::string(key), TokenBucket(rate_, now), kNone, kNone});
    bytes_ += sizeof(Entry) + sizeof(Slot);
  } else {
    slot = slot_to_evict(now);
    Entry& entry = entries_[slot];
    index_.erase(slot);
    unlink(slot);
    bytes_ -= entry.key.size();
    entry.key = std::string(key);  // a new string: an assignment would keep the longest that was ever here
    entry.bucket = TokenBucket(rate_, now);
  }
  bytes_ += key.size();
  charge_.set(bytes_);
  index_.insert(slot);
  link_newest(slot);
  return slot;
}

RateTable::Slot RateTable::slot_to_evict(base::Milliseconds now) {
  Slot slot = oldest_;
  for (std::size_t i = 0; i < kScanned && slot != kNone; ++i, slot = entries_[slot].newer) {
    if (entries_[slot].bucket.full(rate_, now)) return slot;
  }
  return oldest_;
}

void RateTable::unlink(Slot slot) noexcept {
  const Entry& entry = entries_[slot];
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
}

void RateTable::link_newest(Slot slot) noexcept {
  entries_[slot].older = newest_;
  entries_[slot].newer = kNone;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = slot;
  newest_ = slot;
}

std::string address_key(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));  // without the zone of a link-local address
  in6_addr bytes;
  if (inet_pton(AF_INET6, text.c_str(), &bytes) != 1) return std::string(address);
  char printed[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    in_addr last;
    std::memcpy(&last, bytes.s6_addr + 12, sizeof last);
    return inet_ntop(AF_INET, &last, printed, sizeof printed);
  }
  std::memset(bytes.s6_addr + 8, 0, 8);
  return std::string(inet_ntop(AF_INET6, &bytes, printed, sizeof printed)) + "/64";
}

}  // namespace tidewire::policy
