// Any bytes: what Value reads and writes, it reads again as the same value, and writes in the same way.
#include "tidewire/value.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidewire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Value> value = Value::parse(text);
  if (!value.ok()) return 0;
  const std::string written = value->to_json();
  TW_ASSERT(base::valid_utf8(written));
  const Result<Value> again = Value::parse(written);
  TW_ASSERT(again.ok());
  TW_ASSERT(*again == *value);
  TW_ASSERT(again->to_json() == written);

  const Bytes attachments[] = {Bytes("first"), Bytes("second")};
  if (const Result<Value> placed = Value::parse(text, attachments); placed.ok()) {
    std::vector<Bytes> out;
    const std::string with_placeholders = placed->to_json(out);
    const Result<Value> back = Value::parse(with_placeholders, out);
    TW_ASSERT(back.ok());
    TW_ASSERT(out.empty() || *back == *placed || with_placeholders.find("_placeholder\":1") != std::string::npos);
  }
  return 0;
}
