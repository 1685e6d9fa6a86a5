// websocket/extension.cc - RFC 6455 9.1 and RFC 7692 7.1:
//
//   list      = [ offer ] *( "," [ offer ] )
//   offer     = token *( ";" parameter )
//   parameter = token [ "=" ( token | quoted token ) ]
//
//   permessage-deflate   server_no_context_takeover   client_no_context_takeover
//                        server_max_window_bits=8..15 client_max_window_bits[=8..15]     each at most once
#include "websocket/extension.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tidewire::websocket {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = 0x21; c < 0x7f; ++c)
    table[c] = std::string_view("()<>@,;:\\\"/[]?={}").find(static_cast<char>(c)) == std::string_view::npos;
  return table;
}
constexpr std::array<bool, 256> kTokenCharacter = make_token_table();

// Walks over a header value; every step moves forward.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : text_(text) { skip_blanks(); }

  bool at_end() const noexcept { return text_.empty(); }

  bool take(char wanted) noexcept {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  bool take_token(std::string_view& token) noexcept {
    token = leading_token();
    text_.remove_prefix(token.size());
    skip_blanks();
    return !token.empty();
  }

  // A token, or one in quotes.
  bool take_value(std::string_view& value) noexcept {
    if (text_.empty() || text_.front() != '"') return take_token(value);
    text_.remove_prefix(1);
    value = leading_token();
    text_.remove_prefix(value.size());
    return !value.empty() && take('"');
  }

 private:
  std::string_view leading_token() const noexcept {
    std::size_t size = 0;
    while (size < text_.size() && kTokenCharacter[static_cast<unsigned char>(text_[size])]) ++size;
    return text_.substr(0, size);
  }
  void skip_blanks() noexcept {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) text_.remove_prefix(1);
  }

  std::string_view text_;
};

// 8..15 without leading zeros, 0 for anything else.
std::uint8_t window_bits(std::string_view value) noexcept {
  if (value == "8") return 8;
  if (value == "9") return 9;
  if (value.size() != 2 || value[0] != '1' || value[1] < '0' || value[1] > '5') return 0;
  return static_cast<std::uint8_t>(10 + (value[1] - '0'));
}

}  // namespace

// One offer of permessage-deflate.
struct ExtensionNegotiation::Offer {
  bool server_no_context = false;
  bool client_no_context = false;
  bool client_bits_offered = false;
  std::uint8_t server_bits = 0;   // 0: not named
  std::uint8_t client_bits = 0;
  bool valid = true;

  void add(std::string_view name, std::string_view value, bool has_value) noexcept {
    if (name == "server_no_context_takeover") {
      valid = valid && !has_value && !server_no_context;
      server_no_context = true;
    } else if (name == "client_no_context_takeover") {
      valid = valid && !has_value && !client_no_context;
      client_no_context = true;
    } else if (name == "server_max_window_bits") {
      valid = valid && server_bits == 0 && window_bits(value) != 0;
      server_bits = window_bits(value);
    } else if (name == "client_max_window_bits") {
      valid = valid && !client_bits_offered && (!has_value || window_bits(value) != 0);
      client_bits_offered = true;
      client_bits = window_bits(value);
    } else {
      valid = false;
    }
  }
};

bool ExtensionNegotiation::offer(std::string_view value) {
  Cursor cursor(value);
  while (!cursor.at_end()) {
    if (cursor.take(',')) continue;  // lists may have empty elements
    std::string_view name;
    if (!cursor.take_token(name)) return false;
    Offer offer;
    while (cursor.take(';')) {
      std::string_view parameter;
      std::string_view text;
      if (!cursor.take_token(parameter)) return false;
      const bool has_value = cursor.take('=');
      if (has_value && !cursor.take_value(text)) return false;
      offer.add(parameter, text, has_value);
    }
    if (!cursor.at_end() && !cursor.take(',')) return false;
    if (options_.enabled && name == "permessage-deflate") consider(offer);
  }
  return true;
}

// The client lists offers by preference: the first that can be accepted counts.
void ExtensionNegotiation::consider(const Offer& offer) noexcept {
  if (agreed_.enabled) return;
  if (!offer.valid) {
    invalid_ = true;
    return;
  }
  const auto ours = static_cast<std::uint8_t>(std::clamp(options_.window_bits, 9, 15));
  agreed_.enabled = true;
  agreed_.server_context_takeover = options_.context_takeover && !offer.server_no_context;
  agreed_.client_context_takeover = options_.context_takeover && !offer.client_no_context;
  // A smaller window of ours needs no announcement; it only spares the client memory when it asked for a bound.
  announce_server_bits_ = offer.server_bits != 0;
  agreed_.server_window_bits = announce_server_bits_ ? std::min(offer.server_bits, ours) : std::uint8_t{15};
  // The client may be bound only if it offered to be.
  const std::uint8_t offered = offer.client_bits != 0 ? offer.client_bits : std::uint8_t{15};
  agreed_.client_window_bits = offer.client_bits_offered ? std::min(offered, ours) : std::uint8_t{15};
  announce_client_bits_ = agreed_.client_window_bits != 15;
}

std::string ExtensionNegotiation::response() const {
  if (!agreed_.enabled) return {};
  std::string text = "permessage-deflate";
  if (!agreed_.server_context_takeover) text += "; server_no_context_takeover";
  if (!agreed_.client_context_takeover) text += "; client_no_context_takeover";
  if (announce_server_bits_) text += "; server_max_window_bits=" + std::to_string(agreed_.server_window_bits);
  if (announce_client_bits_) text += "; client_max_window_bits=" + std::to_string(agreed_.client_window_bits);
  return text;
}

ProtocolList read_protocols(std::string_view value, std::string_view wanted) noexcept {
  ProtocolList list;
  Cursor cursor(value);
  do {
    std::string_view token;
    if (!cursor.take_token(token)) return {};
    list.has_wanted = list.has_wanted || token == wanted;
  } while (cursor.take(','));
  list.valid = cursor.at_end();
  return list;
}

}  // namespace tidewire::websocket
