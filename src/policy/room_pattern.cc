#include "policy/room_pattern.h"

#include <algorithm>

#include "base/limits.h"
#include "base/utf8.h"
#include "policy/template.h"

namespace tidewire::policy {

bool valid_room_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= base::limits::kRoomNameBytesMax && base::valid_utf8(name) &&
         !base::has_control_characters(name);
}

std::string_view RoomMatch::operator[](std::string_view name) const noexcept {
  const auto found = std::ranges::find(values_, name, &std::pair<std::string_view, std::string_view>::first);
  return found == values_.end() ? std::string_view() : found->second;
}

// A pattern is a room template whose places are names, so both take the same texts.
Result<RoomPattern> RoomPattern::compile(std::string_view text) {
  Result<Template> parts = Template::compile(text, Template::Use::kRoom);
  if (!parts.ok()) return parts.status();
  RoomPattern pattern;
  pattern.text_ = text;
  pattern.segments_.emplace_back();
  for (const Template::Piece& piece : parts->pieces()) {
    std::string_view literal = piece.literal;
    pattern.literal_bytes_ += literal.size();
    for (std::size_t colon; (colon = literal.find(':')) != std::string_view::npos; literal.remove_prefix(colon + 1)) {
      pattern.segments_.back().literal += literal.substr(0, colon);
      pattern.segments_.emplace_back();
    }
    pattern.segments_.back().literal += literal;
    if (piece.path.empty()) continue;
    const auto names = pattern.names();
    if (std::ranges::find(names, piece.path) != names.end()) {
      return Status(StatusCode::kInvalidArgument, "room pattern " + pattern.text_ + ": the place {" + piece.path + "} comes twice");
    }
    pattern.segments_.back().place = true;
    pattern.segments_.back().name = piece.path;
    ++pattern.place_count_;
  }
  if (pattern.place_count_ > kPlacesMax) {
    return Status(StatusCode::kInvalidArgument, "room pattern " + pattern.text_ + ": more than 8 places");
  }
  return pattern;
}

std::vector<std::string_view> RoomPattern::names() const {
  std::vector<std::string_view> names;
  for (const Segment& segment : segments_) {
    if (segment.place) names.emplace_back(segment.name);
  }
  return names;
}

std::optional<RoomMatch> RoomPattern::match(std::string_view room) const {
  if (exact()) return room == text_ ? std::optional(RoomMatch()) : std::nullopt;
  RoomMatch match;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const std::size_t colon = room.find(':');
    const bool last = i + 1 == segments_.size();
    if (last != (colon == std::string_view::npos)) return std::nullopt;
    std::string_view part = room.substr(0, colon);
    if (!part.starts_with(segment.literal)) return std::nullopt;
    part.remove_prefix(segment.literal.size());
    if (segment.place == part.empty()) return std::nullopt;
    if (segment.place) match.values_.emplace_back(segment.name, part);
    if (!last) room.remove_prefix(colon + 1);
  }
  return match;
}

bool RoomPattern::same_shape(const RoomPattern& other) const noexcept {
  return std::ranges::equal(segments_, other.segments_, [](const Segment& a, const Segment& b) {
    return a.place == b.place && a.literal == b.literal;
  });
}

bool RoomPattern::before(const RoomPattern& other) const noexcept {
  if (exact() != other.exact()) return exact();
  if (literal_bytes_ != other.literal_bytes_) return literal_bytes_ > other.literal_bytes_;
  return std::ranges::lexicographical_compare(segments_, other.segments_, [](const Segment& a, const Segment& b) {
    return a.literal.size() > b.literal.size();
  });
}

}  // namespace tidewire::policy
