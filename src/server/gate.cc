#include "server/gate.h"

#include <chrono>
#include <utility>

namespace tidewire::server {
namespace {

constexpr std::int64_t kRevocationKeptS = 366 * 24 * 3'600;  // no token should live longer

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The value of a cookie in `a=1; b=2`.
std::string_view cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t end = header.find(';');
    const std::string_view pair = without_blanks(header.substr(0, end));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
  }
  return {};
}

std::string_view bearer(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    if ((header[i] | 0x20) != kScheme[i]) return {};
  }
  return without_blanks(header.substr(kScheme.size()));
}

std::string_view host_without_port(std::string_view host) {
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return host.substr(0, colon);
}

auth::ClaimMapping mapping_of(const Settings::Auth& settings) {
  return {.user_id = settings.claim_user_id,
          .email = settings.claim_email,
          .name = settings.claim_name,
          .tenant = settings.claim_tenant,
          .roles = settings.claim_roles,
          .projects = settings.claim_projects};
}

}  // namespace

Gate::Gate(const Settings& settings, KeyRing& keys, MayBeAnonymous may_be_anonymous, bool keep_claims)
    : settings_(settings.auth),
      tenants_(settings.tenants),
      mapping_(mapping_of(settings.auth)),
      keys_(keys),
      may_be_anonymous_(std::move(may_be_anonymous)),
      keep_claims_(keep_claims) {}

void Gate::count(std::uint64_t Statistics::*counter) {
  const std::lock_guard lock(mutex_);
  ++(statistics_.*counter);
}

Gate::Statistics Gate::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void Gate::guard(Server& io) {
  io.authenticate([this](const Credentials& who, Verdict verdict) {
    decide(who.handshake(), who.namespace_name(), std::move(verdict.forget_auth()));
  });
}

std::string Gate::token_of(const Handshake& handshake) const {
  for (const std::string& source : settings_.sources) {
    std::string_view found;
    if (source == "auth") {
      found = handshake.auth["token"].as_string().value_or("");
    } else if (source == "header") {
      found = bearer(handshake.header("authorization"));
    } else if (source == "cookie") {
      found = cookie_value(handshake.header("cookie"), settings_.cookie_name);
    } else if (source == "query") {
      found = handshake.query_value("token");
    }
    if (!found.empty()) return std::string(found);
  }
  return {};
}

bool Gate::place(const Handshake& handshake, Identity& identity, Finding& finding) const {
  if (tenants_.source == "none") identity.tenant.clear();
  if (tenants_.source != "host") return true;
  const auto host = tenants_.hosts.find(std::string(host_without_port(handshake.header("host"))));
  if (host == tenants_.hosts.end()) {
    finding = {"unknown_host", "no tenant lives at this host name"};
    return false;
  }
  if (!identity.tenant.empty() && identity.tenant != host->second) {
    finding = {"wrong_tenant", "the token is of another tenant"};
    return false;
  }
  identity.tenant = host->second;
  return true;
}

Error Gate::refusal_of(const Finding& finding) {
  const bool expired = finding.code == auth::code(auth::TokenError::kExpired);
  return {.message = "unauthorized",
          .data = Value::object({{"code", finding.code}, {"message", finding.text}}),
          .close_code = expired ? kExpiredTokenCode : kBadTokenCode};
}

void Gate::decide(const Handshake& handshake, std::string_view namespace_name, Verdict verdict) {
  const std::string token = token_of(handshake);
  if (token.empty()) {
    Identity nobody;
    Finding finding;
    if (!may_be_anonymous_(namespace_name)) {
      finding = {std::string(auth::code(auth::TokenError::kMissing)), std::string(auth::text(auth::TokenError::kMissing))};
    } else if (place(handshake, nobody, finding)) {
      count(&Statistics::anonymous);
      return verdict(std::move(nobody));
    }
    count(&Statistics::refused);
    return verdict(refusal_of(finding));
  }
  // The host may decide the tenant, and is gone when the keys come later.
  Handshake host_only;
  host_only.headers.emplace_back("host", handshake.header("host"));
  keys_.verify(token, [this, host_only = std::move(host_only), verdict = std::move(verdict)](auth::Verdict judged) mutable {
    Finding finding = examine(std::move(judged));
    if (finding.code.empty()) place(host_only, finding.identity, finding);
    count(finding.code.empty() ? &Statistics::admitted : &Statistics::refused);
    if (finding.code.empty()) {
      verdict(std::move(finding.identity));
    } else {
      verdict(refusal_of(finding));
    }
  });
}

