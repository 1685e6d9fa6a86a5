// server/test_load.h - for tests: a configuration from text, variables and flags, without the process around it.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "server/settings_load.h"
#include "server/settings_report.h"

namespace tidewire::server {

inline constexpr const char* kGoodSecret = "3q8Xz0v-Lw5Tn7Yb2Rk9Pd4Jf6Hs1Mg_";
inline constexpr const char* kGoodToken = "tok_7f3a91c5e8d24b60a1f2c3d4e5b69788";

struct Sources {
  std::string file = {};  // the text
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::vector<FlagValue> flags = {};
};

// The file is called "tidewire.toml" in complaints, wherever it lies.
inline Loaded load_from(Sources sources) {
  LoadRequest request{.environment = std::move(sources.environment), .flags = std::move(sources.flags), .default_files = {}};
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test.test_suite_name()) + "_" + test.name() + ".toml";
  for (char& character : name) character = character == '/' ? '_' : character;  // of a parameter
  const std::string path = testing::TempDir() + name;
  if (!sources.file.empty()) {
    std::ofstream(path) << sources.file;
    request.config_file = path;
  }
  return load_settings(request);
}

// What a person is told, with the file's name as "tidewire.toml".
inline std::string told(const Loaded& loaded) {
  std::string text = report_lines(loaded);
  if (loaded.file.empty()) return text;
  for (std::size_t at = text.find(loaded.file); at != std::string::npos; at = text.find(loaded.file, at)) {
    text.replace(at, loaded.file.size(), "tidewire.toml");
  }
  return text;
}

}  // namespace tidewire::server
