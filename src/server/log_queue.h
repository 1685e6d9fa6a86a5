// server/log_queue.h - lines on their way from the shards to the log's thread: their bytes one behind the other in one block.
//
//   heads_  [ time, level, fields ] [ time, level, fields ] ...
//   bytes_  length message length key length value ... | length message ...
//
// Memory is taken once, by the constructor: keeping a line allocates nothing.
// Bounds: kLinesMax lines and kBytesMax bytes, of which the last part is kept for errors; per line as LogQueue::append() says.
// Threads: whoever holds the owner's lock; a queue that was swapped out belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "server/log_format.h"

namespace tidewire::server {

// At most `bytes_max` bytes of the text, not ending within a character.
std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept;

class LogQueue {
 public:
  static constexpr std::size_t kLinesMax = 4'096;
  static constexpr std::size_t kBytesMax = 1024 * 1024;
  static constexpr std::size_t kLinesForErrors = 256;
  static constexpr std::size_t kBytesForErrors = 128 * 1024;
  static constexpr std::size_t kMessageBytesMax = 256;
  static constexpr std::size_t kKeyBytesMax = 64;
  static constexpr std::size_t kValueBytesMax = 256;
  static constexpr std::size_t kFieldsMax = 16;

  LogQueue();

  // Keeps a copy, cut to the bounds above; false, and the line counts as dropped, if the queue is full.
  bool append(LogLevel level, std::int64_t time_us, std::string_view message, std::span<const base::LogField> fields);
  bool append(LogLevel level, std::int64_t time_us, std::string_view message, std::initializer_list<base::LogField> fields) {
    return append(level, time_us, message, {fields.begin(), fields.size()});
  }

  // Calls take(const LogLine&) for each line in order. What a line points to lives until the queue changes.
  template <typename Take>
  void for_each(Take&& take) const {
    std::array<LogText, kFieldsMax> fields;
    std::size_t at = 0;
    for (const Head& head : heads_) {
      LogLine line{.level = head.level, .time_us = head.time_us, .message = text_at(at), .fields = {}};
      for (std::size_t i = 0; i < head.fields; ++i) {
        fields[i].key = text_at(at);
        fields[i].value = text_at(at);
      }
      line.fields = std::span(fields).first(head.fields);
      take(line);
    }
  }

  bool empty() const noexcept { return heads_.empty(); }
  std::size_t lines() const noexcept { return heads_.size(); }
  // Lines that found it full since clear().
  std::uint64_t dropped() const noexcept { return dropped_; }
  void clear() noexcept;
  void swap(LogQueue& other) noexcept;

 private:
  using Length = std::uint16_t;
  static_assert(kMessageBytesMax <= UINT16_MAX && kValueBytesMax <= UINT16_MAX);
  // The largest error finds room although everything else is full.
  static_assert(kBytesForErrors > sizeof(Length) + kMessageBytesMax + kFieldsMax * (2 * sizeof(Length) + kKeyBytesMax + kValueBytesMax));

  struct Head {
    std::int64_t time_us;
    LogLevel level;
    std::uint8_t fields;
  };

  void append_text(std::string_view text);
  // The text whose length stands at `at`, which then is the place behind it.
  std::string_view text_at(std::size_t& at) const noexcept {
    Length length;
    std::memcpy(&length, bytes_.data() + at, sizeof length);
    const std::string_view text(bytes_.data() + at + sizeof length, length);
    at += sizeof length + length;
    return text;
  }

  std::vector<Head> heads_;
  std::string bytes_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tidewire::server
