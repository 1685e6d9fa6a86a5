// http/chunked_decoder.h - chunked bytes to a body (RFC 9112 7.1). Every deviation is malformed.
//
// Pure. Allocates only in the body it is given, which grows with the bytes that are there, never by a declared size, and for
// trailer lines longer than 15 bytes.
// Limits: the caller's for the body; kChunkExtensionBytesMax, kChunkExtensionTotalMax, kTrailerBytesMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidewire::http {

class ChunkedDecoder {
 public:
  enum class Outcome : std::uint8_t {
    kNeedMore,
    kComplete,
    kTooLong,  // the body would exceed its limit
    kMalformed,
  };
  struct Step {
    Outcome outcome;
    std::size_t bytes;  // taken from the input
  };

  // Appends decoded bytes to `body`, which never grows beyond `limit`. Must not be called again after another outcome than
  // kNeedMore.
  [[nodiscard]] Step feed(std::string_view bytes, std::string& body, std::size_t limit);

 private:
  enum class State : std::uint8_t { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailer, kTrailerLf };

  bool take_line_byte(char byte);
  bool take_size(char byte);
  bool take_extension(char byte);
  bool take_trailer(char byte);
  bool end_trailer_line();

  std::uint64_t left_ = 0;            // of the chunk
  std::string trailer_;               // the trailer line so far
  std::uint16_t extension_line_ = 0;  // bytes of this chunk's extensions
  std::uint16_t extension_total_ = 0;
  std::uint16_t trailer_total_ = 0;
  std::uint8_t digits_ = 0;
  State state_ = State::kSize;
  char previous_ = 0;       // in an extension
  bool has_value_ = false;  // the extension's '=' was seen
  bool last_chunk_ = false;
  bool complete_ = false;
};

}  // namespace tidewire::http
