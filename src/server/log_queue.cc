#include "server/log_queue.h"

#include <algorithm>
#include <utility>

namespace tidewire::server {

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  // A character is at most four bytes: what has more continuation bytes is no text, and is cut anywhere.
  while (end > 0 && bytes_max - end < 3 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

LogQueue::LogQueue() {
  heads_.reserve(kLinesMax);
  bytes_.reserve(kBytesMax);
}

bool LogQueue::append(LogLevel level, std::int64_t time_us, std::string_view message, std::span<const base::LogField> fields) {
  const std::span<const base::LogField> kept = fields.first(std::min(fields.size(), kFieldsMax));
  std::size_t wanted = sizeof(Length) + std::min(message.size(), kMessageBytesMax);
  for (const base::LogField& field : kept) {
    wanted += 2 * sizeof(Length) + std::min(field.key.size(), kKeyBytesMax) + std::min(field.value.size(), kValueBytesMax);
  }
  const bool error = level >= LogLevel::kError;
  const std::size_t lines_max = error ? kLinesMax : kLinesMax - kLinesForErrors;
  const std::size_t bytes_max = error ? kBytesMax : kBytesMax - kBytesForErrors;
  if (heads_.size() >= lines_max || bytes_.size() + wanted > bytes_max) {
    ++dropped_;
    return false;
  }
  heads_.push_back({.time_us = time_us, .level = level, .fields = static_cast<std::uint8_t>(kept.size())});
  append_text(cut_text(message, kMessageBytesMax));
  for (const base::LogField& field : kept) {
    append_text(cut_text(field.key, kKeyBytesMax));
    append_text(cut_text(field.value, kValueBytesMax));
  }
  return true;
}

void LogQueue::append_text(std::string_view text) {
  const Length length = static_cast<Length>(text.size());
  bytes_.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
}

void LogQueue::clear() noexcept {
  heads_.clear();
  bytes_.clear();
  dropped_ = 0;
}

void LogQueue::swap(LogQueue& other) noexcept {
  heads_.swap(other.heads_);
  bytes_.swap(other.bytes_);
  std::swap(dropped_, other.dropped_);
}

}  // namespace tidewire::server
