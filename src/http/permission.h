// http/permission.h - who may open a connection at all: asked at handshakes, answered now or later.
#pragma once

#include <functional>
#include <string>

#include "http/exchange.h"
#include "net/connection.h"

namespace tidewire::http {

struct Permission {
  bool allowed = true;
  std::string message;  // of the 403; "Forbidden" if empty
};

// May answer at once or later, on the shard's thread; dropping the answer refuses. The request is valid during the call.
using AllowRequest = std::function<void(const Request&, const net::Connection&, std::function<void(Permission)>)>;

}  // namespace tidewire::http
