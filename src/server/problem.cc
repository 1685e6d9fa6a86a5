#include "server/problem.h"

namespace tidewire::server {

Value Problem::to_value() const {
  Value value = Value::object({{"code", code}, {"message", message}});
  if (!details.is_null()) value.set("details", details);
  return value;
}

Value refusal(const Problem& problem) { return Value::object({{"ok", false}, {"error", problem.to_value()}}); }

Value acceptance(Value more) {
  Value value = Value::object({{"ok", true}});
  for (const Value::Member& member : more.members()) value.set(member.key, member.value);
  return value;
}

void tell(Socket& socket, Ack& ack, std::string_view event, const Problem& problem) {
  if (ack.wanted()) return ack(refusal(problem));
  Value error = Value::object({{"code", problem.code}, {"message", problem.message}, {"event", event}});
  if (!problem.details.is_null()) error.set("details", problem.details);
  socket.emit("error", error);
}

}  // namespace tidewire::server
