#include "server/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/test_load.h"

namespace tidewire::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Reload, NothingChanged) {
  const ReloadPlan plan = plan_reload(Settings(), Settings());
  EXPECT_THAT(plan.applied, IsEmpty());
  EXPECT_THAT(plan.needs_restart, IsEmpty());
  EXPECT_EQ(plan.text(), "nothing changed");
}

TEST(Reload, TakesWhatIsLiveAndKeepsTheRest) {
  const Settings running = load_from({.file = "[server]\nport = 1\n[log]\nlevel = 'info'\n"}).settings;
  const Settings wanted =
      load_from(
          {.file = "[server]\nport = 2\nhost = '::1'\n[log]\nlevel = 'debug'\nformat = 'json'\n[[auth.issuers]]\nissuer = 'a'\n"})
          .settings;
  const ReloadPlan plan = plan_reload(running, wanted);
  EXPECT_THAT(plan.applied, ElementsAre("auth.issuers", "log.level"));
  EXPECT_THAT(plan.needs_restart, ElementsAre("server.host", "server.port", "log.format"));
  EXPECT_EQ(plan.settings.server.port, 1);
  EXPECT_EQ(plan.settings.server.host, "127.0.0.1");
  EXPECT_EQ(plan.settings.log.level, "debug");
  EXPECT_EQ(plan.settings.log.format, LogFormat::kAuto);
  EXPECT_EQ(plan.settings.auth.issuers, wanted.auth.issuers);
  EXPECT_EQ(plan.text(), "auth.issuers, log.level changed; server.host, server.port, log.format need a restart");
}

TEST(Reload, WhatNeedsARestartIsSaidAgainNextTime) {
  Settings wanted;
  wanted.server.port = 2;
  const ReloadPlan first = plan_reload(Settings(), wanted);
  const ReloadPlan second = plan_reload(first.settings, wanted);
  EXPECT_THAT(second.needs_restart, ElementsAre("server.port"));
  EXPECT_EQ(second.text(), "server.port needs a restart");
}

TEST(Reload, ATreeThatMovedDidNotChange) {
  const Settings running = load_from({.file = "[[rooms]]\nname = 'a'\nmax = 1\n"}).settings;
  const Settings moved = load_from({.file = "\n\n# here now\n[[rooms]]\nmax = 1\nname = 'a'\n"}).settings;
  EXPECT_EQ(plan_reload(running, moved).text(), "nothing changed");
}

}  // namespace
}  // namespace tidewire::server
