// limit_answers.h - what the limit program says: bytes found by position in what the load generator sent, never parsed.
//
// It knows the generator's four sentences and copies; a server has to validate, look up and encode. That is what makes it a
// floor to measure against and nothing to use.
#pragma once

#include <string>
#include <string_view>

namespace tidewire::bench {

enum class Speaks : unsigned char { kHttp, kSocketIo, kRaw };

// The complete text frame of `text`, appended.
void append_server_frame(std::string& out, std::string_view head, std::string_view tail = {});

// The answer to a WebSocket handshake, with the open packet behind it where the path is Socket.IO's.
Speaks answer_handshake(std::string_view request, std::string& out);

// What one message costs its sender (`own`) and everybody who speaks the same (`everybody`).
struct Answers {
  std::string& own;
  std::string& everybody_socketio;
  std::string& everybody_raw;
};

// True when the message made its sender a Socket.IO socket (the packet `40`).
bool answer_message(Speaks speaks, std::string_view text, Answers answers);

}  // namespace tidewire::bench
