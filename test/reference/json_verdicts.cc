// json_verdicts - reads texts, one per line in base64; answers each with one line:
//
//   cause <TAB> base64 of the text as Value writes it, or nothing when it was refused
//
// For test/e2e/json_reference.mjs, which holds the answers against JSON.parse and JSON.stringify.
#include <iostream>
#include <string>

#include "base/base64.h"
#include "base/json_scanner.h"
#include "base/utf8.h"
#include "tidewire/value.h"

namespace {

std::string verdict(const std::string& text) {
  using namespace tidewire;
  if (!base::valid_utf8(text)) return "not UTF-8\t";
  const base::JsonError error = base::scan_json(text, {.depth = base::limits::kJsonDepthMax});
  const Result<Value> value = Value::parse(text);
  if (value.ok() != (error == base::JsonError::kOk)) return "scanner and Value disagree\t";
  std::string line(base::json_error_text(error));
  line.push_back('\t');
  if (!value.ok()) return line;
  const std::string written = value->to_json();
  std::string encoded(base::base64_size(written.size()), '\0');
  base::base64_encode(written, encoded.data());
  return line + encoded;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::string text;
  for (std::string line; std::getline(std::cin, line);) {
    text.clear();
    if (!tidewire::base::base64_decode(line, text)) return 1;
    std::cout << verdict(text) << '\n';
  }
  return 0;
}
