// tidewire/tidewire.h - start here: everything of the library. The order to read: server.h, namespace.h, socket.h,
// broadcast.h, arguments.h and convert.h (what events carry), task.h (coroutines), identity.h (who somebody is), http.h (other
// routes), options.h.
#pragma once

#include "tidewire/arguments.h"
#include "tidewire/broadcast.h"
#include "tidewire/bytes.h"
#include "tidewire/convert.h"
#include "tidewire/function.h"
#include "tidewire/http.h"
#include "tidewire/identity.h"
#include "tidewire/namespace.h"
#include "tidewire/options.h"
#include "tidewire/server.h"
#include "tidewire/socket.h"
#include "tidewire/status.h"
#include "tidewire/task.h"
#include "tidewire/value.h"
