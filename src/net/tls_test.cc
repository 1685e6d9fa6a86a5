#include "net/tls.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <vector>

#include "net/socket_world_test.h"
#include "net/test_certificate.h"

namespace tidewire::net {
namespace {

using base::Frame;

// OpenSSL's own client, with memory BIOs, over a plain Client.
class TlsClient {
 public:
  explicit TlsClient(Client& wire, int version = 0) : wire_(wire), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    if (version != 0) SSL_set_max_proto_version(ssl_, version);
    static constexpr unsigned char kOffer[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_, kOffer, sizeof kOffer - 1);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  bool handshake() {
    return until([&] { return SSL_do_handshake(ssl_); });
  }
  bool send(std::string_view bytes) {
    return until([&] { return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); });
  }
  std::string receive(std::size_t count) {
    std::string received(count, '\0');
    std::size_t got = 0;
    while (got < count) {
      int read = 0;
      if (!until([&] { return read = SSL_read(ssl_, received.data() + got, static_cast<int>(count - got)); })) break;
      got += static_cast<std::size_t>(read);
    }
    received.resize(got);
    return received;
  }
  bool closed_by_notify() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  void close_notify() {
    SSL_shutdown(ssl_);
    carry_out();
  }
  std::string version() const { return SSL_get_version(ssl_); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string server_name() const {
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return name;
  }

 private:
  // Repeats an operation, carrying records between OpenSSL and the wire, until it succeeds or cannot.
  template <typename Operation>
  bool until(Operation&& operation) {
    for (;;) {
      const int result = operation();
      carry_out();
      if (result > 0) return true;
      if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) return false;
      const std::string bytes = wire_.receive(1);
      if (bytes.empty()) return false;
      BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
      // The rest of this record, so that big transfers do not go byte by byte.
      carry_record();
    }
  }
  void carry_record() {
    std::string head = wire_.receive(4);
    BIO_write(SSL_get_rbio(ssl_), head.data(), static_cast<int>(head.size()));
    if (head.size() < 4) return;
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(head[2])) << 8 | static_cast<unsigned char>(head[3]);
    const std::string body = wire_.receive(size);
    if (!body.empty()) BIO_write(SSL_get_rbio(ssl_), body.data(), static_cast<int>(body.size()));
  }
  void carry_out() {
    char buffer[16384];
    int count;
    while ((count = BIO_read(SSL_get_wbio(ssl_), buffer, sizeof buffer)) > 0) wire_.send({buffer, static_cast<std::size_t>(count)});
  }

  Client& wire_;
  SSL_CTX* context_;
  SSL* ssl_;
};

constexpr std::size_t kBigBytes = 5'000'000;

class Answering final : public StreamHandler {
 public:
  explicit Answering(std::vector<CloseCause>& causes) : causes_(causes) {}
  void on_bytes(Connection& connection, std::span<char> bytes) override {
    const std::string_view text(bytes.data(), bytes.size());
    EXPECT_TRUE(connection.secure());
    if (text == "big") {
      for (std::size_t at = 0; at < kBigBytes; at += 100'000) connection.send(Frame::copy(std::string(100'000, 'b')));
    } else if (text == "bye") {
      connection.send(Frame::copy("bye"));
      connection.close_after_flush();
    } else {
      connection.send(Frame::copy(text));
    }
  }
  void on_closed(Connection&, CloseCause cause) override { causes_.push_back(cause); }

 private:
  std::vector<CloseCause>& causes_;
};

class TlsTest : public testing::TestWithParam<FlushMode> {
 protected:
  void SetUp() override {
    std::string why_not;
    world_ = make_socket_world(GetParam(), {.reactors = 2}, why_not);
    if (world_ == nullptr) GTEST_SKIP() << why_not;
    auto loaded = TlsContext::load(files_.options());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    context_ = *loaded;
    ListenOptions options;
    options.tls = context_;
    world_->on(0, [&](Reactor& net) {
      port_ = *net.listen(options, [this](Connection&) { return std::make_unique<Answering>(causes_); });
    });
  }

  std::vector<CloseCause> causes() {
    std::vector<CloseCause> seen;
    for (int i = 0; i < 1000 && seen.empty(); ++i) {
      world_->on(0, [&](Reactor&) { seen = causes_; });
      world_->pass(5);
    }
    return seen;
  }

  CertificateFiles files_;
  std::shared_ptr<TlsContext> context_;
  std::vector<CloseCause> causes_;
  std::uint16_t port_ = 0;
  std::unique_ptr<World> world_;
};

