// engineio/polling_response.h - the HTTP answers of polling, as browsers and the reference server's clients know them.
#pragma once

#include <string>
#include <string_view>

#include "engineio/server.h"
#include "http/compression.h"
#include "http/exchange.h"

namespace tidewire::engineio {

// The coding that a request's answer may have. Asked when the request comes: its head is gone when a parked one is answered.
http::Coding payload_coding(const http::Request& request, const Options& options);
// 200 with a payload, coded if it is long enough and gets shorter. kIdentity: never coded.
http::Response payload_response(std::string payload, http::Coding coding, const Options& options);
// 200 "ok": a POST was taken.
http::Response taken_response();
// An empty answer that ends the connection: the request broke the rules of the transport.
http::Response refused_response();
// 400 with the body of error 3: what the POST carried broke the grammar, here or above.
http::Response bad_payload_response();

}  // namespace tidewire::engineio
