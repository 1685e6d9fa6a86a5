#include "outbound/transfer.h"

#include <algorithm>

namespace tidewire::outbound {
namespace {

FetchError error_of(CURLcode code) noexcept {
  switch (code) {
    case CURLE_OK: return FetchError::kNone;
    case CURLE_OPERATION_TIMEDOUT: return FetchError::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return FetchError::kResolve;
    case CURLE_COULDNT_CONNECT: return FetchError::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return FetchError::kTls;
    default: return FetchError::kProtocol;
  }
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || kMarks.find(c) != std::string_view::npos;
  });
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

bool header_is_clean(const Header& header) noexcept {
  return is_token(header.name) && std::all_of(header.value.begin(), header.value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
}

Transfer::Transfer(Request request, Fetcher::Done done, base::Milliseconds start_ms, base::Milliseconds timeout_ms,
                   const TransferRules& rules)
    : request_(std::move(request)), done_(std::move(done)), start_ms_(start_ms), handle_(curl_easy_init()) {
  if (handle_ == nullptr) return;
  curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
  set_limits(timeout_ms);
  set_security(rules);
  set_request();
}

Transfer::~Transfer() {
  curl_easy_cleanup(handle_);
  curl_slist_free_all(header_list_);
}

void Transfer::set_limits(base::Milliseconds timeout_ms) {
  const long limit_ms = static_cast<long>(timeout_ms);
  curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, limit_ms);
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS, limit_ms);
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  // Without it, giving up on a name look-up waits for the look-up, and all other requests with it. The resolver's thread is
  // detached instead and frees what it holds when the look-up ends.
  curl_easy_setopt(handle_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
}

void Transfer::set_security(const TransferRules& rules) {
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle_, CURLOPT_HTTP09_ALLOWED, 0L);
  if (!rules.ca_file.empty()) curl_easy_setopt(handle_, CURLOPT_CAINFO, rules.ca_file.c_str());
  if (!rules.proxy_from_environment) curl_easy_setopt(handle_, CURLOPT_PROXY, "");  // "" switches the environment off, nullptr does not
}

void Transfer::set_request() {
  curl_easy_setopt(handle_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (request_.method == Method::kPost) {
    curl_easy_setopt(handle_, CURLOPT_POST, 1L);
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, request_.body.data());  // not copied: request_ lives as long as the handle
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  const auto add = [&](const std::string& line) {
    curl_slist* const longer = curl_slist_append(header_list_, line.c_str());
    if (longer != nullptr) header_list_ = longer;
  };
  for (const Header& header : request_.headers) {
    // libcurl reads "Name:" as "leave it out", and "Name;" as "send it empty".
    add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  add("Expect:");  // no waiting for "100 Continue" before a body
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, header_list_);
}

std::size_t Transfer::take_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  transfer.head_bytes_ += bytes;
  if (transfer.head_bytes_ > kResponseHeadBytesMax) {
    transfer.too_large_ = true;
    return 0;  // ends the transfer
  }
  transfer.header_line({data, bytes});
  return bytes;
}

void Transfer::header_line(std::string_view line) {
  if (line.substr(0, 5) == "HTTP/") {
    response_.headers.clear();  // of a 1xx before it
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  response_.headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
}

std::size_t Transfer::take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  if (bytes > transfer.request_.response_bytes_max - transfer.response_.body.size()) {
    transfer.too_large_ = true;
    return 0;
  }
  transfer.response_.body.append(data, bytes);
  return bytes;
}

void Transfer::finish(CURLcode code, base::Milliseconds now) {
  if (too_large_) return answer(FetchError::kTooLarge, std::string(fetch_error_text(FetchError::kTooLarge)), now);
  const FetchError error = error_of(code);
  if (error != FetchError::kNone) return answer(error, curl_easy_strerror(code), now);
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  answer(FetchError::kNone, {}, now);
}

void Transfer::cancel(base::Milliseconds now) {
  answer(FetchError::kCancelled, std::string(fetch_error_text(FetchError::kCancelled)), now);
}

void Transfer::answer(FetchError error, std::string text, base::Milliseconds now) {
  Response response = error == FetchError::kNone ? std::move(response_) : refused(error, std::move(text));
  response.elapsed_ms = now - start_ms_;
  done_(std::move(response));
}

}  // namespace tidewire::outbound
