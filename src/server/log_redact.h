// server/log_redact.h - takes what opens doors out of a text before a person may read it.
//
//   GET /ws?room=a&token=abc.def         GET /ws?room=a&token=***
//   Authorization: Bearer abc            Authorization: ***
//   {"password":"a \"b\" c","n":1}       {"password":"***","n":1}
//   jwt eyJhbGciOi.eyJzdWIi.c2ln         jwt ***
//   redis://user:pass@host/0             redis://***@host/0
//
// A secret has a name (token, access_token, auth, api_key, password, secret, sid, authorization, cookie; `-` is `_`, case does not
// count, and `client_secret` or `refreshToken` end in one), or a form: JWTs, and user:password in a URL.
// Two parts of a JWT are enough: the third may be cut off. Too much is taken rather than too little: "auth: no" is "auth: ***".
// Pure: one pass, time in proportion to the text. What has no name and no form is not recognised; callers log no payloads.
#pragma once

#include <string>
#include <string_view>

namespace tidewire::server {

// The text with "***" for each secret.
std::string redact(std::string_view text);

// Whether what goes by this name is a secret.
bool names_secret(std::string_view name) noexcept;

}  // namespace tidewire::server
