// hub/entrance.h - who comes in as whom: asked once per admission, before anybody looks for the namespace.
//
// The hub does not know tokens; it knows that somebody was asked, and what came of it: an identity, whose tenant chooses the
// copy of the namespace, or a refusal.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "hub/handlers.h"
#include "tidewire/function.h"
#include "tidewire/identity.h"

namespace tidewire::hub {

class Sink;

// Valid during the call.
struct Credentials {
  std::string_view namespace_name;
  const Sink& sink;
  std::string_view auth;  // JSON text of the CONNECT payload, empty for none
};

struct Verdict {
  std::shared_ptr<const Identity> identity = {};  // null: nobody in particular, of the tenant without a name
  std::optional<Refusal> refusal = {};
  bool keep_auth = true;                          // whether the member remembers its CONNECT payload
};

// Answers once, at once or later, on the shard that asked.
using Authenticate = UniqueFunction<void(const Credentials&, UniqueFunction<void(Verdict)>)>;

}  // namespace tidewire::hub
