#include "base/placeholders.h"

#include <absl/container/inlined_vector.h>

#include <charconv>
#include <utility>

#include "base/base64.h"
#include "base/json_reader.h"
#include "base/json_writer.h"

namespace tidewire::base {
namespace {

// What is known of a container that is still open. JavaScript looks at the last of equal keys, so each one overwrites.
struct OpenContainer {
  const char* begin = nullptr;
  bool is_object = false;
  bool placeholder = false;  // "_placeholder":true
  bool has_bytes = false;    // "$bytes" with a string
  std::size_t members = 0;
  std::size_t out_size = 0;     // of the rewritten text, where the object begins
  std::string_view num = {};    // the token of "num", empty for what is no number
  std::string_view bytes = {};  // between the quotes of "$bytes"
};

enum class Key : std::uint8_t { kOther, kPlaceholder, kNum, kBytes };

Key key_of(std::string_view raw) {
  std::string unescaped;
  if (raw.find('\\') != std::string_view::npos) {
    static_cast<void>(unescape_json_string(raw, unescaped));
    raw = unescaped;
  }
  return raw == "_placeholder" ? Key::kPlaceholder
         : raw == "num"        ? Key::kNum
         : raw == "$bytes"     ? Key::kBytes
                               : Key::kOther;
}

// A quick look: whether the text can hold a member of that name at all. Escapes could spell it in many ways.
bool may_mention(std::string_view text, std::string_view name) noexcept {
  return text.find(name) != std::string_view::npos || text.find("\\u") != std::string_view::npos;
}

void note_member(OpenContainer& object, Key key, const JsonToken& value) noexcept {
  if (key == Key::kPlaceholder) object.placeholder = value.kind == JsonToken::kTrue;
  if (key == Key::kNum) object.num = value.kind == JsonToken::kNumber ? value.text : std::string_view();
  if (key == Key::kBytes) {
    object.has_bytes = value.kind == JsonToken::kString;
    object.bytes = value.text;
  }
}

// Calls `begin(object)` at each opening brace and `end(object, behind)` at each closing one; stops when that answers an
// error.
template <typename Begin, typename End>
PlaceholderError each_object(std::string_view text, Begin&& begin, End&& end) {
  absl::InlinedVector<OpenContainer, 8> open;
  Key key = Key::kOther;
  JsonReader reader(text);
  for (JsonToken token = reader.next(); token.kind != JsonToken::kEnd; token = reader.next()) {
    if (token.kind == JsonToken::kKey) {
      key = key_of(token.text);
      continue;
    }
    if (token.kind == JsonToken::kEndArray || token.kind == JsonToken::kEndObject) {
      if (open.empty()) break;  // never in a scanned text
      const OpenContainer closed = open.back();
      open.pop_back();
      if (!closed.is_object) continue;
      const PlaceholderError error = end(closed, reader.position());
      if (error != PlaceholderError::kOk) return error;
      continue;
    }
    if (!open.empty() && open.back().is_object) {
      ++open.back().members;
      note_member(open.back(), key, token);
    }
    if (token.kind != JsonToken::kBeginArray && token.kind != JsonToken::kBeginObject) continue;
    open.push_back({.begin = token.begin, .is_object = token.kind == JsonToken::kBeginObject});
    if (open.back().is_object) begin(open.back());
  }
  return PlaceholderError::kOk;
}

PlaceholderError attachment_index(std::string_view num, std::size_t count, std::size_t& index) noexcept {
  const auto [rest, error] = std::from_chars(num.data(), num.data() + num.size(), index);
  if (error == std::errc::result_out_of_range) return PlaceholderError::kOutOfRange;
  if (error != std::errc() || rest != num.data() + num.size()) return PlaceholderError::kBadNumber;
  return index < count ? PlaceholderError::kOk : PlaceholderError::kOutOfRange;
}

// Copies a text while objects in it are replaced. What an inner replacement wrote is dropped if the outer object goes
// as well.
class Rewriter {
 public:
  Rewriter(std::string_view text, std::string& out) noexcept
      : copied_(text.data()), end_(text.data() + text.size()), out_(out) {}

  void begin(OpenContainer& object) {
    copy_to(object.begin);
    object.out_size = out_.size();
  }
  std::string& replace(const OpenContainer& object, const char* behind) {
    out_.resize(object.out_size);
    copied_ = behind;
    return out_;
  }
  void finish() { copy_to(end_); }

 private:
  void copy_to(const char* place) {
    out_.append(copied_, place);
    copied_ = place;
  }

