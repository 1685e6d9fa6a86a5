#include "http/static_files.h"

#include <algorithm>

#include "http/request_codec.h"
#include "http/response_codec.h"

namespace tidewire::http {
namespace {

// FNV-1a, 64 bits: tells versions of a file apart; nobody chooses the content to deceive.
std::string content_hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  std::string text(16, '0');
  for (char& digit : text) {
    digit = "0123456789abcdef"[hash >> 60];
    hash <<= 4;
  }
  return text;
}

std::string_view without_weakness(std::string_view etag) noexcept { return etag.starts_with("W/") ? etag.substr(2) : etag; }

}  // namespace

bool matches_etag(std::string_view if_none_match, std::string_view etag) noexcept {
  bool matches = false;
  for_each_element(if_none_match, [&](std::string_view candidate) {
    matches = candidate == "*" || without_weakness(candidate) == without_weakness(etag);
    return !matches;
  });
  return matches;
}

StaticFiles::StaticFiles(std::span<const StaticFile> files, StaticFilesOptions options) : options_(std::move(options)) {
  entries_.reserve(files.size());
  for (const StaticFile& file : files) entries_.push_back({&file, content_hash(file.bytes), {}});
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.file->path < b.file->path; });
}

void StaticFiles::on_request(Exchange& exchange, std::string_view) {
  const Request& request = exchange.request();
  const bool head_only = request.method == "HEAD";
  if (request.method != "GET" && !head_only) {
    exchange.respond({.status = 405, .headers = {{"Allow", "GET, HEAD"}}, .body = {}});
    return;
  }
  Entry* entry = find(request.path);
  if (entry == nullptr) {
    exchange.respond({.status = 404, .headers = {}, .body = {}});
    return;
  }
  const bool small = entry->file->bytes.size() < options_.threshold_bytes;
  Coding coding = small ? Coding::kIdentity : choose_coding(request.header("accept-encoding"));
  if (!variant(*entry, coding).answer) coding = Coding::kIdentity;
  const Variant& chosen = variant(*entry, coding);

  const std::string_view header_lines = exchange.response_header_lines();
  if (matches_etag(request.header("if-none-match"), chosen.etag)) {
    exchange.respond_raw(encode(*entry, coding, chosen.etag, {}, 304, header_lines, false), false);
  } else if (head_only || !header_lines.empty()) {
    // The frame for all others carries neither; its body does.
    const std::string_view wire = chosen.answer.wire();
    const std::string_view body = wire.substr(wire.find("\r\n\r\n") + 4);
    exchange.respond_raw(encode(*entry, coding, chosen.etag, body, 200, header_lines, head_only), false);
  } else {
    exchange.respond_raw(chosen.answer, false);
  }
}

StaticFiles::Entry* StaticFiles::find(std::string_view path) noexcept {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), path,
                                   [](const Entry& entry, std::string_view wanted) { return entry.file->path < wanted; });
  return at != entries_.end() && at->file->path == path ? &*at : nullptr;
}

StaticFiles::Variant& StaticFiles::variant(Entry& entry, Coding coding) {
  Variant& chosen = entry.variants[static_cast<std::size_t>(coding)];
  if (!chosen.made) make(entry, coding, chosen);
  return chosen;
}

void StaticFiles::make(Entry& entry, Coding coding, Variant& made) {
  made.made = true;
  const std::string_view suffix = coding_name(coding);
  made.etag = '"' + entry.hash + (suffix.empty() ? "" : "-") + std::string(suffix) + '"';
  std::string coded;
  std::string_view body = entry.file->bytes;
  if (coding != Coding::kIdentity) {
    coded = compress(body, coding, 9);
    if (coded.empty()) return;
    body = coded;
  }
  made.answer = encode(entry, coding, made.etag, body, 200, {}, false);
}

base::Frame StaticFiles::encode(const Entry& entry, Coding coding, std::string_view etag, std::string_view body, int status,
                                std::string_view header_lines, bool head_only) const {
  std::vector<Header> headers = {{"ETag", etag}, {"Cache-Control", options_.cache_control}};
  headers.push_back({"X-Content-Type-Options", "nosniff"});
  if (entry.file->bytes.size() >= options_.threshold_bytes) headers.push_back({"Vary", "Accept-Encoding"});
  if (coding != Coding::kIdentity && status == 200) headers.push_back({"Content-Encoding", coding_name(coding)});
  for (const auto& [name, value] : options_.headers) headers.push_back({name, value});
  return encode_answer({.status = status,
                        .headers = headers,
                        .header_lines = header_lines,
                        .content_type = status == 200 ? entry.file->type : std::string_view(),
                        .body = body,
                        .head_only = head_only});
}

}  // namespace tidewire::http
