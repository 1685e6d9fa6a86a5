// http/static_files.h - files that are part of the program: a table in memory, never the file system.
//
// Each answer (file and coding) is encoded once, when first asked for, and shared as a frame by everybody who asks again.
// Entity tags are strong and differ per coding; If-None-Match is compared weakly (RFC 9110 13.1.2). A path that is no entry
// of the table, byte for byte, does not exist: there is nothing that dots and escapes could lead to.
// Threads: one handler per shard; the table is shared and read-only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/compression.h"
#include "http/exchange.h"

namespace tidewire::http {

struct StaticFile {
  std::string_view path;  // as in the request: "/dashboard/app.js"; a folder's page is its path with the slash
  std::string_view type;  // "text/javascript; charset=utf-8"
  std::string_view bytes;
};

struct StaticFilesOptions {
  std::string cache_control = "no-cache";  // ask again, a 304 is cheap
  std::size_t threshold_bytes = 1024;      // shorter files are not compressed
  // On every answer with content; a Content-Security-Policy, say.
  std::vector<std::pair<std::string, std::string>> headers;
};

class StaticFiles final : public Handler {
 public:
  // `files` and their bytes must outlive the handler.
  explicit StaticFiles(std::span<const StaticFile> files, StaticFilesOptions options = {});
  void on_request(Exchange& exchange, std::string_view body) override;

 private:
  struct Variant {
    base::Frame answer;
    std::string etag;
    bool made = false;  // without `answer`: this coding does not make the file shorter
  };
  struct Entry {
    const StaticFile* file;
    std::string hash;                 // of the content, hexadecimal
    std::array<Variant, 4> variants;  // by Coding
  };
  Entry* find(std::string_view path) noexcept;
  Variant& variant(Entry& entry, Coding coding);
  void make(Entry& entry, Coding coding, Variant& made);
  base::Frame encode(const Entry& entry, Coding coding, std::string_view etag, std::string_view body, int status,
                     std::string_view header_lines, bool head_only) const;

  StaticFilesOptions options_;
  std::vector<Entry> entries_;  // sorted by path
};

// Whether an If-None-Match value names this entity tag, or any ("*").
bool matches_etag(std::string_view if_none_match, std::string_view etag) noexcept;

}  // namespace tidewire::http
