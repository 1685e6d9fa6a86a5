#include "server/settings_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace tidewire::server {
namespace {

TEST(SettingsTable, EachNameIsThereOnce) {
  std::set<std::string> names;
  std::set<std::string> variables;
  std::set<std::string_view> flags;
  for (const SettingRow& row : settings_table()) {
    EXPECT_TRUE(names.insert(name_of(row)).second) << name_of(row);
    EXPECT_TRUE(variables.insert(environment_name(row)).second) << environment_name(row);
    for (const std::string_view alias : row.aliases) {
      if (!alias.empty()) {
        EXPECT_TRUE(variables.insert(std::string(alias)).second) << alias;
      }
    }
    if (!row.flag.empty()) {
      EXPECT_TRUE(flags.insert(row.flag).second) << row.flag;
    }
  }
  EXPECT_GT(names.size(), 70u);
}

TEST(SettingsTable, EachFieldIsThereOnce) {
  Settings settings;
  std::set<const void*> fields;
  for (const SettingRow& row : settings_table()) {
    const void* field = std::visit([](auto* each) -> const void* { return each; }, row.field(settings));
    EXPECT_TRUE(fields.insert(field).second) << name_of(row) << " has the field of another row";
  }
}

TEST(SettingsTable, EachRowSaysWhatItIs) {
  for (const SettingRow& row : settings_table()) {
    EXPECT_TRUE(row.text.ends_with('.')) << name_of(row);
    EXPECT_EQ(row.text.find('\n'), std::string_view::npos) << name_of(row);
  }
}

// What a row allows must fit its field, or a value would change on its way.
TEST(SettingsTable, EachRangeFitsItsField) {
  Settings settings;
  for (const SettingRow& row : settings_table()) {
    std::visit(
        [&row](auto* field) {
          using Field = std::remove_pointer_t<decltype(field)>;
          if constexpr (std::integral<Field> && !std::same_as<Field, bool>) {
            EXPECT_TRUE(std::in_range<Field>(row.range.least) && std::in_range<Field>(row.range.most)) << name_of(row);
            EXPECT_LT(row.range.least, row.range.most) << name_of(row);
            const auto now = static_cast<std::int64_t>(*field);
            EXPECT_TRUE(now >= row.range.least && now <= row.range.most) << name_of(row) << ": the default is out of range";
          }
        },
        row.field(settings));
  }
}

TEST(SettingsTable, EachTopLevelKeyDiffersFromTheSections) {
  for (const std::string_view section : settings_sections()) EXPECT_EQ(find_setting(section), nullptr) << section;
}

TEST(SettingsTable, NamesFollowOneRule) {
  EXPECT_EQ(environment_name(*find_setting("server.port")), "TIDEWIRE_SERVER_PORT");
  EXPECT_EQ(environment_name(*find_setting("env")), "TIDEWIRE_ENV");
  EXPECT_EQ(environment_name(*find_setting("rooms")), "TIDEWIRE_ROOMS");
  EXPECT_EQ(environment_name(*find_setting("auth.issuers")), "TIDEWIRE_AUTH_ISSUERS");
  EXPECT_EQ(find_setting("server"), nullptr);
}

TEST(SettingsTable, TheSecretsAreMarked) {
  std::vector<std::string> secrets;
  for (const SettingRow& row : settings_table()) {
    if (row.secret) secrets.push_back(name_of(row));
  }
  EXPECT_THAT(secrets, testing::ElementsAre("auth.secret", "api.admin_token"));
}

}  // namespace
}  // namespace tidewire::server
