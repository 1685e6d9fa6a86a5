#include "server/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "server/settings_docs.h"

namespace tidewire::server {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome tidewire(std::vector<std::string> arguments, std::vector<std::pair<std::string, std::string>> environment = {}) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome{.code = run(std::move(arguments), std::move(environment)), .out = {}, .err = {}};
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

std::string file(const std::string& text) {
  const std::string path =
      testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + std::string(".toml");
  std::ofstream(path) << text;
  return path;
}

TEST(Commands, Version) {
  const Outcome outcome = tidewire({"version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("tidewire [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Commands, CheckSaysWhatIsWrong) {
  const std::string path = file("[server]\nprot = 1\n");
  const Outcome outcome = tidewire({"check", "--config", path});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("error: " + path + ":2: unknown key \"prot\" in server; did you mean \"port\"?\n"));
  EXPECT_THAT(outcome.out, HasSubstr(path + ", development: 1 error, 1 warning\n"));
}

TEST(Commands, CheckIsContentWithWarnings) {
  const Outcome outcome = tidewire({"check", "--config", file("[api]\nenabled = false\n"), "--host", "0.0.0.0"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("warning: --host: server.host is 0.0.0.0"));
  EXPECT_THAT(outcome.out, HasSubstr("no errors, 1 warning\n"));
}

TEST(Commands, CheckInProductionRefuses) {
  const Outcome outcome = tidewire({"check", "--config", file(""), "--env", "production"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("production: 2 errors, no warnings\n"));
}

TEST(Commands, ServeDoesNotStartWithErrors) {
  for (const auto& arguments : {std::vector<std::string>{"serve"}, std::vector<std::string>{}}) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--shards", "300", "--config", file("")});
    const Outcome outcome = tidewire(all);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr("error: --shards: server.shards is 300; it must be from 0 to 256\n"));
    EXPECT_THAT(outcome.err, HasSubstr("tidewire does not start: "));
  }
}

TEST(Commands, ServeSaysWhyItCannotListen) {
  const Outcome outcome = tidewire({"--config", file(""), "--host", "203.0.113.1", "--port", "0", "--shards", "1"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("tidewire: "));
}

TEST(Commands, ConfigPrintsWhatIsInForce) {
  const Outcome outcome =
      tidewire({"config", "--config", file("[server]\nport = 1\n"), "--port", "2", "--set", "log.level=debug", "--deflate",
                "--origin", "http://a", "--origin", "http://b", "--trusted-proxy", "10.0.0.0/8"},
               {{"JWT_SECRET", "hunter2"}});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\nport = 2  # --port\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nlevel = \"debug\"  # --set\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nenabled = true  # --deflate\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\norigins = [\"http://a\", \"http://b\"]  # --origin\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\ntrusted_proxies = [\"10.0.0.0/8\"]  # --trusted-proxy\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nsecret = \"********\"  # JWT_SECRET\n"));
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("hunter2")));
}

TEST(Commands, TheLastFlagWins) {
  const std::string path = file("");
  EXPECT_THAT(tidewire({"config", "--config", path, "--port", "1", "--set", "server.port=2"}).out,
              HasSubstr("port = 2  # --set"));
  EXPECT_THAT(tidewire({"config", "--config", path, "--set", "server.port=2", "--port", "1"}).out,
              HasSubstr("port = 1  # --port"));
  EXPECT_THAT(tidewire({"config", "--config", path, "--port", "1", "--port", "3"}).out, HasSubstr("port = 3  # --port"));
  EXPECT_THAT(tidewire({"config", "--config", path, "--deflate", "--deflate=false"}).out,
              HasSubstr("enabled = false  # --deflate"));
}

TEST(Commands, FlagsMayStandBeforeTheSubcommand) {
  EXPECT_THAT(tidewire({"--port", "1", "config", "--config", file("")}).out, HasSubstr("port = 1  # --port"));
}

TEST(Commands, ConfigOfABrokenFileFails) {
  const Outcome outcome = tidewire({"config", "--config", file("[server\n")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("error: "));
}

TEST(Commands, ConfigDocs) {
  const Outcome outcome = tidewire({"config", "--docs"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, configuration_page());
}

TEST(Commands, WhatIsNoCommandLine) {
  EXPECT_NE(tidewire({"--prot", "1"}).code, 0);
  EXPECT_NE(tidewire({"sreve"}).code, 0);
  EXPECT_NE(tidewire({"config", "version"}).code, 0);
  const Outcome outcome = tidewire({"config", "--set", "server.port"});
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("\"server.port\" is not section.key=value"));
}

TEST(Commands, HelpNamesTheSubcommands) {
  const Outcome outcome = tidewire({"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* word : {"serve", "check", "config", "version", "--set", "--tls-cert", "--log-level", "auto|send|uring"}) {
    EXPECT_THAT(outcome.out, HasSubstr(word));
  }
}

}  // namespace
}  // namespace tidewire::server
