#include "server/who.h"

#include <algorithm>

namespace tidewire::server {
namespace {

constexpr std::string_view kRolePrefix = "role:";
constexpr std::string_view kClaimPrefix = "claim:";

// A claim that is the text, or a list with it in it. Numbers count by their text, since room names are text.
bool says(const Value& claim, std::string_view wanted) {
  const auto is = [wanted](const Value& value) {
    return value.as_string() == wanted || (value.is_integer() && value.number_text() == wanted);
  };
  return is(claim) || std::ranges::any_of(claim.items(), is);
}

// Claims that the identity holds in fields of their own.
bool is_mapped(std::string_view name) { return name == "projects" || name == "roles" || name == "tenant"; }

bool claim_contains(const Identity& identity, std::string_view name, std::string_view parameter) {
  if (name == "projects") return identity.in_project(parameter);
  if (name == "roles") return identity.has_role(parameter);
  if (name == "tenant") return identity.tenant == parameter;
  return says(identity.claims[name], parameter);
}

}  // namespace

Result<Who::Term> Who::parse_term(std::string_view text, Of of) {
  const auto wrong = [&](std::string_view why) {
    return Status(StatusCode::kInvalidArgument, "\"" + std::string(text) + "\" " + std::string(why));
  };
  const auto named = [&](Kind kind, std::string_view prefix) -> Result<Term> {
    std::string name(text.substr(prefix.size()));
    if (name.empty()) return wrong("names nothing behind the colon");
    return Term{kind, std::move(name)};
  };
  const auto of_room = [&](Result<Term> term) -> Result<Term> {
    if (of == Of::kEvent) return wrong("is a right to a room, not to an event");
    return term;
  };
  if (text == "public") return Term{Kind::kPublic, {}};
  if (text == "authenticated") return Term{Kind::kAuthenticated, {}};
  if (text == "nobody") return Term{Kind::kNobody, {}};
  if (text.starts_with(kRolePrefix)) return named(Kind::kRole, kRolePrefix);
  if (text.starts_with(kClaimPrefix)) return of_room(named(Kind::kClaim, kClaimPrefix));
  if (text == "own") return of_room(Term{Kind::kOwn, {}});
  if (text == "ask") return of_room(Term{Kind::kAsk, {}});
  return wrong("is no right: there are public, authenticated, role:NAME, claim:NAME, own, ask and nobody");
}

Result<Who> Who::parse(std::span<const std::string> terms, Of of) {
  if (terms.empty()) return Status(StatusCode::kInvalidArgument, "is an empty list; for nobody say \"nobody\"");
  Who who;
  who.terms_.clear();
  for (const std::string& text : terms) {
    auto term = parse_term(text, of);
    if (!term.ok()) return term.status();
    who.terms_.push_back(std::move(*term));
  }
  return who;
}

bool Who::met(const Term& term, const Identity& identity, std::string_view parameter) {
  switch (term.kind) {
    case Kind::kPublic: return true;
    case Kind::kAuthenticated: return !identity.anonymous();
    case Kind::kRole: return identity.has_role(term.name);
    case Kind::kClaim: return !parameter.empty() && claim_contains(identity, term.name, parameter);
    case Kind::kOwn: return !identity.anonymous() && identity.user_id == parameter;
    case Kind::kAsk:
    case Kind::kNobody: return false;
  }
  return false;
}

Who::Answer Who::admits(const Identity& identity, std::string_view parameter) const {
  if (std::ranges::any_of(terms_, [&](const Term& term) { return met(term, identity, parameter); })) return Answer::kYes;
  if (has(Kind::kAsk)) return Answer::kAsk;
  const bool closed = std::ranges::all_of(terms_, [](const Term& term) { return term.kind == Kind::kNobody; });
  return identity.anonymous() && !closed ? Answer::kNeedsToken : Answer::kNo;
}

bool Who::has(Kind kind) const noexcept {
  return std::ranges::any_of(terms_, [kind](const Term& term) { return term.kind == kind; });
}
bool Who::reads_claims() const noexcept {
  return std::ranges::any_of(terms_, [](const Term& term) { return term.kind == Kind::kClaim && !is_mapped(term.name); });
}
bool Who::is_public() const noexcept { return has(Kind::kPublic); }
bool Who::asks() const noexcept { return has(Kind::kAsk); }
bool Who::is_own() const noexcept { return has(Kind::kOwn); }

std::string Who::text() const {
  static constexpr std::string_view kNames[] = {"public", "authenticated", kRolePrefix, kClaimPrefix, "own", "ask", "nobody"};
  std::string all;
  for (const Term& term : terms_) {
    if (!all.empty()) all += ", ";
    all += kNames[static_cast<std::size_t>(term.kind)];
    all += term.name;
  }
  return all;
}

}  // namespace tidewire::server