Gate::Finding Gate::examine(auth::Verdict verdict) const {
  if (!verdict.ok()) return {std::string(auth::code(verdict.error)), std::string(auth::text(verdict.error))};
  auto identity = auth::map_claims(verdict.claims, mapping_);
  if (!identity.ok()) return {"token_invalid", identity.status().message()};
  if (identity->anonymous()) return {"token_invalid", "the token names no user"};
  {
    const std::lock_guard lock(mutex_);
    if (revocations_.is_revoked(*identity)) return {"token_revoked", "the token was revoked"};
  }
  // Good until a little after its end, for the clocks: as its verifier had it.
  if (identity->expires_at_s) *identity->expires_at_s += settings_.leeway_s;
  if (!keep_claims_) identity->claims = Value();
  return {{}, {}, std::move(*identity)};
}

void Gate::judge(std::string_view token, Judged done) {
  keys_.verify(token, [this, done = std::move(done)](auth::Verdict verdict) {
    Finding finding = examine(std::move(verdict));
    if (tenants_.source == "none") finding.identity.tenant.clear();
    if (finding.code.empty()) return done(std::move(finding.identity));
    done(Status(StatusCode::kInvalidArgument, finding.code));
  });
}

void Gate::refresh(Server&, const Socket& socket, std::string token, UniqueFunction<void(Result<Identity>)> done) {
  judge(token, [this, socket, done = std::move(done)](Result<Identity> judged) mutable {
    socket.run([this, judged = std::move(judged), done = std::move(done)](Socket& here) mutable {
      if (!judged.ok()) return done(judged.status());
      const auto before = here.identity();
      if (judged->user_id != before->user_id || (tenants_.source == "claim" && judged->tenant != before->tenant)) {
        return done(Status(StatusCode::kInvalidArgument, "token_of_another_user"));
      }
      judged->tenant = before->tenant;
      count(&Statistics::refreshed);
      here.set_identity(*judged);
      done(std::move(judged));
    });
  });
}

void Gate::listen_for_refresh(Server& io, const Namespace& space) {
  space.on(kRefreshEvent, [this, &io](Socket& socket, Value payload, Ack ack) {
    const std::string token(payload.is_string() ? payload.as_string().value_or("") : payload["token"].as_string().value_or(""));
    refresh(io, socket, token, [socket, ack = std::move(ack)](Result<Identity> renewed) mutable {
      if (renewed.ok()) {
        const Value answer = acceptance(Value::object({{"expiresAt", renewed->expires_at_s ? Value(*renewed->expires_at_s) : Value()}}));
        return ack.wanted() ? ack(answer) : socket.emit("auth_refreshed", answer);
      }
      tell(socket, ack, kRefreshEvent, {renewed.status().message(), "the token was not taken"});
    });
  });
}

void Gate::revoke_user(Server& io, std::string_view user_id) {
  const std::int64_t now = now_s();
  {
    const std::lock_guard lock(mutex_);
    revocations_.expire(now);
    static_cast<void>(revocations_.revoke_user(user_id, now, now + kRevocationKeptS));
    ++statistics_.revoked;
  }
  io.close_sockets_of([user = std::string(user_id)](const Identity& identity) { return identity.user_id == user; },
                      kBadTokenCode, "revoked");
}

void Gate::revoke_token(Server& io, std::string_view token_id) {
  const std::int64_t now = now_s();
  {
    const std::lock_guard lock(mutex_);
    revocations_.expire(now);
    static_cast<void>(revocations_.revoke_token(token_id, now + kRevocationKeptS));
    ++statistics_.revoked;
  }
  io.close_sockets_of([token = std::string(token_id)](const Identity& identity) { return identity.token_id == token; },
                      kBadTokenCode, "revoked");
}

}  // namespace tidewire::server
