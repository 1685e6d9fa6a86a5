#include "server/contract.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "hub/event_name.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kEverybody = "*";
constexpr std::string_view kSender = "sender";
constexpr std::array<std::string_view, 5> kNotYet = {"priority", "ttl", "coalesce", "history", "durable"};

bool has_places(const policy::Template& text) {
  return std::ranges::any_of(text.pieces(), [](const policy::Template::Piece& piece) { return !piece.path.empty(); });
}

bool looks_into_payload(const Contract& contract) {
  if (contract.schema || contract.stamp || contract.reply_fields || !contract.ask.empty()) return true;
  if (contract.member_of && has_places(*contract.member_of)) return true;
  return std::ranges::any_of(contract.join, has_places) || std::ranges::any_of(contract.leave, has_places) ||
         std::ranges::any_of(contract.to, has_places);
}

// One [[events]] table.
class ContractReader {
 public:
  ContractReader(const ConfigNode& node, ConfigErrors& errors) : node_(node), table_(node, errors) {}

  std::unique_ptr<Contract> read() {
    auto contract = std::make_unique<Contract>();
    contract->source = node_.source();
    contract->reads_claims = node_.to_value().to_json().find("{claims.") != std::string::npos;  // rather once too often
    read_names(*contract);
    read_rights(*contract);
    read_payload(*contract);
    read_effects(*contract);
    read_audience(*contract);
    read_answer(*contract);
    for (const std::string_view key : kNotYet) {
      if (table_.has(key)) table_.complain(key, "is not available yet");
      table_.ignore(key);
    }
    table_.finish();
    contract->reads_payload = looks_into_payload(*contract);
    return contract;
  }

 private:
  void read_names(Contract& contract) {
    contract.name = table_.required_text("name");
    contract.aliases = table_.texts("aliases");
    contract.namespace_name = table_.text("namespace", "/");
    contract.description = table_.text("description", "");
    if (contract.aliases.size() > kContractAliasesMax) table_.complain("aliases", "are too many");
    check_name("name", contract.name);
    for (const std::string& alias : contract.aliases) check_name("aliases", alias);
  }
  void check_name(std::string_view key, const std::string& name) {
    if (name == kRefreshEvent) table_.complain(key, "\"" + name + "\" is the server's own event");
    if (hub::is_reserved_event(name)) table_.complain(key, "\"" + name + "\" is a word of the protocol, no event");
  }

  void read_rights(Contract& contract) {
    auto from = Who::parse(table_.texts("from", {"public"}), Who::Of::kEvent);
    if (from.ok()) {
      contract.from = std::move(*from);
    } else {
      table_.complain("from", from.status().message());
    }
    if (const std::string text = table_.text("rate", ""); !text.empty()) {
      auto rate = policy::Rate::parse(text);
      if (rate.ok()) {
        contract.rate = *rate;
      } else {
        table_.complain("rate", rate.status().message());
      }
    }
  }

  void read_payload(Contract& contract) {
    contract.payload_key = table_.text("payload_key", "");
    const ConfigNode* schema = table_.node("schema");
    if (schema == nullptr) return;
    contract.schema_source = schema->to_value();
    if (const auto text = schema->as_text()) {
      auto parsed = Value::parse(*text);
      if (!parsed.ok()) return table_.complain("schema", "is no JSON: " + parsed.status().message());
      contract.schema_source = std::move(*parsed);
    }
    auto compiled = policy::JsonSchema::compile(contract.schema_source);
    if (!compiled.ok()) return table_.complain("schema", compiled.status().message());
    contract.schema = std::move(*compiled);
  }

  void read_effects(Contract& contract) {
    contract.join = rooms("join");
    contract.leave = rooms("leave");
    contract.ask = table_.text("ask", "");
  }

  std::vector<policy::Template> rooms(std::string_view key) {
    std::vector<policy::Template> list;
    const std::vector<std::string> texts = table_.texts(key);
    if (texts.size() > kContractRoomsMax) table_.complain(key, "are too many rooms");
    for (const std::string& text : texts) {
      auto compiled = compile_room_template(text);
      if (compiled.ok()) {
        list.push_back(std::move(*compiled));
      } else {
        table_.complain(key, compiled.status().message());
      }
    }
    return list;
  }

  void read_audience(Contract& contract) {
    using Audience = Contract::Audience;
    const std::vector<std::string> to = table_.texts("to");
    if (to == std::vector<std::string>{std::string(kEverybody)}) {
      contract.audience = Audience::kEverybody;
    } else if (to == std::vector<std::string>{std::string(kSender)}) {
      contract.audience = Audience::kSender;
    } else if (!to.empty()) {
      contract.audience = Audience::kRooms;
      contract.to = rooms("to");
    }
    if (const std::string pattern = table_.text("to_rooms", ""); !pattern.empty()) {
      if (contract.audience != Audience::kNobody) table_.complain("to_rooms", "and \"to\" are two answers to one question");
      auto compiled = policy::RoomPattern::compile(pattern);
      if (!compiled.ok()) {
        table_.complain("to_rooms", compiled.status().message());
      } else {
        contract.to_rooms = std::move(*compiled);
        contract.audience = Audience::kPattern;
      }
    }
    contract.others = table_.flag("others", false);
    contract.emit = table_.text("emit", contract.name);
    contract.is_volatile = table_.flag("volatile", false);
    check_name("emit", contract.emit);
    if (contract.audience == Audience::kNobody) {
      for (const std::string_view key : {"emit", "others", "volatile", "stamp"}) {
        if (table_.has(key)) table_.complain(key, "says how it is sent, but not to whom: give \"to\" or \"to_rooms\"");
      }
    }
    read_membership(contract);
  }

