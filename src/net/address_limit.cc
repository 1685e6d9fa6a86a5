#include "net/address_limit.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace tidewire::net {

struct AddressLimit::Place {
  Place(std::shared_ptr<AddressLimit> the_limit, const Key& the_key) : limit(std::move(the_limit)), key(the_key) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { limit->leave(key); }
  const std::shared_ptr<AddressLimit> limit;
  const Key key;
};

AddressLimit::Key AddressLimit::key_of(const Address& address) noexcept {
  Key key = address.ip;
  if (!address.is_v4()) std::fill(key.begin() + 8, key.end(), std::uint8_t{0});
  return key;
}

AddressPlace AddressLimit::take(const Address& address) {
  const Key key = key_of(address);
  {
    const std::lock_guard lock(mutex_);
    std::size_t& open = open_[key];
    if (open >= connections_max_) return nullptr;
    ++open;
  }
  return std::make_shared<Place>(shared_from_this(), key);
}

void AddressLimit::leave(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(key);
  TW_ASSERT(found != open_.end());
  if (--found->second == 0) open_.erase(found);
}

std::size_t AddressLimit::open_from(const Address& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(key_of(address));
  return found == open_.end() ? 0 : found->second;
}

std::size_t AddressLimit::size() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace tidewire::net
