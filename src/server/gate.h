// server/gate.h - who comes in: finds the token of a handshake, has it judged, and makes an identity of it.
//
//   handshake --> token from auth.token | Authorization | cookie | ?token= (in the configured order)
//             --> KeyRing --> claims to identity --> tenant --> revoked? --> in, or out with a reason
//
// A token that is no good is a refusal also where anonymous people may come in: whoever shows one means to be somebody.
//   Socket.IO    CONNECT_ERROR {"message":"unauthorized","data":{"code":"token_invalid"}}
//   plain        error envelope with that code, then close 4001, or 4002 for an expired token
// Live sockets: event `auth_refresh` {token} takes a newer token of the same user; revocation closes with 4001 at once.
// Threads: any; answers come where the KeyRing gives them, the caller posts.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity_mapping.h"
#include "auth/revocations.h"
#include "base/log.h"
#include "base/string_map.h"
#include "policy/rate_table.h"
#include "server/contract.h"
#include "server/key_ring.h"
#include "server/problem.h"
#include "server/settings.h"
#include "tidewire/server.h"

namespace tidewire::server {

inline constexpr std::uint16_t kBadTokenCode = 4001;
inline constexpr std::uint16_t kExpiredTokenCode = 4002;
inline constexpr std::uint16_t kTenantFullCode = 4010;
// Of one socket: each costs a signature.
inline constexpr policy::Rate kRefreshRate{.count = 10, .interval_ms = 60'000, .burst = 10};

class Gate {
 public:
  // Whether somebody without a token may enter this namespace.
  using MayBeAnonymous = std::function<bool(std::string_view namespace_name)>;

  // `keep_claims`: whether identities keep the whole token, which costs more than all the rest of an idle connection.
  Gate(const Settings& settings, KeyRing& keys, MayBeAnonymous may_be_anonymous, bool keep_claims, base::LogSink& log);
  // From now on: for who comes in after this, or shows a new token. From any thread.
  void keep_claims() { keep_claims_.store(true, std::memory_order_relaxed); }

  // The authenticator of the server, and `auth_refresh` in a namespace.
  void guard(Server& io);
  void listen_for_refresh(const Namespace& space);

  using Judged = UniqueFunction<void(Result<Identity>)>;
  // A token that came another way, with a request to the HTTP API at `host` say. The status' message is the code of what is wrong.
  void judge(std::string_view token, std::string_view host, Judged done);
  using Renewed = std::function<void(Socket& socket, const Identity& before)>;
  // A new token for a live socket: kInvalidArgument when it is another user's or of another tenant. Answered on the socket's
  // shard, where `renewed` has heard before what the socket may do from now on.
  void refresh(const Socket& socket, std::string_view token, Judged done);
  void on_renewed(Renewed renewed) { renewed_ = std::move(renewed); }

  // At once, on every shard; tokens of the user are good again when they are issued after this second. Of one tenant, or of all.
  // kInvalidArgument: no user or token has such an id. kResourceExhausted: as many others are kept as may be.
  Status revoke_user(Server& io, auth::Revocations::Scope tenant, std::string_view user_id);
  Status revoke_token(Server& io, auth::Revocations::Scope tenant, std::string_view token_id);
  // Whoever comes in asks once more on his shard: a revocation may have overtaken him.
  bool is_revoked(const Identity& identity) const;
  // A socket is in, or has left; tenants.sockets_max counts them. From its shard.
  // Whether there was still place for it.
  [[nodiscard]] bool entered(const Identity& identity);
  void left(const Identity& identity);

  struct Statistics {
    std::uint64_t admitted = 0;
    std::uint64_t anonymous = 0;
    std::uint64_t refused = 0;
    std::uint64_t refreshed = 0;
    std::uint64_t revoked = 0;
  };
  Statistics statistics() const;

 private:
  // What the KeyRing said, or this gate itself.
  struct Finding {
    std::string code;  // empty: good
    std::string text;
    Identity identity = {};
  };
  Finding examine(auth::Verdict verdict) const;
  void refuse_revoked(Finding& finding) const;
  // Whether there is place for one more of the tenant.
  bool has_place(const Identity& identity, Finding& finding) const;
  bool may_refresh(const std::string& socket);
  Status note_revocation(Server& io, UniqueFunction<auth::Revocations::Outcome(std::int64_t now_s, std::int64_t until_s)> revoke);
  std::string token_of(const Handshake& handshake) const;
  // The tenant that the address of the request says; a finding when it may not come in there.
  bool place(std::string_view host, Identity& identity, Finding& finding) const;
  void decide(const Handshake& handshake, std::string_view namespace_name, Verdict verdict);
  Error refuse(const Finding& finding, const Handshake& handshake, std::string_view namespace_name);
  void count(std::uint64_t Statistics::*counter);

  const Settings::Auth settings_;
  const Settings::Tenants tenants_;
  const auth::ClaimMapping mapping_;
  KeyRing& keys_;
  base::LogSink& log_;
  Renewed renewed_;
  const MayBeAnonymous may_be_anonymous_;
  std::atomic<bool> keep_claims_;

  mutable std::mutex mutex_;
  // Guarded by mutex_
  auth::Revocations revocations_;
  policy::RateTable refreshes_;  // by socket
  base::StringMap<std::size_t> sockets_;  // of each tenant that has one, where they are bounded
  Statistics statistics_;
};

}  // namespace tidewire::server