  // A sender who chooses the room must be in it, unless the contract says otherwise.
  void read_membership(Contract& contract) {
    const bool said = table_.has("member_of");
    const std::string text = table_.text("member_of", "");
    if (!said && contract.to.size() == 1 && has_places(contract.to.front())) {
      contract.member_of = contract.to.front();
    } else if (!said && contract.to.size() > 1) {
      table_.complain("to", "names several rooms: say with \"member_of\" which one the sender must be in, or \"\" for none");
    } else if (!text.empty()) {
      auto compiled = compile_room_template(text);
      if (compiled.ok()) {
        contract.member_of = std::move(*compiled);
      } else {
        table_.complain("member_of", compiled.status().message());
      }
    }
  }

  void read_answer(Contract& contract) {
    if (const ConfigNode* stamp = table_.table("stamp")) {
      contract.stamp = values("stamp", *stamp);
      contract.stamp_source = stamp->to_value();
    }
    const ConfigNode* reply = table_.node("reply");
    if (reply == nullptr) return;
    contract.reply_source = reply->to_value();
    if (reply->as_text() == "arguments") {
      contract.reply = Contract::Reply::kArguments;
    } else if (reply->is_table()) {
      contract.reply = Contract::Reply::kFields;
      contract.reply_fields = values("reply", *reply);
    } else {
      table_.complain("reply", "is a table of fields, or \"arguments\"");
    }
  }
  std::optional<ValueTemplate> values(std::string_view key, const ConfigNode& node) {
    auto compiled = ValueTemplate::compile(node.to_value());
    if (compiled.ok()) return std::move(*compiled);
    table_.complain(key, compiled.status().message());
    return std::nullopt;
  }

  const ConfigNode& node_;
  ConfigReader table_;
};

Value texts_of(const std::vector<policy::Template>& templates) {
  Value list = Value::array();
  for (const policy::Template& each : templates) list.push_back(each.text());
  return list;
}

}  // namespace

Value Contract::to_value() const {
  Value value = Value::object({{"name", name}, {"namespace", namespace_name}, {"from", from.text()}});
  if (!aliases.empty()) value.set("aliases", Value::from(aliases));
  if (!description.empty()) value.set("description", description);
  if (rate) value.set("rate", rate->to_text());
  if (!payload_key.empty()) value.set("payload_key", payload_key);
  if (schema) value.set("schema", schema_source);
  if (member_of) value.set("member_of", member_of->text());
  if (!join.empty()) value.set("join", texts_of(join));
  if (!leave.empty()) value.set("leave", texts_of(leave));
  if (!ask.empty()) value.set("ask", ask);
  switch (audience) {
    case Audience::kNobody: break;
    case Audience::kRooms: value.set("to", texts_of(to)); break;
    case Audience::kPattern: value.set("to_rooms", to_rooms->text()); break;
    case Audience::kEverybody: value.set("to", kEverybody); break;
    case Audience::kSender: value.set("to", kSender); break;
  }
  if (audience != Audience::kNobody) {
    value.set("emit", emit);
    value.set("others", others);
    value.set("volatile", is_volatile);
  }
  if (stamp) value.set("stamp", stamp_source);
  if (reply != Reply::kOk) value.set("reply", reply_source);
  value.set("declared_at", source.text());
  return value;
}

Contracts read_contracts(const ConfigNode& defaults, const ConfigNode& node, std::size_t names_max, ConfigErrors& errors) {
  Contracts contracts;
  std::set<std::pair<std::string, std::string>> taken;  // namespace, name
  const auto names_of = [](const Contract& contract) {
    std::vector<std::string> names = contract.aliases;
    names.push_back(contract.name);
    return names;
  };
  const auto add = [&](std::unique_ptr<Contract> contract, bool is_default) {
    const std::vector<std::string> names = names_of(*contract);
    for (const std::string& name : names) {
      if (!taken.contains({contract->namespace_name, name})) continue;
      if (!is_default) errors.add(contract->source, "the event \"" + name + "\" has a contract already");
      return;
    }
    for (const std::string& name : names) taken.emplace(contract->namespace_name, name);
    contracts.push_back(std::move(contract));
  };
  for (const ConfigNode* each : tables_of(node, errors)) add(ContractReader(*each, errors).read(), false);
  for (const ConfigNode* each : tables_of(defaults, errors)) add(ContractReader(*each, errors).read(), true);
  if (taken.size() > names_max) {
    errors.add({.origin = "contracts.names_max"}, "there are " + std::to_string(taken.size()) + " event names, more than the " +
                                                      std::to_string(names_max) + " that are allowed");
  }
  return contracts;
}

}  // namespace tidewire::server
