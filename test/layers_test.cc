// The house rules that a program can check: src/LAYERS, one namespace per folder, no third-party header in the public API.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

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

// What a source includes, as written: with its quotes or angle brackets.
std::vector<std::string> includes_of(const fs::path& path) {
  std::vector<std::string> list;
  std::istringstream text(read(path));
  for (std::string line; std::getline(text, line);) {
    if (line.rfind("#include ", 0) == 0) list.push_back(line.substr(9, line.find_first_of(" ", 9) - 9));
  }
  return list;
}

bool is_source(const fs::path& path) { return path.extension() == ".h" || path.extension() == ".cc"; }

// Tests and their doubles may look at whatever lies below their layer.
bool is_test_source(const fs::path& path) {
  const std::string name = path.filename();
  return name.find("_test.") != std::string::npos || name.rfind("test_", 0) == 0;
}

bool within(const std::map<std::string, std::set<std::string>>& table, const std::set<std::string>& uses, const std::string& layer) {
  if (uses.contains(layer)) return true;
  for (const std::string& used : uses) {
    if (within(table, table.at(used), layer)) return true;
  }
  return false;
}

TEST(Layers, IncludeOnlyWhatTheTableAllows) {
  const auto table = layer_table();
  ASSERT_GE(table.size(), 9u);
  std::size_t checked = 0;
  for (const auto& [layer, uses] : table) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / "src" / layer)) {
      if (!is_source(entry.path())) continue;
      for (const std::string& include : includes_of(entry.path())) {
        const std::size_t slash = include.find('/');
        if (include.front() != '"' || slash == std::string::npos) continue;
        const std::string used = include.substr(1, slash - 1);
        if (used == "tidewire" || used == layer || !table.contains(used)) continue;  // libraries come with a folder too
        ++checked;
        EXPECT_TRUE(is_test_source(entry.path()) ? within(table, uses, used) : uses.contains(used)) << entry.path() << " includes " << include;
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
  std::size_t checked = 0;
  for (const auto& entry : fs::directory_iterator(kRoot / "include/tidewire")) {
    for (const std::string& include : includes_of(entry.path())) {
      ++checked;
      // Ours in quotes; the standard library's have neither a folder nor a suffix.
      const bool ours = include.rfind("\"tidewire/", 0) == 0;
      const bool standard = include.front() == '<' && include.find_first_of("/.") == std::string::npos;
      EXPECT_TRUE(ours || standard) << entry.path() << " includes " << include;
    }
  }
  EXPECT_GT(checked, 50u);
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
