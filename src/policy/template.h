// policy/template.h - short texts with places that are filled from a message: the rooms an event goes to, the fields it is stamped
// with.
//
//   project:{projectId}    user:{sender.id}    {payload.room}    {sender.name} of {sender.team}
//
// A place is a path: names of letters, digits, '_', '-' and '$' between dots. There are no other braces: no escape, no nesting.
// What is filled in is a string or an integer that somebody sent, so it must be 1 to kValueBytesMax bytes of UTF-8 without control
// characters, and the whole at most kRoomNameBytesMax; else nothing is made, and a Status says which place is to blame.
//
// In a room's name (Use::kRoom) a place takes the rest of its segment, as in room_pattern.h, and no value has a ':', not even the
// last one: else a sender whose projectId is "7:secret" would pick a room of another shape than the rule has. What was filled is
// therefore matched again by the pattern of the same text, with the same values. A user id that has a ':' cannot stand in such a room.
//
// Threads: immutable after compile. Limits: kPiecesMax, kPathBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::policy {

class Template {
 public:
  static constexpr std::size_t kPiecesMax = 16;
  static constexpr std::size_t kPathBytesMax = 64;
  static constexpr std::size_t kValueBytesMax = 128;

  enum class Use : std::uint8_t { kText, kRoom };

  struct Piece {
    std::string literal;
    std::string path;  // of the place behind the literal; empty: none
  };

  // Or what is wrong and at which byte, from 0: `"user:{id": byte 5: the '{' is never closed`.
  static Result<Template> compile(std::string_view text, Use use);

  const std::string& text() const noexcept { return text_; }
  const std::vector<Piece>& pieces() const noexcept { return pieces_; }

  // `lookup(path)` returns std::optional<std::string>: what stands there, or nothing.
  template <typename Lookup>
  Result<std::string> fill(Lookup&& lookup) const {
    std::string out;
    for (const Piece& piece : pieces_) {
      out += piece.literal;
      if (piece.path.empty()) continue;
      const std::optional<std::string> value = lookup(std::string_view(piece.path));
      if (const Status status = append(piece.path, value, out); !status.ok()) return status;
    }
    if (const Status status = check_whole(out); !status.ok()) return status;
    return out;
  }

 private:
  Status append(const std::string& path, const std::optional<std::string>& value, std::string& out) const;
  Status check_whole(const std::string& out) const;

  std::string text_;
  Use use_ = Use::kText;
  std::vector<Piece> pieces_;
};

// What stands at a path of names between dots, for `lookup`: a string without half a surrogate pair, or an integer as it was
// written. Nothing for all else.
std::optional<std::string> value_at(const Value& root, std::string_view path);

}  // namespace tidewire::policy
