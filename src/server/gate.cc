#include "server/gate.h"

#include <utility>

#include "server/clock.h"
#include "server/header_values.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kRevoked = "token_revoked";
constexpr std::string_view kTenantFull = "tenant_full";
constexpr std::int64_t kRevocationKeptS = 366 * 24 * 3'600;  // no token should live longer

auth::ClaimMapping mapping_of(const Settings::Auth& settings) {
  return {.user_id = settings.claim_user_id,
          .email = settings.claim_email,
          .name = settings.claim_name,
          .tenant = settings.claim_tenant,
          .roles = settings.claim_roles,
          .projects = settings.claim_projects};
}

Settings::Tenants tenants_of(const Settings& settings) {
  Settings::Tenants tenants = settings.tenants;
  tenants.hosts.clear();
  for (const auto& [host, tenant] : settings.tenants.hosts) tenants.hosts.emplace(comparable_host(host), tenant);
  return tenants;
}

}  // namespace

Gate::Gate(const Settings& settings, KeyRing& keys, MayBeAnonymous may_be_anonymous, bool keep_claims, base::LogSink& log)
    : settings_(settings.auth),
      tenants_(tenants_of(settings)),
      mapping_(mapping_of(settings.auth)),
      keys_(keys),
      log_(log),
      may_be_anonymous_(std::move(may_be_anonymous)),
      keep_claims_(keep_claims),
      refreshes_(kRefreshRate) {}

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
      found = bearer_token(handshake.header("authorization"));
    } else if (source == "cookie") {
      found = cookie_value(handshake.header("cookie"), settings_.cookie_name);
    } else if (source == "query") {
      found = handshake.query_value("token");
    }
    if (!found.empty()) return std::string(found);
  }
  return {};
}

bool Gate::place(std::string_view host, Identity& identity, Finding& finding) const {
  if (tenants_.source != "host") return true;
  const auto found = tenants_.hosts.find(comparable_host(host));
  if (found == tenants_.hosts.end()) {
    finding = {"unknown_host", "no tenant lives at this host name"};
    return false;
  }
  if (!identity.tenant.empty() && identity.tenant != found->second) {
    finding = {"wrong_tenant", "the token is of another tenant"};
    return false;
  }
  identity.tenant = found->second;
  return true;
}

Error Gate::refuse(const Finding& finding, const Handshake& handshake, std::string_view namespace_name) {
  count(&Statistics::refused);
  if (log_.enabled(base::LogLevel::kInfo)) {
    log_.write(base::LogLevel::kInfo, "client refused",
               {{"code", finding.code}, {"namespace", std::string(namespace_name)}, {"address", handshake.address}});
  }
  std::uint16_t close_code = kBadTokenCode;
  if (finding.code == auth::code(auth::TokenError::kExpired)) close_code = kExpiredTokenCode;
  if (finding.code == kTenantFull) close_code = kTenantFullCode;
  return {.message = "unauthorized",
          .data = Value::object({{"code", finding.code}, {"message", finding.text}}),
          .close_code = close_code};
}

void Gate::decide(const Handshake& handshake, std::string_view namespace_name, Verdict verdict) {
  const std::string token = token_of(handshake);
  // What of the handshake counts afterwards: it is gone when the keys come later.
  Handshake kept;
  kept.address = handshake.address;
  kept.headers.emplace_back("host", handshake.header("host"));
  if (token.empty()) {
    Identity nobody;
    Finding finding;
    if (!may_be_anonymous_(namespace_name)) {
      finding = {std::string(auth::code(auth::TokenError::kMissing)), std::string(auth::text(auth::TokenError::kMissing))};
    } else if (place(kept.header("host"), nobody, finding) && has_place(nobody, finding)) {
      count(&Statistics::anonymous);
      return verdict(std::move(nobody));
    }
    return verdict(refuse(finding, kept, namespace_name));
  }
  keys_.verify(token, [this, kept = std::move(kept), space = std::string(namespace_name), verdict = std::move(verdict)](auth::Verdict judged) mutable {
    Finding finding = examine(std::move(judged));
    if (finding.code.empty() && place(kept.header("host"), finding.identity, finding)) refuse_revoked(finding);
    if (finding.code.empty()) static_cast<void>(has_place(finding.identity, finding));
    if (!finding.code.empty()) return verdict(refuse(finding, kept, space));
    count(&Statistics::admitted);
    verdict(std::move(finding.identity));
  });
}

Gate::Finding Gate::examine(auth::Verdict verdict) const {
  if (!verdict.ok()) return {std::string(auth::code(verdict.error)), std::string(auth::text(verdict.error))};
  auto identity = auth::map_claims(verdict.claims, mapping_);
  if (!identity.ok()) return {"token_invalid", identity.status().message()};
  if (identity->anonymous()) return {"token_invalid", "the token names no user"};
  if (!verdict.tenant.empty()) {
    if (!identity->tenant.empty() && identity->tenant != verdict.tenant) return {"wrong_tenant", "the token is of another tenant"};
    identity->tenant = std::move(verdict.tenant);
  }
  if (tenants_.source == "none") identity->tenant.clear();
  // Good until a little after its end, for the clocks: as its verifier has it.
  if (identity->expires_at_s) *identity->expires_at_s += verdict.leeway_s;
  if (!keep_claims_.load(std::memory_order_relaxed)) identity->claims = Value();
  return {{}, {}, std::move(*identity)};
}

bool Gate::is_revoked(const Identity& identity) const {
  const std::lock_guard lock(mutex_);
  return revocations_.is_revoked(identity);
}

void Gate::refuse_revoked(Finding& finding) const {
  if (is_revoked(finding.identity)) finding = {std::string(kRevoked), "the token was revoked"};
}

