#include "server/settings_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/test_load.h"

namespace tidewire::server {
namespace {

using testing::HasSubstr;
using testing::Not;

// Settings that production accepts without a word, which each test spoils in one way.
std::string sound(const std::string& auth = {}, const std::string& api = {}, const std::string& rest = {}) {
  return std::string("[auth]\nsecret = '") + kGoodSecret + "'\n" + auth + "\n[api]\nadmin_token = '" + kGoodToken + "'\n" +
         api + "\n[cors]\norigins = ['https://a.example']\n" + rest;
}

std::string in(const char* environment, const std::string& file) {
  return told(load_from({.file = file, .environment = {{"TIDEWIRE_ENV", environment}}}));
}
std::string production(const std::string& file) { return in("production", file); }
std::string development(const std::string& file) { return in("development", file); }

// Refused in production, warned of in development, in the same words.
void expect_insecure(const std::string& file, const std::string& sentence) {
  EXPECT_THAT(production(file), HasSubstr("error: tidewire.toml:"));
  EXPECT_THAT(production(file), HasSubstr(sentence));
  EXPECT_THAT(development(file), HasSubstr("warning: tidewire.toml:"));
  EXPECT_THAT(development(file), HasSubstr(sentence));
  EXPECT_THAT(development(file), HasSubstr(" (refused in production)\n"));
  EXPECT_THAT(development(file), Not(HasSubstr("error: ")));
}

void expect_refused(const std::string& file, const std::string& line) {
  EXPECT_EQ(production(file), line);
  EXPECT_EQ(development(file), line);
}

TEST(Check, SaysNothingAboutSoundSettings) {
  EXPECT_EQ(production(sound()), "");
  EXPECT_EQ(development(sound()), "");
}

TEST(Check, DefaultsServeInDevelopment) {
  const Loaded loaded = load_from({});
  EXPECT_TRUE(loaded.usable());
  EXPECT_EQ(told(loaded),
            "warning: api.admin_token is not set and there are no [[api.keys]]: the HTTP API has no lock; set one, or "
            "api.enabled = false (refused in production)\n");
}

TEST(Check, DefaultsDoNotServeInProduction) {
  const Loaded loaded = load_from({.environment = {{"TIDEWIRE_ENV", "production"}}});
  EXPECT_FALSE(loaded.usable());
  EXPECT_THAT(told(loaded), HasSubstr("error: auth.anonymous is not said, and without auth.secret (JWT_SECRET)"));
  EXPECT_THAT(told(loaded), HasSubstr("error: api.admin_token is not set"));
}

TEST(Check, EverybodyMayComeInWhereThatIsSaid) {
  const std::string rest = "[api]\nenabled = false\n";
  EXPECT_EQ(production("[auth]\nanonymous = true\n" + rest), "");
  EXPECT_EQ(development(rest), "");
  EXPECT_THAT(production(rest), HasSubstr("error: auth.anonymous is not said"));
  EXPECT_EQ(told(load_from({.environment = {{"TIDEWIRE_ENV", "production"},
                                            {"TIDEWIRE_API_ENABLED", "no"},
                                            {"TIDEWIRE_AUTH_ANONYMOUS", "yes"}}})),
            "");
}

TEST(Check, NobodyCouldComeIn) {
  expect_refused("[auth]\nanonymous = false\n[api]\nenabled = false\n",
                 "error: tidewire.toml:2: auth.anonymous is false, but nobody could come in: there is neither auth.secret "
                 "(JWT_SECRET) nor "
                 "[[auth.issuers]]\n");
}

std::string with_secret(const std::string& secret) {
  return "[auth]\nsecret = '" + secret + "'\n[api]\nenabled = false\n[cors]\norigins = ['https://a.example']\n";
}

TEST(Check, WeakSecrets) {
  expect_insecure(with_secret("short"), "auth.secret has 5 bytes; it must have at least 32");
  expect_insecure(with_secret(std::string(kGoodSecret).substr(0, 31)), "auth.secret has 31 bytes; it must have at least 32");
  expect_insecure(with_secret("a-string-secret-at-least-256-bits-long"), "auth.secret is a well-known example");
  expect_insecure(with_secret("Your-Super-Secret-JWT-key-change-this-in-production"), "auth.secret is a well-known example");
  expect_insecure(with_secret("your-256-bit-secret-your-256-bit-secret"), "auth.secret is a well-known example");
  expect_insecure(with_secret(std::string(40, 'x')), "auth.secret is too easy to guess");
}

TEST(Check, WeakSecretsOfIssuers) {
  expect_insecure(sound("[[auth.issuers]]\nname = 'a'\nsecret = 'short'\n"), "auth.issuers[0].secret has 5 bytes");
  expect_insecure(
      sound("[[auth.issuers]]\nname = 'a'\njwks_url = 'http://keys.example/jwks'\n"),
      "auth.issuers[0].jwks_url is plain http: whoever is on the way chooses the keys that tokens are checked with");
  EXPECT_EQ(production(sound("[[auth.issuers]]\nname = 'a'\njwks_url = 'https://keys.example/jwks'\n")), "");
  EXPECT_EQ(production(sound("[[auth.issuers]]\nissuer = 'http://keycloak:8080/realms/x'\njwks_url = 'https://keys.example/jwks'\n")), "") << "a name, never asked";
  expect_insecure(sound("[[auth.issuers]]\nissuer = 'a'\n[[auth.issuers.keys]]\nsecret = 'short'\n"), "auth.issuers[0].keys[0].secret has 5 bytes");
}

TEST(Check, AMaskIsNoSecret) {
  EXPECT_THAT(development(with_secret("********")),
              HasSubstr("error: tidewire.toml:2: auth.secret is the mask that `tidewire config` prints"));
  EXPECT_THAT(development("[api]\nadmin_token = '********'\n"),
              HasSubstr("error: tidewire.toml:2: api.admin_token is the mask"));
}

TEST(Check, AnyOriginWithCredentials) {
  expect_refused("[api]\nenabled = false\n[auth]\nanonymous = true\n[cors]\norigins = ['*']\ncredentials = true\n",
                 "error: tidewire.toml:7: cors.credentials with origin \"*\" lets every web page act as its visitor; name "
                 "the origins\n");
  expect_refused("[api]\nenabled = false\n[auth]\nanonymous = true\n[cors]\norigins = ['*', 'https://a.example']\n",
                 "error: tidewire.toml:6: cors.origins has \"*\" among others; it must stand alone\n");
}

TEST(Check, CookiesFromEveryPage) {
  const std::string start = std::string("[api]\nenabled = false\n[auth]\nsecret = '") + kGoodSecret + "'\n";
  EXPECT_THAT(production(start), HasSubstr("error: cors.origins is empty while tokens are taken from cookies"));
  EXPECT_THAT(development(start), HasSubstr("warning: cors.origins is empty while tokens are taken from cookies"));
  expect_insecure(start + "[cors]\norigins = ['*']\n", "cors.origins is \"*\" while tokens are taken from cookies");
  EXPECT_EQ(production(start + "sources = ['auth', 'header']\n"), "");
}

TEST(Check, TheHttpApiWithoutALock) {
  EXPECT_THAT(production("[auth]\nanonymous = true\n"),
              HasSubstr("error: api.admin_token is not set and there are no [[api.keys]]"));
  EXPECT_EQ(production("[auth]\nanonymous = true\n[[api.keys]]\nname = 'a'\n"), "");
  expect_insecure("[auth]\nanonymous = true\n[api]\nadmin_token = 'letmein'\n",
                  "api.admin_token has 7 characters; it must have at least 32");
}

TEST(Check, TheTestBroadcastIsOffInProductionUnlessSaid) {
  const Loaded quiet = load_from({.file = sound(), .environment = {{"TIDEWIRE_ENV", "production"}}});
  EXPECT_FALSE(quiet.settings.api.test_broadcast);
  EXPECT_TRUE(load_from({.file = sound()}).settings.api.test_broadcast);
  const Loaded said =
      load_from({.file = sound({}, "test_broadcast = true"), .environment = {{"TIDEWIRE_ENV", "production"}}});
  EXPECT_TRUE(said.settings.api.test_broadcast);
  EXPECT_TRUE(said.usable());
  EXPECT_THAT(told(said), HasSubstr("warning: tidewire.toml:6: api.test_broadcast is on"));
}

TEST(Check, TokensWithoutAnEnd) {
  expect_insecure(sound("require_exp = false"), "auth.require_exp is off: a stolen token without an end is valid for ever");
  expect_insecure(sound("[[auth.issuers]]\nissuer = 'a'\nsecret = '" + std::string(kGoodSecret) + "x'\nrequire_exp = false\n"),
                  "auth.issuers[0].require_exp is off: a stolen token without an end is valid for ever");
}

TEST(Check, KeysThatMayDoEverythingAreLong) {
  const auto keys = [](std::string_view lines) { return sound({}, {}, "[[api.keys]]\nname = 'a'\n" + std::string(lines)); };
  expect_insecure(keys("key = 'sixteen-letters!'\nroles = ['read', 'admin']\n"), "api.keys[0].key has 16 characters and the role admin");
  EXPECT_EQ(production(keys("key = 'sixteen-letters!'\nroles = ['read']\n")), "");
}

TEST(Check, EventsNobodyDeclared) {
  expect_insecure(sound({}, {}, "[contracts]\nundeclared = 'relay'\n"),
                  "contracts.undeclared is \"relay\": what a client makes up reaches the others unchecked");
}

TEST(Check, WebhooksOverPlainHttp) {
  const auto hook = [](const std::string& url, const std::string& more) {
    return sound({}, {}, "[hooks]\n" + more + "\n[[hooks.webhooks]]\nurl = '" + url + "'\n");
  };
  EXPECT_THAT(development(hook("http://hooks.example/x", "")),
              HasSubstr("error: tidewire.toml:11: hooks.webhooks[0].url is plain http beyond this machine; use https, or "
                        "say hooks.allow_http = true\n"));
  expect_insecure(hook("http://hooks.example/x", "allow_http = true"),
                  "hooks.webhooks[0].url is plain http beyond this machine: what is sent");
  expect_insecure(hook("HTTP://user:pw@hooks.example:80/x", "allow_http = true"), "hooks.webhooks[0].url is plain http");
  expect_insecure(hook("http://localhost@hooks.example/", "allow_http = true"), "hooks.webhooks[0].url is plain http");
  expect_insecure(hook("http://127.0.0.1.hooks.example/", "allow_http = true"), "hooks.webhooks[0].url is plain http");
  for (const char* fine : {"https://hooks.example/x", "http://localhost:3000/x", "http://127.0.0.1/x",
                           "http://[::1]:3000/x", "http://127.8.8.8?x"}) {
    EXPECT_EQ(production(hook(fine, "")), "") << fine;
  }
}

TEST(Check, QuestionsOverPlainHttp) {
  EXPECT_THAT(development(sound({}, {}, "[[hooks.questions]]\nurl = 'http://10.0.0.1/'\n")),
              HasSubstr("error: tidewire.toml:9: hooks.questions[0].url is plain http"));
}

TEST(Check, APublicAddressWithoutTlsIsAWarningOnly) {
  const std::string line =
      "warning: tidewire.toml:10: server.host is 0.0.0.0, which others can reach, without TLS and without a trusted proxy: "
      "what clients send, tokens too, crosses the network in the clear\n";
  expect_refused(sound({}, {}, "[server]\nhost = '0.0.0.0'\n"), line);
  EXPECT_EQ(production(sound({}, {}, "[server]\nhost = '0.0.0.0'\ntrusted_proxies = ['10.0.0.0/8']\n")), "");
  EXPECT_EQ(production(sound({}, {}, "[server]\nhost = '::'\nproxy_protocol_from = ['10.0.0.1']\n")), "");
  EXPECT_EQ(production(sound({}, {}, "[server]\nhost = '::1'\n")), "");
}

TEST(Check, AddressesAndPaths) {
  EXPECT_THAT(development("[server]\nhost = 'localhost'\n"),
              HasSubstr("error: tidewire.toml:2: server.host is \"localhost\", which is no IP address"));
  EXPECT_THAT(development("[server]\ntrusted_proxies = ['10.0.0.0/99']\n"),
              HasSubstr("server.trusted_proxies has \"10.0.0.0/99\", which is no network"));
  EXPECT_THAT(development("[server]\nproxy_protocol_from = ['x']\n"),
              HasSubstr("server.proxy_protocol_from has \"x\", which is no network"));
  for (const char* bad : {"4001", "127.0.0.1", "localhost:4001", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:"}) {
    EXPECT_THAT(development(std::string("[server]\nadmin_listen = '") + bad + "'\n"),
                HasSubstr("error: tidewire.toml:2: server.admin_listen is"))
        << bad;
  }
  for (const char* good : {"127.0.0.1:4001", "[::1]:4001"}) {
    EXPECT_THAT(development(std::string("[server]\nadmin_listen = '") + good + "'\n"), Not(HasSubstr("admin_listen")))
        << good;
  }
  EXPECT_THAT(development("[socketio]\npath = 'x'\n"),
              HasSubstr("error: tidewire.toml:2: socketio.path is \"x\"; it must begin with \"/\""));
  EXPECT_THAT(development("[plain]\npaths = ['/', 'ws']\n"),
              HasSubstr("error: tidewire.toml:2: plain.paths has \"ws\"; a path begins with \"/\""));
}

TEST(Check, PairsThatContradict) {
  EXPECT_THAT(development("[queue]\nsoft_bytes = '2MB'\nhard_bytes = '1MB'\n"),
              HasSubstr("error: tidewire.toml:2: queue.soft_bytes is 2000000, more than queue.hard_bytes (1000000)\n"));
  EXPECT_THAT(development("[queue]\nsoft_bytes = '1MB'\nhard_bytes = '1MB'\n"), Not(HasSubstr("queue")));
  EXPECT_THAT(development("[socketio]\ntransports = []\n"),
              HasSubstr("error: tidewire.toml:2: socketio.transports is empty"));
  EXPECT_THAT(development("[socketio]\nenabled = false\n[plain]\nenabled = false\n"),
              HasSubstr("warning: tidewire.toml:2: socketio.enabled and plain.enabled"));
  EXPECT_THAT(development("[tenants]\nsource = 'host'\n"),
              HasSubstr("error: tenants.hosts is empty while tenants.source is \"host\""));
}

TEST(Check, TlsNeedsBothFilesAndCanReadThem) {
  const std::string file = TIDEWIRE_SOURCE_DIR "/README.md";
  EXPECT_THAT(development("[tls]\ncertificate_file = '" + file + "'\n"),
              HasSubstr("error: tls.key_file is missing: TLS needs the certificate and its key"));
  EXPECT_THAT(development("[tls]\nkey_file = '" + file + "'\n"), HasSubstr("error: tls.certificate_file is missing"));
  EXPECT_THAT(development("[tls]\ncertificate_file = '/nonexistent'\nkey_file = '" + file + "'\n"),
              HasSubstr("error: tidewire.toml:2: tls.certificate_file is \"/nonexistent\", a file that cannot be read"));
  EXPECT_THAT(development("[hooks]\nca_file = '/nonexistent'\n"), HasSubstr("hooks.ca_file is \"/nonexistent\""));
}

}  // namespace
}  // namespace tidewire::server
