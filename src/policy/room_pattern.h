// policy/room_pattern.h - which rooms a rule is about: exact names, and names with places to fill in.
//
//   global            that room
//   user:{id}         user:42, user:a-b; neither user: nor user:42:x
//   doc:{project}:{id}    two values
//   lobby-{n}         lobby-1
//
// A room's name is segments between ':'. A place takes the rest of its segment, at least one byte; a ':' is in no value. So each
// name matches in at most one way, and a value never reaches over into the next segment: doc:a:b is project a, document b, whoever
// chose the names. Bytes are compared as they are: case and look-alikes count.
//
// Among patterns that match one room the most particular wins, in whatever order they were added: an exact name, then more
// literal bytes, then the one whose literals come earlier.
//
// Limits: kRoomNameBytesMax, kPlacesMax, kPatternsMax. Lifetime: matches are views of the room's name and of the pattern.
// Threads: immutable after compile.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "tidewire/status.h"

namespace tidewire::policy {

// 1 to kRoomNameBytesMax bytes of UTF-8 without control characters.
bool valid_room_name(std::string_view name) noexcept;

class RoomMatch {
 public:
  // What stands in the place of that name; empty when there is none (a value is never empty).
  std::string_view operator[](std::string_view name) const noexcept;
  // In the order of the pattern: name, value.
  const auto& values() const noexcept { return values_; }

 private:
  friend class RoomPattern;
  absl::InlinedVector<std::pair<std::string_view, std::string_view>, 4> values_;
};

class RoomPattern {
 public:
  static constexpr std::size_t kPlacesMax = 8;

  // Or what is wrong and at which byte, from 0.
  static Result<RoomPattern> compile(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  // Without places.
  bool exact() const noexcept { return place_count_ == 0; }
  std::vector<std::string_view> names() const;

  // REQUIRES: valid_room_name(room)
  std::optional<RoomMatch> match(std::string_view room) const;

  // Whether both match the same rooms; the names of their places do not count.
  bool same_shape(const RoomPattern& other) const noexcept;
  // Whether this is to be tried before the other.
  bool before(const RoomPattern& other) const noexcept;

 private:
  struct Segment {
    std::string literal;
    bool place = false;  // behind the literal
    std::string name;
  };

  std::string text_;
  std::vector<Segment> segments_;
  std::size_t place_count_ = 0;
  std::size_t literal_bytes_ = 0;
};

// Something for each pattern, found by a room's name.
template <typename T>
class RoomPatternTable {
 public:
  static constexpr std::size_t kPatternsMax = 1'000;

  struct Found {
    const T* value;  // lives until the next add()
    RoomMatch match;
  };

  // Refuses a pattern of the shape of an earlier one: which of them should count?
  Status add(RoomPattern pattern, T value) {
    std::size_t at = entries_.size();
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (entries_[i].first.same_shape(pattern)) return clash(pattern, entries_[i].first);
      if (pattern.before(entries_[i].first)) at = i;
    }
    if (entries_.size() == kPatternsMax) return Status(StatusCode::kResourceExhausted, "too many room patterns");
    entries_.emplace(entries_.begin() + static_cast<std::ptrdiff_t>(at), std::move(pattern), std::move(value));
    return Status();
  }

  // The most particular pattern that matches. REQUIRES: valid_room_name(room)
  std::optional<Found> find(std::string_view room) const {
    for (const auto& [pattern, value] : entries_) {
      if (std::optional<RoomMatch> match = pattern.match(room)) return Found{&value, std::move(*match)};
    }
    return std::nullopt;
  }

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  static Status clash(const RoomPattern& pattern, const RoomPattern& earlier) {
    return Status(StatusCode::kAlreadyExists, "the room patterns " + earlier.text() + " and " + pattern.text() + " match the same rooms");
  }

  std::vector<std::pair<RoomPattern, T>> entries_;  // in the order of before()
};

}  // namespace tidewire::policy
