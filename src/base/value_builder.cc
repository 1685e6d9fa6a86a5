#include "base/value_builder.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace tidewire {
namespace {

constexpr std::size_t kFewMembers = 16;  // up to here comparing each with each is faster than sorting

Text text_of(std::string_view raw) {
  Text text;
  if (!base::unescape_json_string(raw, text.text)) {
    text.text.assign(raw);
    text.escaped = true;
  }
  return text;
}

bool key_less(const Text& a, const Text& b) noexcept { return a.escaped != b.escaped ? b.escaped : a.text < b.text; }

// For each member the index of the first one with the same key; its own where there is none before.
std::vector<std::uint32_t> first_with_same_key(const std::vector<Value::Member>& members) {
  std::vector<std::uint32_t> order(members.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order,
                           [&](std::uint32_t a, std::uint32_t b) { return key_less(members[a].key, members[b].key); });
  std::vector<std::uint32_t> first(members.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool repeats = i != 0 && members[order[i]].key == members[order[i - 1]].key;
    first[order[i]] = repeats ? first[order[i - 1]] : order[i];
  }
  return first;
}

bool has_repeated(const std::vector<Value::Member>& members) noexcept {
  for (std::size_t i = 1; i < members.size(); ++i) {
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (members[i].key == members[earlier].key) return true;
    }
  }
  return false;
}

}  // namespace

Value ValueBuilder::build(std::string_view text) {
  base::JsonReader reader(text);
  for (base::JsonToken token = reader.next(); token.kind != base::JsonToken::kEnd; token = reader.next()) take(token);
  return std::move(result_);
}

void ValueBuilder::take(const base::JsonToken& token) {
  using Token = base::JsonToken;
  switch (token.kind) {
    case Token::kEnd:
      return;
    case Token::kNull:
      return add(Value());
    case Token::kTrue:
      return add(Value(true));
    case Token::kFalse:
      return add(Value(false));
    case Token::kNumber:
      return add(Value(Value::Storage(Value::Number{std::string(token.text)})));
    case Token::kString:
      return add(Value(text_of(token.text)));
    case Token::kKey:
      if (!open_.empty()) open_.back().key = text_of(token.text);
      return;
    case Token::kBeginArray:
      return open(Value::array());
    case Token::kBeginObject:
      return open(Value::object());
    case Token::kEndArray:
    case Token::kEndObject:
      return close();
  }
}

void ValueBuilder::open(Value container) { open_.push_back({std::move(container), {}}); }

void ValueBuilder::close() {
  if (open_.empty()) return;  // never in a scanned text
  Value closed = std::move(open_.back().container);
  open_.pop_back();
  if (auto* members = std::get_if<Value::Object>(&closed.storage_)) {
    drop_repeated(*members);
    if (const Bytes* octets = attachment_of(closed)) closed = Value(*octets);
  }
  add(std::move(closed));
}

void ValueBuilder::add(Value value) {
  if (open_.empty()) {
    result_ = std::move(value);
    return;
  }
  Open& parent = open_.back();
  if (auto* members = std::get_if<Value::Object>(&parent.container.storage_)) {
    members->push_back({std::move(parent.key), std::move(value)});
  } else {
    std::get<Value::Array>(parent.container.storage_).push_back(std::move(value));
  }
}

const Bytes* ValueBuilder::attachment_of(const Value& object) const noexcept {
  if (attachments_.empty() || !object["_placeholder"].as_bool().value_or(false)) return nullptr;
  const Value& num = object["num"];
  const auto index = num.is_integer() ? num.as_uint64() : std::nullopt;
  return index && *index < attachments_.size() ? &attachments_[*index] : nullptr;
}

void ValueBuilder::drop_repeated(std::vector<Value::Member>& members) {
  if (members.size() <= kFewMembers && !has_repeated(members)) return;
  const std::vector<std::uint32_t> first = first_with_same_key(members);
  std::size_t kept = 0;
  std::vector<std::size_t> place(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (first[i] != i) {
      members[place[first[i]]].value = std::move(members[i].value);
      continue;
    }
    place[i] = kept;
    if (kept != i) members[kept] = std::move(members[i]);
    ++kept;
  }
  members.resize(kept);
}

}  // namespace tidewire
