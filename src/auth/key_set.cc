#include "auth/key_set.h"

#include <algorithm>
#include <utility>

namespace tidewire::auth {

Result<KeySet> KeySet::of(std::vector<Key> keys) {
  const auto refused = [](const char* why) { return Status(StatusCode::kInvalidArgument, why); };
  if (keys.size() > kKeysPerSetMax) return refused("more than 100 keys for one issuer");
  std::vector<std::string_view> names;
  for (const Key& key : keys) {
    if (!key.kid().empty()) names.push_back(key.kid());
  }
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) != names.end())
    return refused("the same kid twice among the keys of one issuer");
  return KeySet(std::move(keys));
}

KeySet::Candidates KeySet::candidates(std::optional<std::string_view> kid, Algorithm algorithm) const {
  Candidates found;
  const auto named = [&kid](const Key& key) { return kid && !kid->empty() && key.kid() == *kid; };
  found.kid_known = std::ranges::any_of(keys_, named);
  for (const Key& key : keys_) {
    if (found.keys.size() == kKeysTriedMax) break;
    const bool may_be = !kid || (found.kid_known ? named(key) : key.kid().empty());
    if (may_be && key.algorithms().contains(algorithm)) found.keys.push_back(&key);
  }
  return found;
}

}  // namespace tidewire::auth
