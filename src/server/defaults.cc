#include "server/defaults.h"

#include "base/assert.h"
#include "server/config_file.h"

namespace tidewire::server {

std::string_view default_rules_text() {
  return R"toml(# Rooms that exist without a configuration. The most particular pattern decides.
[[rooms]]
pattern = "global"
join = "public"
auto_join = true
description = "everybody"

[[rooms]]
pattern = "authenticated"
join = "authenticated"
auto_join = true
description = "everybody with a token"

[[rooms]]
pattern = "admin"
join = "role:admin"
auto_join = true

[[rooms]]
pattern = "user:{id}"
join = "own"
auto_join = true
description = "all devices of one user"

[[rooms]]
pattern = "project:{id}"
join = ["role:admin", "claim:projects"]

[[rooms]]
pattern = "testrun:{id}"
join = "authenticated"

[[rooms]]
pattern = "session:{id}"
join = "public"
description = "whoever knows the id of the session"

[[rooms]]
pattern = "{room}"
join = "public"
description = "any other name without a colon"

# Events that clients may send without a configuration.
[[events]]
name = "join"
join = "{room}"
schema = { type = "object", required = ["room"], properties = { room = { type = "string" } } }
description = "join a room, by the rules of the rooms"

[[events]]
name = "leave"
leave = "{room}"
schema = { type = "object", required = ["room"], properties = { room = { type = "string" } } }

[[events]]
name = "say"
to = "{room}"
emit = "said"
stamp = { from = "{sender.socket}", userId = "{sender.id}", userName = "{sender.name}" }
schema = { type = "object", required = ["room", "text"], properties = { room = { type = "string" } } }
description = "say something to a room one is in"

[[events]]
name = "echo"
reply = "arguments"

[[events]]
name = "ping"
to = "sender"
emit = "pong"

[[events]]
name = "join-project"
aliases = ["project-join", "joinProject"]
payload_key = "projectId"
join = "project:{projectId}"
reply = { projectId = "{projectId}" }
schema = { type = "object", required = ["projectId"], properties = { projectId = { type = ["string", "integer"] } } }

[[events]]
name = "leave-project"
aliases = ["project-leave", "leaveProject"]
payload_key = "projectId"
leave = "project:{projectId}"
reply = { projectId = "{projectId}" }
schema = { type = "object", required = ["projectId"], properties = { projectId = { type = ["string", "integer"] } } }

[[events]]
name = "registerSession"
aliases = ["register-session"]
payload_key = "sessionId"
join = "session:{sessionId}"
reply = { sessionId = "{sessionId}" }
schema = { type = "object", required = ["sessionId"], properties = { sessionId = { type = ["string", "integer"] } } }
description = "hear what is for one session, by its id"

[[events]]
name = "test-run-started"
from = "authenticated"
rate = "10/s"
to = "project:{projectId}"
others = true
emit = "test-execution-update"
stamp = { status = "running", userId = "{sender.id}", userName = "{sender.name}", timestamp = "{time}" }
schema = { type = "object", required = ["testRunId", "projectId"], properties = { testRunId = { type = ["string", "integer"] }, projectId = { type = ["string", "integer"] } } }

[[events]]
name = "test-case-editing"
from = "authenticated"
rate = "20/s burst 40"
to_rooms = "project:{id}"
others = true
emit = "test-case-update"
stamp = { userId = "{sender.id}", userName = "{sender.name}", userEmail = "{sender.email}", timestamp = "{time}" }
schema = { type = "object", required = ["testCaseId", "field"], properties = { testCaseId = { type = "string" }, field = { type = "string" } } }

[[events]]
name = "typing-start"
from = "authenticated"
rate = "10/s"
to_rooms = "project:{id}"
others = true
volatile = true
emit = "user-typing"
stamp = { userId = "{sender.id}", userName = "{sender.name}", typing = true, timestamp = "{time}" }

[[events]]
name = "typing-stop"
from = "authenticated"
rate = "10/s"
to_rooms = "project:{id}"
others = true
volatile = true
emit = "user-typing"
stamp = { userId = "{sender.id}", userName = "{sender.name}", typing = false, timestamp = "{time}" }
)toml";
}

DefaultRules default_rules() {
  ConfigErrors errors;
  const auto tree = parse_toml(default_rules_text(), "defaults", errors);
  TW_ASSERT(tree && errors.empty());
  DefaultRules rules;
  if (const ConfigNode* rooms = tree->find("rooms")) rules.rooms = *rooms;
  if (const ConfigNode* events = tree->find("events")) rules.events = *events;
  return rules;
}

}  // namespace tidewire::server