  const char* copied_;
  const char* const end_;
  std::string& out_;
};

void append_bytes_form(std::string_view octets, std::string& out) {
  out.append("{\"$bytes\":\"");
  const std::size_t begin = out.size();
  out.resize(begin + base64_size(octets.size()));
  base64_encode(octets, out.data() + begin);
  out.append("\"}");
}

// The octets of {"$bytes":"..."}; the text may hold escapes, such as \/.
bool decode_bytes(std::string_view raw, std::string& octets) {
  if (raw.find('\\') == std::string_view::npos) return base64_decode(raw, octets);
  std::string text;
  return unescape_json_string(raw, text) && base64_decode(text, octets);
}

}  // namespace

std::string_view placeholder_error_text(PlaceholderError error) noexcept {
  switch (error) {
    case PlaceholderError::kOk:
      return "ok";
    case PlaceholderError::kBadNumber:
      return "placeholder without a proper number";
    case PlaceholderError::kOutOfRange:
      return "placeholder without its attachment";
    case PlaceholderError::kTooLarge:
      return "attachments named too often";
    case PlaceholderError::kBadBase64:
      return "malformed base64 in $bytes";
    case PlaceholderError::kNotAllowed:
      return "placeholder beside $bytes";
  }
  return "";
}

PlaceholderError validate_placeholders(std::string_view text, std::size_t attachment_count) {
  if (!may_mention(text, "_placeholder")) return PlaceholderError::kOk;
  return each_object(
      text, [](OpenContainer&) {},
      [attachment_count](const OpenContainer& object, const char*) {
        std::size_t index = 0;
        return object.placeholder ? attachment_index(object.num, attachment_count, index) : PlaceholderError::kOk;
      });
}

PlaceholderError validate_placeholders(std::string_view text, std::span<const Bytes> attachments,
                                       std::size_t octets_max) {
  if (!may_mention(text, "_placeholder")) return PlaceholderError::kOk;
  std::size_t octets_left = octets_max;
  return each_object(
      text, [](OpenContainer&) {},
      [attachments, &octets_left](const OpenContainer& object, const char*) {
        std::size_t index = 0;
        if (!object.placeholder) return PlaceholderError::kOk;
        const PlaceholderError error = attachment_index(object.num, attachments.size(), index);
        if (error != PlaceholderError::kOk) return error;
        if (attachments[index].size() > octets_left) return PlaceholderError::kTooLarge;
        octets_left -= attachments[index].size();
        return PlaceholderError::kOk;
      });
}

bool may_have_bytes_form(std::string_view text) noexcept { return may_mention(text, "$bytes"); }

void placeholders_to_bytes_form(std::string_view text, std::span<const Bytes> attachments, std::string& out) {
  Rewriter rewriter(text, out);
  if (!attachments.empty()) {
    static_cast<void>(each_object(
        text, [&rewriter](OpenContainer& object) { rewriter.begin(object); },
        [&](const OpenContainer& object, const char* behind) {
          std::size_t index = 0;
          if (object.placeholder && attachment_index(object.num, attachments.size(), index) == PlaceholderError::kOk) {
            append_bytes_form(attachments[index].view(), rewriter.replace(object, behind));
          }
          return PlaceholderError::kOk;
        }));
  }
  rewriter.finish();
}

PlaceholderError bytes_form_to_placeholders(std::string_view text, std::string& out, std::vector<Bytes>& attachments) {
  const bool lookalike_matters = !attachments.empty() && may_mention(text, "_placeholder");
  if (!may_mention(text, "$bytes") && !lookalike_matters) {
    out.append(text);
    return PlaceholderError::kOk;
  }
  const std::size_t out_size = out.size();
  const std::size_t attachment_count = attachments.size();
  bool lookalike = false;
  Rewriter rewriter(text, out);
  PlaceholderError error = each_object(
      text, [&rewriter](OpenContainer& object) { rewriter.begin(object); },
      [&](const OpenContainer& object, const char* behind) {
        lookalike = lookalike || object.placeholder;
        if (!object.has_bytes || object.members != 1) return PlaceholderError::kOk;
        std::string octets;
        if (!decode_bytes(object.bytes, octets)) return PlaceholderError::kBadBase64;
        std::string& to = rewriter.replace(object, behind);
        to.append("{\"_placeholder\":true,\"num\":");
        append_json_number(to, std::uint64_t{attachments.size()});
        to.push_back('}');
        attachments.push_back(Bytes::take(std::move(octets)));
        return PlaceholderError::kOk;
      });
  if (lookalike && !attachments.empty()) error = PlaceholderError::kNotAllowed;
  if (error != PlaceholderError::kOk) {
    out.resize(out_size);
    attachments.resize(attachment_count);
    return error;
  }
  rewriter.finish();
  return error;
}

}  // namespace tidewire::base
