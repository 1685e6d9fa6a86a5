#include "server/settings_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "server/settings_print.h"
#include "server/test_load.h"

namespace tidewire::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Only what could not be understood; what is insecure has tests of its own.
std::string errors_of(const Loaded& loaded) {
  Loaded only = loaded;
  only.findings.clear();
  return told(only);
}

// One key of each kind, said differently by each source; whoever comes last must win.
struct Layers {
  const char* name;
  const char* in_file;  // a whole file
  const char* in_environment;
  const char* in_flag;
  const char* by_default;  // what print_value says
  const char* from_file;
  const char* from_environment;
  const char* from_flag;
};

class Precedence : public testing::TestWithParam<Layers> {};


TEST_P(Precedence, TheLaterSourceWins) {
  const Layers& layers = GetParam();
  const SettingRow& row = *find_setting(layers.name);
  const auto value = [&row](Loaded loaded) {
    EXPECT_EQ(errors_of(loaded), "");
    SettingRow shown = row;
    shown.secret = false;
    return print_value(shown, loaded.settings);
  };
  const auto origin = [&layers](const Loaded& loaded) {
    const auto found = loaded.provenance.find(layers.name);
    return found == loaded.provenance.end() ? "default" : found->second.text;
  };
  Sources sources;
  EXPECT_EQ(value(load_from(sources)), layers.by_default);
  EXPECT_EQ(origin(load_from(sources)), "default");
  sources.file = layers.in_file;
  EXPECT_EQ(value(load_from(sources)), layers.from_file);
  EXPECT_THAT(origin(load_from(sources)), HasSubstr(".toml:"));
  sources.environment = {{environment_name(row), layers.in_environment}};
  EXPECT_EQ(value(load_from(sources)), layers.from_environment);
  EXPECT_EQ(origin(load_from(sources)), environment_name(row));
  sources.flags = {{"--set", layers.name, layers.in_flag}};
  EXPECT_EQ(value(load_from(sources)), layers.from_flag);
  EXPECT_EQ(origin(load_from(sources)), "--set");
  sources.environment.clear();
  EXPECT_EQ(value(load_from(sources)), layers.from_flag);
  sources.file.clear();
  EXPECT_EQ(value(load_from(sources)), layers.from_flag);
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, Precedence,
    testing::Values(
        Layers{"server.host", "[server]\nhost='::1'", "127.0.0.2", "127.0.0.3", "\"127.0.0.1\"", "\"::1\"", "\"127.0.0.2\"",
               "\"127.0.0.3\""},
        Layers{"server.port", "[server]\nport=1", "2", "3", "4000", "1", "2", "3"},
        Layers{"server.shards", "[server]\nshards=1", "2", "256", "0", "1", "2", "256"},
        Layers{"server.connections_max", "[server]\nconnections_max=1", "2", "3", "100000", "1", "2", "3"},
        Layers{"server.flush", "[server]\nflush='send'", "uring", "send", "\"auto\"", "\"send\"", "\"uring\"", "\"send\""},
        Layers{"socketio.ping_interval", "[socketio]\nping_interval='1s'", "2000", "250ms", "\"25s\"", "\"1s\"", "\"2s\"",
               "\"250ms\""},
        Layers{"auth.leeway", "[auth]\nleeway=1", "2s", "0", "\"5s\"", "\"1s\"", "\"2s\"", "0"},
        Layers{"queue.hard_bytes", "[queue]\nhard_bytes='2MB'", "3000000", "4MiB", "\"1MiB\"", "\"2MB\"", "\"3MB\"",
               "\"4MiB\""},
        Layers{"plain.enabled", "[plain]\nenabled=false", "1", "off", "true", "false", "true", "false"},
        Layers{"auth.audience", "[auth]\naudience='a'", "b, c", "d", "[]", "[\"a\"]", "[\"b\", \"c\"]", "[\"d\"]"},
        Layers{"tenants.hosts", "[tenants]\nhosts={a='1'}", "b=2, c=3", "d=4", "{}", "{a = \"1\"}",
               "{b = \"2\", c = \"3\"}", "{d = \"4\"}"},
        Layers{"log.format", "[log]\nformat='json'", "human", "auto", "\"auto\"", "\"json\"", "\"human\"", "\"auto\""},
        Layers{"auth.secret", "[auth]\nsecret='a'", "b", "c", "\"\"", "\"a\"", "\"b\"", "\"c\""},
        Layers{"rooms", "[[rooms]]\nname='a'", "[{\"name\":\"b\"}]", "[]", "\"\"", "[{name = \"a\"}]", "[{name = \"b\"}]",
               "[]"},
        Layers{"auth.issuers", "[[auth.issuers]]\nname='a'", "[{\"name\":\"b\"}]", "[]", "\"\"", "[{name = \"a\"}]",
               "[{name = \"b\"}]", "[]"}),
    [](const testing::TestParamInfo<Layers>& each) {
      std::string name = each.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

TEST(Environment, TheVariablesOfTheMissionWork) {
  const Loaded loaded = load_from({.environment = {{"SOCKET_IO_ENABLED", "true"},
                                                   {"SOCKET_IO_TRANSPORTS", "websocket,polling"},
                                                   {"SOCKET_IO_HEARTBEAT_TIMEOUT", "60000"},
                                                   {"SOCKET_IO_HEARTBEAT_INTERVAL", "26000"},
                                                   {"SOCKET_IO_CORS_ORIGIN", "http://localhost:3001, https://a.example"},
                                                   {"SOCKET_IO_AUTH_TIMEOUT", "6000"},
                                                   {"SOCKET_IO_MAX_LISTENERS", "100"},
                                                   {"SOCKET_IO_CONNECTION_LIMIT", "1000"},
                                                   {"JWT_SECRET", kGoodSecret},
                                                   {"TIDEWIRE_ENV", "production"}}});
  EXPECT_EQ(errors_of(loaded), "");
  const Settings& settings = loaded.settings;
  EXPECT_TRUE(settings.socketio.enabled);
  EXPECT_THAT(settings.socketio.transports, ElementsAre("websocket", "polling"));
  EXPECT_EQ(settings.socketio.ping_timeout_ms, 60'000);
  EXPECT_EQ(settings.socketio.ping_interval_ms, 26'000);
  EXPECT_THAT(settings.cors.origins, ElementsAre("http://localhost:3001", "https://a.example"));
  EXPECT_EQ(settings.auth.timeout_ms, 6000);
  EXPECT_EQ(settings.contracts.names_max, 100u);
  EXPECT_EQ(settings.server.connections_max, 1000u);
  EXPECT_EQ(settings.auth.secret, kGoodSecret);
  EXPECT_EQ(settings.environment, Environment::kProduction);
  EXPECT_EQ(loaded.provenance.at("auth.secret").text, "JWT_SECRET");
  EXPECT_FALSE(load_from({.environment = {{"SOCKET_IO_ENABLED", "false"}}}).settings.socketio.enabled);
}

TEST(Environment, TheExactNameWinsOverAnAlias) {
  const Loaded loaded =
      load_from({.environment = {{"JWT_SECRET", "alias"}, {"TIDEWIRE_AUTH_SECRET", "exact"}, {"TIDEWIRE_PORT", "1"}}});
  EXPECT_EQ(loaded.settings.auth.secret, "exact");
  EXPECT_EQ(loaded.provenance.at("auth.secret").text, "TIDEWIRE_AUTH_SECRET");
  EXPECT_EQ(loaded.settings.server.port, 1);
}

TEST(Environment, AnEmptyVariableIsNotSet) {
  const Loaded loaded =
      load_from({.environment = {{"TIDEWIRE_SERVER_PORT", ""}, {"TIDEWIRE_PORT", "7"}, {"JWT_SECRET", ""}}});
  EXPECT_EQ(errors_of(loaded), "");
  EXPECT_EQ(loaded.settings.server.port, 7);
  EXPECT_FALSE(loaded.provenance.contains("auth.secret"));
}

TEST(Environment, AnUnknownNameIsAnErrorWithASuggestion) {
  const Loaded loaded = load_from(
      {.environment = {{"TIDEWIRE_SERVER_PROT", "1"}, {"TIDEWIRE_ZZZ", "1"}, {"HOME", "/"}, {"SOCKET_IO_X", "1"}}});
  EXPECT_EQ(errors_of(loaded),
            "error: TIDEWIRE_SERVER_PROT: there is no such setting; did you mean \"TIDEWIRE_SERVER_PORT\"?\n"
            "error: TIDEWIRE_ZZZ: there is no such setting\n");
  EXPECT_FALSE(loaded.usable());
}

TEST(Environment, SomeNamesAreNoneOfOurBusiness) {
  const Loaded loaded = load_from({.environment = {{"TIDEWIRE_TEST_X", "1"},
                                                   {"TIDEWIRE_E2E_REFERENCE", "1"},
                                                   {"TIDEWIRE_BIN_DIR", "/"},
                                                   {"TIDEWIRE_SERVICE_HOST", "10.0.0.1"},
                                                   {"TIDEWIRE_SERVICE_PORT_HTTP", "4000"},
                                                   {"TIDEWIRE_PORT", "tcp://10.0.0.1:4000"},
                                                   {"TIDEWIRE_SERVER_PORT", "tcp://10.0.0.1:4000"},
                                                   {"TIDEWIRE_PORT_4000_TCP_ADDR", "10.0.0.1"}}});
  EXPECT_EQ(errors_of(loaded), "");
  EXPECT_EQ(loaded.settings.server.port, 4000);
  EXPECT_FALSE(loaded.provenance.contains("server.port"));
}

TEST(Environment, WhatCannotBeReadNamesTheVariable) {
  const Loaded loaded = load_from({.environment = {{"TIDEWIRE_PORT", "http"},
                                                   {"TIDEWIRE_SHARDS", "257"},
                                                   {"SOCKET_IO_ENABLED", "maybe"},
                                                   {"SOCKET_IO_TRANSPORTS", "polling,websockt"},
                                                   {"SOCKET_IO_HEARTBEAT_TIMEOUT", "60 seconds"},
                                                   {"TIDEWIRE_FLUSH", "sned"},
                                                   {"TIDEWIRE_ROOMS", "lobby"},
                                                   {"TIDEWIRE_EVENTS", "{}"},
                                                   {"TIDEWIRE_TENANTS_HOSTS", "a"}}});
  const std::string text = errors_of(loaded);
  EXPECT_THAT(text, HasSubstr("error: TIDEWIRE_PORT: server.port is \"http\"; it must be a whole number\n"));
  EXPECT_THAT(text, HasSubstr("error: TIDEWIRE_SHARDS: server.shards is 257; it must be from 0 to 256\n"));
  EXPECT_THAT(text, HasSubstr("error: SOCKET_IO_ENABLED: socketio.enabled is \"maybe\"; it must be true or false\n"));
  EXPECT_THAT(text, HasSubstr("error: SOCKET_IO_TRANSPORTS: socketio.transports has \"websockt\"; it may have polling, "
                              "websocket; did you mean \"websocket\"?\n"));
  EXPECT_THAT(text, HasSubstr("error: SOCKET_IO_HEARTBEAT_TIMEOUT: socketio.ping_timeout is \"60 seconds\"; it must be "
                              "milliseconds, or text such as"));
  EXPECT_THAT(text, HasSubstr("error: TIDEWIRE_FLUSH: server.flush is \"sned\"; it must be one of auto, send, uring; did "
                              "you mean \"send\"?\n"));
  EXPECT_THAT(text, HasSubstr("error: TIDEWIRE_ROOMS: this is no JSON: "));
  EXPECT_THAT(text, HasSubstr("error: TIDEWIRE_EVENTS: events must be a list of tables, not a table\n"));
  EXPECT_THAT(
      text,
      HasSubstr("error: TIDEWIRE_TENANTS_HOSTS: tenants.hosts is \"a\"; it must be written as name=value,name=value\n"));
}

TEST(File, UnknownKeysAreErrorsWithLineAndSuggestion) {
  const Loaded loaded =
      load_from({.file = "evn = 'production'\n[server]\nprot = 1\n[sever]\nport = 1\n[[romes]]\nname = 'x'\n"});
  EXPECT_EQ(errors_of(loaded), "error: tidewire.toml:3: unknown key \"prot\" in server; did you mean \"port\"?\n"
                               "error: tidewire.toml:1: unknown key \"evn\"; did you mean \"env\"?\n"
                               "error: tidewire.toml:4: unknown key \"sever\"; did you mean \"server\"?\n"
                               "error: tidewire.toml:6: unknown key \"romes\"; did you mean \"rooms\"?\n");
}

TEST(File, RangesAndKindsAreChecked) {
  const Loaded loaded =
      load_from({.file = "[server]\nport = 65536\nshards = -1\nhost = 5\n[auth]\nleeway = '6s'\nsources = ['cokie']\n"
                         "[socketio]\njson_depth = 513\nping_interval = 1\n[tenants]\nhosts = {a = 1}\n"});
  EXPECT_EQ(errors_of(loaded),
            "error: tidewire.toml:4: server.host must be text, not a whole number\n"
            "error: tidewire.toml:2: server.port is 65536; it must be from 0 to 65535\n"
            "error: tidewire.toml:3: server.shards is -1; it must be from 0 to 256\n"
            "error: tidewire.toml:10: socketio.ping_interval is 1; it must be from 100 to 86400000 ms\n"
            "error: tidewire.toml:9: socketio.json_depth is 513; it must be from 1 to 512\n"
            "error: tidewire.toml:7: auth.sources has \"cokie\"; it may have auth, header, cookie, query; did you mean "
            "\"cookie\"?\n"
            "error: tidewire.toml:6: auth.leeway is \"6s\"; it must be from 0 to 5 s\n"
            "error: tidewire.toml:12: tenants.hosts must have text for \"a\", not a whole number\n");
  EXPECT_EQ(loaded.settings.server.port, 4000);
  EXPECT_FALSE(loaded.usable());
}

TEST(File, AFileThatIsBrokenIsTheOnlyComplaint) {
  const Loaded loaded = load_from({.file = "[server\n", .environment = {{"TIDEWIRE_ENV", "production"}}});
  EXPECT_THAT(told(loaded), testing::StartsWith("error: tidewire.toml:1:"));
  EXPECT_TRUE(loaded.findings.empty());
}

TEST(File, IsTheOneThatIsNamedOrTheFirstThatExists) {
  const std::string folder = testing::TempDir() + "which/";
  std::filesystem::create_directories(folder);
  for (const char* name : {"a", "b", "c"}) {
    std::ofstream(folder + name) << "[server]\nport = " << static_cast<int>(name[0]) << "\n";
  }
  LoadRequest request{.default_files = {folder + "none", folder + "a", folder + "b"}};
  EXPECT_EQ(load_settings(request).settings.server.port, 'a');
  request.environment = {{"TIDEWIRE_CONFIG", folder + "b"}};
  EXPECT_EQ(load_settings(request).settings.server.port, 'b');
  request.config_file = folder + "c";
  EXPECT_EQ(load_settings(request).settings.server.port, 'c');
  request.config_file = folder + "none";
  EXPECT_THAT(load_settings(request).errors.lines(),
              ElementsAre(folder + "none: cannot be opened: No such file or directory"));
  request = {.default_files = {folder + "none"}};
  EXPECT_EQ(load_settings(request).file, "");
}

TEST(Flags, TheLastWinsAndListsAdd) {
  const Loaded loaded = load_from({.flags = {{"--port", "server.port", "1"},
                                             {"--set", "server.port", "2"},
                                             {"--origin", "cors.origins", "http://a"},
                                             {"--origin", "cors.origins", "http://b"}}});
  EXPECT_EQ(loaded.settings.server.port, 2);
  EXPECT_THAT(loaded.settings.cors.origins, ElementsAre("http://a", "http://b"));
  EXPECT_EQ(loaded.provenance.at("cors.origins").text, "--origin");
  const Loaded set = load_from({.flags = {{"--set", "cors.origins", "http://a"}, {"--set", "cors.origins", "http://b"}}});
  EXPECT_THAT(set.settings.cors.origins, ElementsAre("http://b"));
}

TEST(Flags, AnUnknownKeyIsAnError) {
  EXPECT_EQ(errors_of(load_from({.flags = {{"--set", "server.prot", "1"}}})),
            "error: --set: unknown key \"server.prot\"; did you mean \"server.port\"?\n");
}

TEST(Loading, ComplaintsOfAllSourcesComeTogether) {
  const Loaded loaded = load_from({.file = "[server]\nprot = 1\n",
                                   .environment = {{"TIDEWIRE_PORT", "x"}},
                                   .flags = {{"--shards", "server.shards", "x"}}});
  EXPECT_EQ(loaded.errors.lines().size(), 3u);
}

TEST(Loading, AHundredErrorsAreEnough) {
  std::string file = "[server]\n";
  for (int i = 0; i < 150; ++i) file += "unknown_number_" + std::to_string(i) + " = 1\n";
  EXPECT_THAT(told(load_from({.file = file})), HasSubstr("error: and 50 more\n"));
}

TEST(Loading, ASecretIsInNoComplaint) {
  const Loaded loaded = load_from({.file = "[auth]\nsecret = 'hunter2'\n[api]\nadmin_token = 'hunter2'\n"});
  EXPECT_THAT(told(loaded), Not(HasSubstr("hunter2")));
}

TEST(Loading, TheExampleIsSound) {
  const Loaded loaded = load_settings({.config_file = TIDEWIRE_SOURCE_DIR "/examples/tidewire.toml"});
  EXPECT_EQ(errors_of(loaded), "");
  EXPECT_TRUE(loaded.usable()) << told(loaded);
  EXPECT_EQ(loaded.settings.socketio.ping_timeout_ms, 60'000);
  EXPECT_EQ(loaded.settings.tenants.hosts.at("red.example"), "red");
}

TEST(Loading, ReadsTheEnvironmentOfTheProcess) {
  ::setenv("TIDEWIRE_TEST_LOADING", "a=b", 1);
  EXPECT_THAT(environment_of_process(),
              testing::Contains(std::pair<std::string, std::string>("TIDEWIRE_TEST_LOADING", "a=b")));
}

}  // namespace
}  // namespace tidewire::server
