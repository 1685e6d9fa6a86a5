// server/filling.h - what the places of a contract's templates stand for, and values with places in them.
//
//   {projectId} {payload.a.b}   a member of the event's first argument      {payload}     the whole of it
//   {sender.id} .name .email .tenant .socket .address    who sent it         {claims.x}    a claim of the sender's token
//   {time} {time_ms} {uuid}     when it was handled, and a new id
//
// A text template makes rooms (policy/template.h). A ValueTemplate makes stamped fields and replies: a text that is one place
// alone becomes what stands there, of whatever kind, and null when nothing does; other texts are filled in; the rest is copied.
// Lifetime: a Filling refers to everything it is made of; it lives for one event on one stack.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/template.h"
#include "tidewire/identity.h"
#include "tidewire/socket.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::server {

class Filling {
 public:
  Filling(const Socket& socket, const Identity& sender, const Value& payload) : socket_(socket), sender_(sender), payload_(payload) {}

  // What stands at the path, null when there is nothing.
  Value value(std::string_view path) const;
  // The same as text for a room's name or a part of a text.
  std::optional<std::string> text(std::string_view path) const;
  const Value& payload() const noexcept { return payload_; }

  // Whether a path is about the event's argument.
  static bool reads_payload(std::string_view path);
  // Whether a path means anything; a sentence when it does not. At start.
  static Status check(std::string_view path);

 private:
  // Nothing for a field that the sender has not.
  std::optional<std::string> sender_text(std::string_view field) const;

  const Socket& socket_;
  const Identity& sender_;
  const Value& payload_;
};

class ValueTemplate {
 public:
  // Refuses what policy::Template refuses, and paths that mean nothing.
  static Result<ValueTemplate> compile(const Value& value);
  Value fill(const Filling& filling) const;

 private:
  struct Node;
  explicit ValueTemplate(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  static Result<std::shared_ptr<const Node>> compile_node(const Value& value, std::size_t depth);
  static Value fill_node(const Node& node, const Filling& filling);

  std::shared_ptr<const Node> root_;
};

// A template of a room's name whose paths mean something.
Result<policy::Template> compile_room_template(std::string_view text);

}  // namespace tidewire::server
