// chunked = *( size *extension CRLF data CRLF ) 1*"0" *extension CRLF *( trailer CRLF ) CRLF
// size = 1*16 hex digits; extension = ";" token [ "=" token ]
#include "http/chunked_decoder.h"

#include <utility>

#include "base/limits.h"
#include "http/characters.h"
#include "http/request_codec.h"

namespace tidewire::http {

namespace limits = base::limits;

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view bytes, std::string& body, std::size_t limit) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (state_ == State::kData) {
      const std::string_view data = bytes.substr(at, left_);
      body.append(data);
      at += data.size();
      left_ -= data.size();
      if (left_ == 0) state_ = State::kDataCr;
      continue;
    }
    if (!take_line_byte(bytes[at++])) return {Outcome::kMalformed, at};
    if (complete_) return {Outcome::kComplete, at};
    if (state_ == State::kData && left_ > limit - body.size()) return {Outcome::kTooLong, at};
  }
  return {Outcome::kNeedMore, at};
}

bool ChunkedDecoder::take_line_byte(char byte) {
  switch (state_) {
    case State::kSize: return take_size(byte);
    case State::kExtension: return take_extension(byte);
    case State::kSizeLf:
      last_chunk_ = left_ == 0;
      state_ = last_chunk_ ? State::kTrailer : State::kData;
      digits_ = 0;
      return byte == '\n';
    case State::kDataCr: state_ = State::kDataLf; return byte == '\r';
    case State::kDataLf: state_ = State::kSize; return byte == '\n';
    case State::kTrailer: return take_trailer(byte);
    case State::kTrailerLf: return byte == '\n' && end_trailer_line();
    case State::kData: break;
  }
  return false;
}

bool ChunkedDecoder::take_size(char byte) {
  const int value = hex_value(byte);
  if (value >= 0) {
    // 15 digits reach 2^60, far over any limit; leading zeros count as digits.
    if (digits_ == 15) return false;
    ++digits_;
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    return true;
  }
  if (digits_ == 0) return false;
  if (byte == '\r') {
    state_ = State::kSizeLf;
    return true;
  }
  if (byte != ';') return false;
  state_ = State::kExtension;
  extension_line_ = 0;
  previous_ = 0;
  return take_extension(byte);
}

bool ChunkedDecoder::take_extension(char byte) {
  const bool after_token = is(previous_, kToken);
  if (byte == '\r') {
    state_ = State::kSizeLf;
    return after_token;
  }
  ++extension_total_;
  if (++extension_line_ > limits::kChunkExtensionBytesMax || extension_total_ > limits::kChunkExtensionTotalMax)
    return false;
  const char previous = std::exchange(previous_, byte);
  if (byte == ';') {
    has_value_ = false;
    return after_token || previous == 0;
  }
  if (byte == '=') return after_token && !std::exchange(has_value_, true);
  return is(byte, kToken);
}

bool ChunkedDecoder::take_trailer(char byte) {
  if (++trailer_total_ > limits::kTrailerBytesMax) return false;
  if (byte == '\r') {
    state_ = State::kTrailerLf;
  } else {
    trailer_.push_back(byte);
  }
  return byte != '\n';
}

// Trailers are read and dropped. Those that would change framing or routing show that somebody disagrees with us.
bool ChunkedDecoder::end_trailer_line() {
  state_ = State::kTrailer;
  if (trailer_.empty()) {
    complete_ = true;
    return true;
  }
  Header trailer;
  if (!parse_header_line(trailer_, trailer)) return false;
  for (const std::string_view forbidden : {"content-length", "transfer-encoding", "host"}) {
    if (equals_ignoring_case(trailer.name, forbidden)) return false;
  }
  trailer_.clear();
  return true;
}

}  // namespace tidewire::http
