// tidewire/bytes.h - Bytes: octets that travel as a binary attachment, beside JSON instead of inside it.
//
// Immutable and shared: a copy is another reference to the same octets, so an attachment that is named twice, or that
// waits in several queues, is held once. Threads: as a shared_ptr; different threads may hold copies.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tidewire {

class Bytes {
 public:
  Bytes() noexcept = default;
  // Copies the octets.
  explicit Bytes(std::string_view octets) : Bytes(take(std::string(octets))) {}
  explicit Bytes(std::span<const std::byte> octets)
      : Bytes(std::string_view(reinterpret_cast<const char*>(octets.data()), octets.size())) {}

  // Takes the octets over, without a copy.
  static Bytes take(std::string octets) {
    Bytes bytes;
    if (!octets.empty()) bytes.octets_ = std::make_shared<const std::string>(std::move(octets));
    return bytes;
  }

  std::string_view view() const noexcept {
    return octets_ == nullptr ? std::string_view() : std::string_view(*octets_);
  }
  std::span<const std::byte> octets() const noexcept { return std::as_bytes(std::span<const char>(view())); }
  std::size_t size() const noexcept { return view().size(); }
  bool empty() const noexcept { return octets_ == nullptr; }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept {
    return a.octets_ == b.octets_ || a.view() == b.view();
  }

 private:
  std::shared_ptr<const std::string> octets_;  // null when there are none
};

}  // namespace tidewire