// Who comes at once with others may find the last place with them: entered() looks again.
bool Gate::has_place(const Identity& identity, Finding& finding) const {
  if (tenants_.sockets_max == 0 || tenants_.source == "none") return true;
  const std::lock_guard lock(mutex_);
  const auto found = sockets_.find(identity.tenant);
  if (found == sockets_.end() || found->second < tenants_.sockets_max) return true;
  finding = {std::string(kTenantFull), "the tenant has as many connections as it may have"};
  return false;
}

bool Gate::entered(const Identity& identity) {
  if (tenants_.sockets_max == 0 || tenants_.source == "none") return true;
  const std::lock_guard lock(mutex_);
  return ++sockets_[identity.tenant] <= tenants_.sockets_max;
}

void Gate::left(const Identity& identity) {
  if (tenants_.sockets_max == 0 || tenants_.source == "none") return;
  const std::lock_guard lock(mutex_);
  const auto found = sockets_.find(identity.tenant);
  if (found != sockets_.end() && --found->second == 0) sockets_.erase(found);
}

void Gate::judge(std::string_view token, std::string_view host, Judged done) {
  keys_.verify(token, [this, host = std::string(host), done = std::move(done)](auth::Verdict verdict) {
    Finding finding = examine(std::move(verdict));
    if (finding.code.empty() && place(host, finding.identity, finding)) refuse_revoked(finding);
    if (finding.code.empty()) return done(std::move(finding.identity));
    done(Status(StatusCode::kInvalidArgument, finding.code));
  });
}

void Gate::refresh(const Socket& socket, std::string_view token, Judged done) {
  keys_.verify(token, [this, socket, done = std::move(done)](auth::Verdict verdict) mutable {
    socket.run([this, finding = examine(std::move(verdict)), done = std::move(done)](Socket& here) mutable {
      if (!finding.code.empty()) return done(Status(StatusCode::kInvalidArgument, finding.code));
      Identity& next = finding.identity;
      const auto before = here.identity();
      // A token that names no tenant is at home where the host says which one it is.
      const bool placed = tenants_.source == "host" && next.tenant.empty();
      if (next.user_id != before->user_id || next.issuer != before->issuer || (!placed && next.tenant != before->tenant)) {
        return done(Status(StatusCode::kInvalidArgument, "token_of_another_user"));
      }
      next.tenant = before->tenant;
      if (is_revoked(next)) return done(Status(StatusCode::kInvalidArgument, std::string(kRevoked)));
      count(&Statistics::refreshed);
      here.set_identity(next);
      if (renewed_) renewed_(here, *before);
      done(std::move(next));
    });
  });
}

void Gate::listen_for_refresh(const Namespace& space) {
  space.on(kRefreshEvent, EventListener([this](Event& event) {
    if (!may_refresh(event.socket().id())) {
      Ack ack = event.take_ack();
      return tell(event.socket(), ack, kRefreshEvent, {std::string(problems::kRateLimited), "too many tokens"});
    }
    const Value payload = event.arguments().size() == 0 ? Value() : event.arguments()[0];
    const std::string token(payload.is_string() ? payload.as_string().value_or("") : payload["token"].as_string().value_or(""));
    refresh(event.socket(), token, [socket = event.socket(), ack = event.take_ack()](Result<Identity> renewed) mutable {
      if (renewed.ok()) {
        const Value answer = acceptance(Value::object({{"expiresAt", renewed->expires_at_s ? Value(*renewed->expires_at_s) : Value()}}));
        return ack.wanted() ? ack(answer) : socket.emit("auth_refreshed", answer);
      }
      tell(socket, ack, kRefreshEvent, {renewed.status().message(), "the token was not taken"});
    });
  }));
}

bool Gate::may_refresh(const std::string& socket) {
  const std::lock_guard lock(mutex_);
  return refreshes_.take(socket, monotonic_ms());
}

Status Gate::note_revocation(Server& io, UniqueFunction<auth::Revocations::Outcome(std::int64_t now_s, std::int64_t until_s)> revoke) {
  using Outcome = auth::Revocations::Outcome;
  const std::int64_t now = wall_clock_ms() / 1'000;
  Outcome outcome;
  {
    const std::lock_guard lock(mutex_);
    revocations_.expire(now);
    outcome = revoke(now, now + kRevocationKeptS);
    if (outcome == Outcome::kAdded || outcome == Outcome::kDroppedOne) ++statistics_.revoked;
  }
  switch (outcome) {
    case Outcome::kImpossibleId: return Status(StatusCode::kInvalidArgument, "nobody has such an id");
    case Outcome::kNotKept: return Status(StatusCode::kResourceExhausted, "too many revocations are kept");
    case Outcome::kDroppedOne: log_.write(base::LogLevel::kWarn, "the oldest revocation was forgotten for a new one", {}); break;
    case Outcome::kAdded: break;
  }
  io.close_sockets_of([this](const Identity& identity) { return is_revoked(identity); }, kBadTokenCode, "revoked");
  return {};
}

Status Gate::revoke_user(Server& io, auth::Revocations::Scope tenant, std::string_view user_id) {
  // Up to the end of this second: tokens know no finer time, and one that was issued before must not slip through.
  return note_revocation(io, [&](std::int64_t now, std::int64_t until) { return revocations_.revoke_user(tenant, user_id, now + 1, until); });
}

Status Gate::revoke_token(Server& io, auth::Revocations::Scope tenant, std::string_view token_id) {
  return note_revocation(io, [&](std::int64_t, std::int64_t until) { return revocations_.revoke_token(tenant, token_id, until); });
}

}  // namespace tidewire::server
