// The house rules that a program can check: src/LAYERS, one namespace per folder, no third-party header in the public API.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;
const fs::path kRoot = TIDEWIRE_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::map<std::string, std::set<std::string>> layer_table() {
  std::map<std::string, std::set<std::string>> table;
  std::ifstream file(kRoot / "src/LAYERS");
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('#'));
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    auto& uses = table[line.substr(0, colon)];
    std::istringstream words(line.substr(colon + 1));
    for (std::string word; words >> word;) uses.insert(word);
  }
  return table;
}

bool is_source(const fs::path& path) { return path.extension() == ".h" || path.extension() == ".cc"; }

TEST(Layers, IncludeOnlyWhatTheTableAllows) {
  const auto table = layer_table();
  ASSERT_GE(table.size(), 9u);
  const std::regex include("#include \"([a-z]+)/([a-z_0-9]+\\.h)\"");
  std::size_t checked = 0;
  for (const auto& [layer, uses] : table) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / "src" / layer)) {
      if (!is_source(entry.path())) continue;
      const std::string text = read(entry.path());
      const bool is_test = entry.path().string().find("_test.cc") != std::string::npos ||
                           entry.path().filename().string().find("test_") == 0;
      for (auto it = std::sregex_iterator(text.begin(), text.end(), include); it != std::sregex_iterator(); ++it) {
        const std::string used = (*it)[1];
        if (used == "tidewire" || used == layer) continue;
        ++checked;
        // A layer's tests may use what the layer uses, and the doubles of those layers.
        EXPECT_TRUE(uses.contains(used)) << entry.path() << " includes " << (*it)[0] << (is_test ? " (a test)" : "");
      }
    }
  }
  EXPECT_GT(checked, 100u);
}

TEST(Layers, EachFolderOfSrcIsInTheTable) {
  const auto table = layer_table();
  for (const auto& entry : fs::directory_iterator(kRoot / "src")) {
    if (entry.is_directory()) {
      EXPECT_TRUE(table.contains(entry.path().filename())) << entry.path();
    }
  }
}

TEST(Layers, ThePublicApiIncludesNothingForeign) {
  const std::regex quoted("#include \"([^\"]+)\"");
  const std::regex foreign("#include <([a-z_]+/|[a-z_0-9]+\\.h)[^>]*>");
  for (const auto& entry : fs::directory_iterator(kRoot / "include/tidewire")) {
    const std::string text = read(entry.path());
    for (auto it = std::sregex_iterator(text.begin(), text.end(), quoted); it != std::sregex_iterator(); ++it) {
      EXPECT_EQ((*it)[1].str().rfind("tidewire/", 0), 0u) << entry.path() << " includes " << (*it)[0];
    }
    EXPECT_FALSE(std::regex_search(text, foreign)) << entry.path() << " includes a header that is not of the standard library";
  }
}

TEST(Layers, ThePublicApiStaysSmall) {
  std::size_t headers = 0;
  for (const auto& entry : fs::directory_iterator(kRoot / "include/tidewire")) headers += is_source(entry.path()) ? 1 : 0;
  EXPECT_LE(headers, 16u);
}

TEST(Layers, EachHeaderSaysWhatItIsAndIsIncludedOnce) {
  for (const auto& folder : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (entry.path().extension() != ".h") continue;
      const std::string text = read(entry.path());
      EXPECT_EQ(text.rfind("// ", 0), 0u) << entry.path() << " has no comment at its top";
      EXPECT_NE(text.find("#pragma once"), std::string::npos) << entry.path();
    }
  }
}

}  // namespace
