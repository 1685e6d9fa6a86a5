#include "base/value_builder.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace tidewire {
namespace {

constexpr std::size_t kFewMembers = 16;  // up to here comparing each with each is faster than sorting

// REQUIRES: `text` is empty
void unescape(std::string_view raw, Text& text) {
  if (base::unescape_json_string(raw, text.text)) return;
  text.text.assign(raw);
  text.escaped = true;
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
  return parts_.empty() ? Value() : std::move(parts_.front().value);
}

void ValueBuilder::take(const base::JsonToken& token) {
  using Token = base::JsonToken;
  switch (token.kind) {
    case Token::kEnd:
      return;
    case Token::kNull:
      static_cast<void>(place());
      return;
    case Token::kTrue:
    case Token::kFalse:
      place().storage_.emplace<bool>(token.kind == Token::kTrue);
      return;
    case Token::kNumber:
      place().storage_.emplace<Value::Number>().text.assign(token.text);
      return;
    case Token::kString:
      unescape(token.text, place().storage_.emplace<Text>());
      return;
    case Token::kKey:
      unescape(token.text, parts_.emplace_back().key);
      has_key_ = true;
      return;
    case Token::kBeginArray:
    case Token::kBeginObject:
      return open(token.kind == Token::kBeginObject);
    case Token::kEndArray:
    case Token::kEndObject:
      return close();
  }
}

Value& ValueBuilder::place() {
  if (!std::exchange(has_key_, false)) parts_.emplace_back();
  return parts_.back().value;
}

void ValueBuilder::open(bool is_object) {
  static_cast<void>(place());  // what it will be moved to
  open_.push_back({parts_.size(), is_object});
}

void ValueBuilder::close() {
  if (open_.empty()) return;  // never in a scanned text
  const Open closed = open_.back();
  open_.pop_back();
  const std::span<Value::Member> parts(parts_.data() + closed.first, parts_.size() - closed.first);
  Value container;
  if (closed.is_object) {
    auto& members = container.storage_.emplace<Value::Object>(std::move_iterator(parts.begin()), std::move_iterator(parts.end()));
    drop_repeated(members);
    if (const Bytes* octets = attachment_of(container)) container = Value(*octets);
  } else {
    auto& items = container.storage_.emplace<Value::Array>();
    items.reserve(parts.size());
    for (Value::Member& part : parts) items.push_back(std::move(part.value));
  }
  parts_.resize(closed.first);
  parts_.back().value = std::move(container);
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
