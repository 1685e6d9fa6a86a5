#include "http/compression.h"

#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/assert.h"
#include "http/request_codec.h"

namespace tidewire::http {
namespace {

constexpr std::size_t kCodings = 4;

// A weight in thousandths (RFC 9110 12.4.2); -1 for what is no weight.
int parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  if (text.size() > 1 && text[1] != '.') return -1;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return -1;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight <= 1000 ? weight : -1;
}

// Splits "gzip;q=0.5" into name and weight; a weight that cannot be read counts as a refusal.
int split_weight(std::string_view& element) noexcept {
  const std::size_t semicolon = element.find(';');
  if (semicolon == std::string_view::npos) return 1000;
  std::string_view parameter = element.substr(semicolon + 1);
  element = element.substr(0, semicolon);
  while (!element.empty() && element.back() == ' ') element.remove_suffix(1);
  while (!parameter.empty() && parameter.front() == ' ') parameter.remove_prefix(1);
  if (parameter.size() < 2 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') return 0;
  return std::max(parse_weight(parameter.substr(2)), 0);
}

// One deflate state per thread and wrapping.
class ZlibStream {
 public:
  explicit ZlibStream(int window_bits) : window_bits_(window_bits) {}
  ~ZlibStream() {
    if (ready_) deflateEnd(&stream_);
  }
  bool compress(std::string_view body, int level, std::string& out) {
    if (ready_ && deflateReset(&stream_) != Z_OK) return false;
    if (!ready_ && deflateInit2(&stream_, level, Z_DEFLATED, window_bits_, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
    ready_ = true;
    if (level != level_ && deflateParams(&stream_, level, Z_DEFAULT_STRATEGY) != Z_OK) return false;
    level_ = level;
    // zlib's interface predates const; it does not write to its input.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<uInt>(body.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) return false;
    out.resize(out.size() - stream_.avail_out);
    return true;
  }

 private:
  z_stream stream_{};
  int window_bits_;
  int level_ = -1;
  bool ready_ = false;
};

bool compress_zlib(std::string_view body, Coding coding, int level, std::string& out) {
  thread_local ZlibStream gzip(15 + 16);
  thread_local ZlibStream zlib(15);  // what HTTP calls deflate is the zlib format
  return (coding == Coding::kGzip ? gzip : zlib).compress(body, level, out);
}

bool compress_brotli(std::string_view body, int level, std::string& out) {
  const int quality = level >= 9 ? BROTLI_MAX_QUALITY : level + 1;
  std::size_t size = out.size();
  const bool done = BrotliEncoderCompress(quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, body.size(),
                                          reinterpret_cast<const std::uint8_t*>(body.data()), &size,
                                          reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_TRUE;
  if (done) out.resize(size);
  return done;
}

}  // namespace

std::string_view coding_name(Coding coding) noexcept {
  constexpr std::array<std::string_view, kCodings> kNames = {"", "deflate", "gzip", "br"};
  return kNames[static_cast<std::size_t>(coding)];
}

Coding choose_coding(std::string_view accept_encoding, Coding densest) noexcept {
  std::array<int, kCodings> weights;
  weights.fill(-1);
  int others = 0;
  int identity = -1;
  for_each_element(accept_encoding, [&](std::string_view element) {
    const int weight = split_weight(element);
    if (element == "*") others = weight;
    if (equals_ignoring_case(element, "identity")) identity = weight;
    for (std::size_t i = 1; i < kCodings; ++i) {
      if (equals_ignoring_case(element, coding_name(static_cast<Coding>(i)))) weights[i] = weight;
    }
    return true;
  });
  Coding best = Coding::kIdentity;
  // Identity competes only with a weight of its own: unnamed it is acceptable, but nobody's wish.
  int best_weight = std::max(identity, 1);
  for (std::size_t i = 1; i <= static_cast<std::size_t>(densest); ++i) {
    const int weight = weights[i] >= 0 ? weights[i] : others;
    if (weight < best_weight) continue;
    best = static_cast<Coding>(i);
    best_weight = weight;
  }
  return best;
}

std::string compress(std::string_view body, Coding coding, int level) {
  TW_ASSERT(coding != Coding::kIdentity);
  if (body.size() > std::numeric_limits<uInt>::max()) return {};
  // No room for more than the body itself: what does not shrink is not wanted.
  std::string out(body.size(), '\0');
  const bool done = coding == Coding::kBrotli ? compress_brotli(body, level, out) : compress_zlib(body, coding, level, out);
  return done ? out : std::string();
}

void compress_response(const Request& request, const CompressionOptions& options, Response& response) {
  if (response.body.size() < options.threshold_bytes || response.body.empty()) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  const Coding coding = choose_coding(request.header("accept-encoding"), options.densest);
  if (coding == Coding::kIdentity) return;
  std::string coded = compress(response.body, coding, options.level);
  if (coded.empty()) return;
  response.body = std::move(coded);
  response.headers.emplace_back("Content-Encoding", coding_name(coding));
}

}  // namespace tidewire::http
