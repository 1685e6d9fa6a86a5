// Any bytes as a query string: each key finds the last value that a plain reading of all pairs gives it.
#include "http/query.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidewire::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Query query(text);
  std::map<std::string, std::string> last;
  query.for_each_raw([&last](std::string_view key, std::string_view value) { last[decode_form(key)] = decode_form(value); });
  for (const auto& [key, value] : last) {
    TW_ASSERT(query.has(key));
    TW_ASSERT(query.value(key) == value);
  }
  TW_ASSERT(last.contains("no such key") == query.has("no such key"));

  std::string path = "kept";
  const bool decoded = decode_path(text, path);
  TW_ASSERT(decoded || path == "kept");
  TW_ASSERT(path.size() <= size + 4);
  return 0;
}
