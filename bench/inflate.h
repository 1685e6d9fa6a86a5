// inflate.h - permessage-deflate (RFC 7692) without context takeover, to check what the server compressed.
#pragma once

#include <string>
#include <string_view>

namespace tidewire::bench {

// A broadcast is the same bytes for everybody, so the last result is kept and an equal message costs one comparison: the
// generator must stay cheaper than the server.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The text of one compressed message, live until the next call; false if it is none.
  bool inflate(std::string_view compressed, std::string_view& text);

 private:
  struct State;
  State* state_;
  std::string last_compressed_;
  std::string last_text_;
};

}  // namespace tidewire::bench
