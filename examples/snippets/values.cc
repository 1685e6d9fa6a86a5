// Snippets of docs/guide/cpp-api.md: Value, Arguments, Bytes, own types, Status and Result.
#include <optional>
#include <string>
#include <vector>

#include "tidewire/tidewire.h"

namespace snippets {

struct Order {
  int id = 0;
  std::vector<std::string> lines;
  std::optional<double> price;
};
TIDEWIRE_FIELDS(Order, id, lines, price)

void own_types(tidewire::Server& io) {
  io.on("order", [](tidewire::Socket& socket, Order order, tidewire::Ack ack) {
    socket.to("kitchen").emit("order", order);
    ack(order.id);
  });
}

// A type with a JSON form of its own.
struct Money {
  std::int64_t cents = 0;
};
void write_json(tidewire::JsonOut& out, const Money& money) { out.number(money.cents); }
tidewire::Status read_json(const tidewire::Value& value, Money& money) {
  const std::optional<std::int64_t> cents = value.as_int64();
  if (!cents) return tidewire::wrong_kind("an amount in cents", value);
  money.cents = *cents;
  return tidewire::Status();
}

bool values() {
  const tidewire::Value order = tidewire::Value::object({{"id", 7}, {"lines", tidewire::Value::array({"tea", "milk"})}});
  const bool absent = order["price"].is_null();
  const tidewire::Result<Order> typed = order.to<Order>();
  return absent && typed.ok() && typed.value().lines[0] == *order["lines"][0].as_string();
}

tidewire::Result<int> arguments() {
  const auto arguments = tidewire::Arguments::of("room1", Order{.id = 7, .lines = {"tea"}, .price = {}});
  auto in = arguments.as<std::string, Order>();
  if (!in.ok()) return in.status();  // "argument 1: member \"id\": expected ..."
  const auto& [room, order] = *in;
  return order.id;
}

void binary(tidewire::Server& io) {
  io.on("upload", [](tidewire::Socket& socket, std::string name, tidewire::Bytes file) {
    socket.to("viewers").emit("uploaded", name, file);  // shared, not copied
  });
}

}  // namespace snippets
