// server/gate.h - who comes in: finds the token of a handshake, has it judged, and makes an identity of it.
//
//   handshake --> token from auth.token | Authorization | cookie | ?token= (in the configured order)
//             --> KeyRing --> revoked? --> claims to identity --> tenant --> in, or out with a reason
//
// A token that is no good is a refusal also where anonymous people may come in: whoever shows one means to be somebody.
//   Socket.IO    CONNECT_ERROR {"message":"unauthorized","data":{"code":"token_invalid"}}
//   plain        error envelope with that code, then close 4001, or 4002 for an expired token
// Live sockets: event `auth_refresh` {token} takes a newer token of the same user; revocation closes with 4001 at once.
// Threads: any; answers come where the KeyRing gives them, the caller posts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity_mapping.h"
#include "auth/revocations.h"
#include "server/key_ring.h"
#include "server/problem.h"
#include "server/settings.h"
#include "tidewire/server.h"

namespace tidewire::server {

inline constexpr std::uint16_t kBadTokenCode = 4001;
inline constexpr std::uint16_t kExpiredTokenCode = 4002;
inline constexpr std::string_view kRefreshEvent = "auth_refresh";

class Gate {
 public:
  // Whether somebody without a token may enter this namespace.
  using MayBeAnonymous = std::function<bool(std::string_view namespace_name)>;

  // `keep_claims`: whether identities keep the whole token, which costs more than all the rest of an idle connection.
  Gate(const Settings& settings, KeyRing& keys, MayBeAnonymous may_be_anonymous, bool keep_claims);

  // The authenticator of the server, and `auth_refresh` in a namespace.
  void guard(Server& io);
  void listen_for_refresh(Server& io, const Namespace& space);

  using Judged = UniqueFunction<void(Result<Identity>)>;
  // A token that came another way, to the HTTP API say. The status' message is the code of what is wrong.
  void judge(std::string_view token, Judged done);
  // A new token for a live socket: kInvalidArgument when it is another user's. On the socket's shard; answered there.
  void refresh(Server& io, const Socket& socket, std::string token, UniqueFunction<void(Result<Identity>)> done);

  // At once, on every shard; new tokens of the user are good again.
  void revoke_user(Server& io, std::string_view user_id);
  void revoke_token(Server& io, std::string_view token_id);

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
  std::string token_of(const Handshake& handshake) const;
  // The tenant that the address of the request says; a finding when it may not come in there.
  bool place(const Handshake& handshake, Identity& identity, Finding& finding) const;
  void decide(const Handshake& handshake, std::string_view namespace_name, Verdict verdict);
  static Error refusal_of(const Finding& finding);
  void count(std::uint64_t Statistics::*counter);

  const Settings::Auth settings_;
  const Settings::Tenants tenants_;
  const auth::ClaimMapping mapping_;
  KeyRing& keys_;
  const MayBeAnonymous may_be_anonymous_;
  const bool keep_claims_;

  mutable std::mutex mutex_;
  // Guarded by mutex_
  auth::Revocations revocations_;
  Statistics statistics_;
};

}  // namespace tidewire::server
