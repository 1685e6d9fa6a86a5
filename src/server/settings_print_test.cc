#include "server/settings_print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "server/settings_docs.h"
#include "server/test_load.h"

namespace tidewire::server {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> differences(Settings a, Settings b) {
  std::vector<std::string> names;
  for (const SettingRow& row : settings_table()) {
    if (!same_setting(row, a, b)) names.push_back(name_of(row));
  }
  return names;
}

constexpr const char* kFull = R"(env = "production"
rooms = []
[server]
port = 0
trusted_proxies = ["10.0.0.0/8", "::1"]
[socketio]
ping_interval = "1500ms"
ping_timeout = "2h"
payload_bytes_max = 1234567
cookie_name = "a\"b\\c\n\t\u0001"
[cors]
max_age = "1h"
[auth]
leeway = 0
[[auth.issuers]]
name = "a"
algorithms = ["RS256"]
"odd key" = {deep = [{x = 1.0, y = 1e300, z = -0.5}], on = true}
[[auth.issuers]]
name = "b"
[tenants]
hosts = {"a.example" = "a", b = "x y"}
[log]
format = "json"
[[events]]
name = "say"
)";

TEST(Print, CanBeReadBack) {
  const Loaded first = load_from({.file = kFull});
  ASSERT_TRUE(first.errors.empty()) << told(first);
  const Loaded second = load_from({.file = print_settings(first.settings, first.provenance)});
  EXPECT_TRUE(second.errors.empty()) << told(second);
  EXPECT_THAT(differences(first.settings, second.settings), testing::IsEmpty());
  EXPECT_THAT(differences(first.settings, Settings()), Not(testing::IsEmpty()));
}

TEST(Print, DefaultsCanBeReadBack) {
  const Loaded second = load_from({.file = print_settings(Settings(), {})});
  EXPECT_TRUE(second.errors.empty()) << told(second);
  EXPECT_THAT(differences(Settings(), second.settings), testing::IsEmpty());
}

TEST(Print, SaysWhereAValueCameFrom) {
  const Loaded loaded = load_from({.file = "[server]\nshards = 2\n[[rooms]]\nname = 'x'\n",
                                   .environment = {{"SOCKET_IO_HEARTBEAT_TIMEOUT", "60000"}},
                                   .flags = {{"--port", "server.port", "81"}}});
  const std::string text = print_settings(loaded.settings, loaded.provenance);
  EXPECT_THAT(text, HasSubstr("\nport = 81  # --port\n"));
  EXPECT_THAT(text, HasSubstr("\nshards = 2  # " + loaded.file + ":2\n"));
  EXPECT_THAT(text, HasSubstr("\nping_timeout = \"60s\"  # SOCKET_IO_HEARTBEAT_TIMEOUT\n"));
  EXPECT_THAT(text, HasSubstr("\nhost = \"127.0.0.1\"  # default\n"));
  EXPECT_THAT(text, HasSubstr("\n[[rooms]]  # " + loaded.file + ":3\nname = \"x\"\n"));
}

TEST(Print, MasksEverySecret) {
  const Loaded loaded = load_from(
      {.file = "[auth]\nsecret = 'hunter2'\n[[auth.issuers]]\nname = 'a'\nsecret = 'hunter2'\njwk = {kty = 'oct', k = "
               "'hunter2'}\n"
               "[api]\nadmin_token = 'hunter2'\n[[api.keys]]\nkey = 'hunter2'\nname = 'k'\n"
               "[[hooks.webhooks]]\nurl = 'https://user:hunter2@a.example/'\nheaders = {Authorization = 'Bearer hunter2'}\n"
               "secrets = ['hunter2', 'hunter2']\npublic_key_file = 'shown.pem'\n"});
  const std::string text = print_settings(loaded.settings, loaded.provenance);
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("secret = \"********\""));
  EXPECT_THAT(text, HasSubstr("kty = \"oct\""));
  EXPECT_THAT(text, HasSubstr("shown.pem"));
  EXPECT_THAT(print_settings(Settings(), {}), HasSubstr("secret = \"\"  # default"));
}

TEST(Print, ReadBackTheMaskIsRefused) {
  const Loaded loaded = load_from({.environment = {{"JWT_SECRET", kGoodSecret}}});
  EXPECT_THAT(told(load_from({.file = print_settings(loaded.settings, loaded.provenance)})),
              HasSubstr("auth.secret is the mask"));
}

TEST(Docs, ThePageIsWhatTheCodePrints) {
  std::ifstream file(TIDEWIRE_SOURCE_DIR "/docs/configuration.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == configuration_page())
      << "refresh it: build/dev/bin/tidewire config --docs > docs/configuration.md";
}

TEST(Docs, ThePageNamesEveryKey) {
  const std::string page = configuration_page();
  for (const SettingRow& row : settings_table()) {
    const std::string key = row.kind == SettingKind::kTree ? "[[" + name_of(row) + "]]" : std::string(row.key);
    EXPECT_THAT(page, HasSubstr("| `" + key + "` |"));
    for (const std::string_view alias : row.aliases) EXPECT_THAT(page, HasSubstr(std::string(alias)));
  }
}

}  // namespace
}  // namespace tidewire::server
