// server/who.h - who may: the one vocabulary of rights, for rooms and for events.
//
//   public           everybody                          role:admin       who has that role
//   authenticated    whoever has a user id              claim:projects   whose claim contains the room's placeholder
//   own              whose user id is the placeholder   ask              whoever the back end lets in
//   nobody           only the server itself
//
// A list of them is met when one of them is. `claim`, `own` and `ask` speak of a room; an event has none.
// Threads: immutable after parse().
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidewire/identity.h"
#include "tidewire/status.h"

namespace tidewire::server {

class Who {
 public:
  enum class Of : std::uint8_t { kRoom, kEvent };
  enum class Answer : std::uint8_t {
    kYes,
    kNo,
    kNeedsToken,  // nobody in particular asks: a token might help
    kAsk,         // the back end decides
  };

  // Everybody.
  Who() : terms_{{Kind::kPublic, {}}} {}
  // kInvalidArgument with a sentence when a term is none, or makes no sense for an event.
  static Result<Who> parse(std::span<const std::string> terms, Of of);

  // `parameter`: what the placeholder of the room's pattern stands for; empty when it has none.
  Answer admits(const Identity& identity, std::string_view parameter) const;
  bool is_public() const noexcept;
  bool asks() const noexcept;
  bool is_own() const noexcept;
  // Whether a term looks at a claim that Identity has no field for.
  bool reads_claims() const noexcept;
  // "role:admin, claim:projects": as it was written.
  std::string text() const;

 private:
  enum class Kind : std::uint8_t { kPublic, kAuthenticated, kRole, kClaim, kOwn, kAsk, kNobody };
  struct Term {
    Kind kind;
    std::string name;  // of the role or the claim
  };
  static Result<Term> parse_term(std::string_view text, Of of);
  static bool met(const Term& term, const Identity& identity, std::string_view parameter);
  bool has(Kind kind) const noexcept;

  std::vector<Term> terms_;
};

}  // namespace tidewire::server
