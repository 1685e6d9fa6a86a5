#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/assert.h"

namespace tidewire::net {
namespace {

template <auto kFree>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using SslPointer = std::unique_ptr<SSL, Freeing<SSL_free>>;
using ContextPointer = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown reason";
}

// We speak HTTP/1.1 only. A client that offers names, but not this one, is told so by an alert instead of by garbage.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<SSL_CTX*> make_context(const TlsOptions& options) {
  ERR_clear_error();
  ContextPointer context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return Status(StatusCode::kInternal, "TLS: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_num_tickets(context.get(), 1);
  // Resumption by ticket only: a cache of sessions would be memory per client.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  const char* ciphers = options.ciphers.empty() ? "HIGH:!aNULL:!kRSA:!PSK:!SRP:!MD5:!RC4:!3DES:!CBC" : options.ciphers.c_str();
  if (SSL_CTX_set_cipher_list(context.get(), ciphers) != 1) {
    return Status(StatusCode::kInvalidArgument, "TLS ciphers: " + openssl_reason());
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate_file.c_str()) != 1) {
    return Status(StatusCode::kInvalidArgument, "TLS certificate " + options.certificate_file + ": " + openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Status(StatusCode::kInvalidArgument, "TLS key " + options.key_file + ": " + openssl_reason());
  }
  return context.release();
}

}  // namespace

struct Tls::State {
  SslPointer ssl;
  std::span<const char> input;  // of this feed()
  std::span<char> output;       // room left of this seal(); what does not fit, and all of the handshake, goes to `unsent`
  std::string unsent;
  std::size_t unsent_begin = 0;
  bool finished = false;

  static int read(BIO* bio, char* to, std::size_t size, std::size_t* count) {
    auto& state = *static_cast<State*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *count = std::min(size, state.input.size());
    if (*count == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(to, state.input.data(), *count);
    state.input = state.input.subspan(*count);
    return 1;
  }
  static int write(BIO* bio, const char* from, std::size_t size, std::size_t* count) {
    auto& state = *static_cast<State*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *count = size;
    if (state.unsent.empty() && state.output.size() >= size) {
      std::memcpy(state.output.data(), from, size);
      state.output = state.output.subspan(size);
    } else {
      state.unsent.append(from, size);
    }
    return 1;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tidewire spans");
      BIO_meth_set_read_ex(fresh, &State::read);
      BIO_meth_set_write_ex(fresh, &State::write);
      BIO_meth_set_ctrl(fresh, &State::control);
      return fresh;
    }();
    return made;
  }
};

Tls::Tls(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tls::~Tls() = default;

bool Tls::handshake_done() const { return SSL_is_init_finished(state_->ssl.get()) == 1; }

Tls::Fed Tls::feed(std::span<const char> ciphertext, std::span<char> plain) {
  TW_ASSERT(plain.size() >= ciphertext.size() + kRecordBytes);
  state_->input = ciphertext;
  ERR_clear_error();
  Fed fed{Outcome::kOk, 0};
  for (;;) {
    std::size_t count = 0;
    // There is always room: a record is longer than what is in it, and at most one began in an earlier feed().
    const int read = SSL_read_ex(state_->ssl.get(), plain.data() + fed.plain_bytes, plain.size() - fed.plain_bytes, &count);
    fed.plain_bytes += count;
    if (read == 1) continue;
    const int error = SSL_get_error(state_->ssl.get(), read);
    if (error == SSL_ERROR_ZERO_RETURN) {
      fed.outcome = Outcome::kClosed;
    } else if (error != SSL_ERROR_WANT_READ) {
      ERR_clear_error();
      fed.outcome = Outcome::kError;
    }
    break;
  }
  state_->input = {};
  return fed;
}

std::size_t Tls::seal(std::string_view plain, std::span<char> sealed) {
  TW_ASSERT(state_->unsent.empty());
  state_->output = sealed;
  ERR_clear_error();
  std::size_t taken = 0;
  const bool written = SSL_write_ex(state_->ssl.get(), plain.data(), plain.size(), &taken) == 1;
  const std::size_t used = sealed.size() - std::exchange(state_->output, {}).size();
  ERR_clear_error();
  TW_ASSERT(state_->unsent.empty());
  return written ? used : 0;
}

void Tls::finish() {
  if (state_->finished || !handshake_done()) return;
  state_->finished = true;
  ERR_clear_error();
  SSL_shutdown(state_->ssl.get());
  ERR_clear_error();
}

std::string_view Tls::unsent() const noexcept { return std::string_view(state_->unsent).substr(state_->unsent_begin); }

void Tls::consume_unsent(std::size_t count) {
  state_->unsent_begin += count;
  TW_ASSERT(state_->unsent_begin <= state_->unsent.size());
  if (state_->unsent_begin < state_->unsent.size()) return;
  std::string().swap(state_->unsent);  // an idle connection keeps no buffer
  state_->unsent_begin = 0;
}

void Tls::keep_unsent(std::string_view ciphertext) {
  TW_ASSERT(state_->unsent.empty());
  state_->unsent = ciphertext;
}

struct TlsContext::State {
  TlsOptions options;
  std::mutex mutex;
  ContextPointer context;  // guarded by mutex; each SSL holds a reference of its own
};

TlsContext::TlsContext() : state_(std::make_unique<State>()) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::load(const TlsOptions& options) {
  std::shared_ptr<TlsContext> loaded(new TlsContext);
  loaded->state_->options = options;
  Status status = loaded->reload();
  if (!status.ok()) return status;
  return loaded;
}

Status TlsContext::reload() {
  Result<SSL_CTX*> fresh = make_context(state_->options);
  if (!fresh.ok()) return fresh.status();
  ContextPointer old(fresh.value());
  std::lock_guard lock(state_->mutex);
  state_->context.swap(old);
  return {};
}

std::unique_ptr<Tls> TlsContext::accept() {
  auto state = std::make_unique<Tls::State>();
  {
    std::lock_guard lock(state_->mutex);
    state->ssl.reset(SSL_new(state_->context.get()));
  }
  BIO* bio = BIO_new(Tls::State::method());
  if (state->ssl == nullptr || bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, state.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(state->ssl.get(), bio, bio);
  SSL_set_accept_state(state->ssl.get());
  return std::unique_ptr<Tls>(new Tls(std::move(state)));
}

}  // namespace tidewire::net