TEST_P(TlsTest, EchoesOverBothVersions) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto wire = world_->connect(port_);
    TlsClient client(*wire, version);
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(client.version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(client.protocol(), "http/1.1");
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
    client.send("again");
    EXPECT_EQ(client.receive(5), "again");
  }
}

TEST_P(TlsTest, RefusesOldVersions) {
  const auto wire = world_->connect(port_);
  TlsClient client(*wire, TLS1_1_VERSION);
  EXPECT_FALSE(client.handshake());
}

TEST_P(TlsTest, DeliversManyMegabytes) {
  const auto wire = world_->connect(port_);
  TlsClient client(*wire);
  ASSERT_TRUE(client.handshake());
  client.send("big");
  EXPECT_TRUE(client.receive(kBigBytes) == std::string(kBigBytes, 'b'));
}

TEST_P(TlsTest, ClosesWithCloseNotify) {
  const auto wire = world_->connect(port_);
  TlsClient client(*wire);
  ASSERT_TRUE(client.handshake());
  client.send("bye");
  EXPECT_EQ(client.receive(10), "bye");
  EXPECT_TRUE(client.closed_by_notify());
  wire->finish();
  EXPECT_THAT(causes(), testing::ElementsAre(CloseCause::kLocal));
}

TEST_P(TlsTest, TakesCloseNotifyAsTheEnd) {
  const auto wire = world_->connect(port_);
  TlsClient client(*wire);
  ASSERT_TRUE(client.handshake());
  client.close_notify();
  EXPECT_EQ(client.receive(1), "");
  EXPECT_TRUE(client.closed_by_notify());
  wire->finish();
  EXPECT_THAT(causes(), testing::ElementsAre(CloseCause::kPeerClosed));
}

TEST_P(TlsTest, ClosesWhatIsNotTls) {
  const auto wire = world_->connect(port_);
  wire->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wire->receive_to_end();
  EXPECT_THAT(causes(), testing::ElementsAre(CloseCause::kTls));
}

TEST_P(TlsTest, ServesANewCertificateAfterReloadAndKeepsOldConnections) {
  const auto old_wire = world_->connect(port_);
  TlsClient old_client(*old_wire);
  ASSERT_TRUE(old_client.handshake());
  files_.renew("renewed");
  ASSERT_TRUE(context_->reload().ok());
  const auto wire = world_->connect(port_);
  TlsClient client(*wire);
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(client.server_name(), "renewed");
  EXPECT_EQ(old_client.server_name(), "localhost");
  old_client.send("still");
  EXPECT_EQ(old_client.receive(5), "still");
}

TEST_P(TlsTest, KeepsTheOldPairWhenAReloadFails) {
  unlink(files_.certificate().c_str());
  const Status status = context_->reload();
  EXPECT_THAT(status.message(), testing::HasSubstr(files_.certificate()));
  const auto wire = world_->connect(port_);
  TlsClient client(*wire);
  EXPECT_TRUE(client.handshake());
}

TEST_P(TlsTest, HandsTheStateOver) {
  Reactor* second = nullptr;
  world_->on(1, [&](Reactor& net) { second = &net; });
  Acceptor adopter = [this](Connection&) { return std::make_unique<Answering>(causes_); };
  class Mover final : public StreamHandler {
   public:
    Mover(Reactor* to, Acceptor& adopter) : to_(to), adopter_(adopter) {}
    void on_bytes(Connection& connection, std::span<char> bytes) override {
      auto detached = std::make_shared<DetachedConnection>(
          connection.reactor().detach(connection, std::string(bytes.data(), bytes.size())));
      Task task([to = to_, &adopter = adopter_, detached] { to->adopt(std::move(*detached), adopter); });
      EXPECT_EQ(to_->post(task), PostResult::kPosted);
    }
    void on_closed(Connection&, CloseCause) override {}

   private:
    Reactor* to_;
    Acceptor& adopter_;
  };
  ListenOptions options;
  options.tls = context_;
  std::uint16_t port = 0;
  world_->on(0, [&](Reactor& net) { port = *net.listen(options, [&](Connection&) { return std::make_unique<Mover>(second, adopter); }); });
  const auto wire = world_->connect(port);
  TlsClient client(*wire);
  ASSERT_TRUE(client.handshake());
  client.send("moved");
  EXPECT_EQ(client.receive(5), "moved");
  client.send("on");
  EXPECT_EQ(client.receive(2), "on");
  world_.reset();
}

INSTANTIATE_TEST_SUITE_P(Flushes, TlsTest, testing::Values(FlushMode::kSend, FlushMode::kUring),
                         [](const auto& mode) { return mode.param == FlushMode::kSend ? "send" : "io_uring"; });

}  // namespace
}  // namespace tidewire::net
