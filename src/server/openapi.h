// server/openapi.h - the table of the HTTP API as documents: OpenAPI 3.1, a page to read, and docs/http-api.md.
//
// Threads: pure. Texts of the table are ours, and are escaped all the same.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/api_endpoint.h"

namespace tidewire::server {

Value openapi_document(std::span<const ApiEndpoint> table);
// HTML; its style is kApiDocsStyle at /api/docs/style.css. No script.
std::string api_docs_page(std::span<const ApiEndpoint> table);
std::string_view api_docs_style() noexcept;
// docs/http-api.md
std::string api_markdown(std::span<const ApiEndpoint> table);

}  // namespace tidewire::server
