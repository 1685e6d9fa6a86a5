// The public JSON-Schema-Test-Suite, as Debian packages it: every case of every keyword we know, of draft 7, the newest there.
// What is not run stands in one of two tables, with the reason; a table with an entry that is no longer there fails.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "policy/json_schema.h"

namespace tidewire::policy {
namespace {

namespace fs = std::filesystem;
const fs::path kSuite = "/usr/share/json-schema-test-suite/tests/draft7";  // the package json-schema-test-suite

struct Excluded {
  std::string_view file, group, reason;  // no group: the whole file
};

constexpr std::string_view kNoKeyword = "the keyword is not in our subset: a schema with it does not compile";
constexpr std::string_view kNoFormat = "the format is not in our subset: a schema with it does not compile";
constexpr std::string_view kRemote = "references leave the document, which we refuse";

constexpr Excluded kExcluded[] = {
    {"contains.json", "", kNoKeyword},
    {"dependencies.json", "", kNoKeyword},
    {"if-then-else.json", "", kNoKeyword},
    {"patternProperties.json", "", kNoKeyword},
    {"propertyNames.json", "", kNoKeyword},
    {"optional/content.json", "", kNoKeyword},
    {"optional/format/hostname.json", "", kNoFormat},
    {"optional/format/idn-email.json", "", kNoFormat},
    {"optional/format/idn-hostname.json", "", kNoFormat},
    {"optional/format/ipv6.json", "", kNoFormat},
    {"optional/format/iri-reference.json", "", kNoFormat},
    {"optional/format/iri.json", "", kNoFormat},
    {"optional/format/json-pointer.json", "", kNoFormat},
    {"optional/format/regex.json", "", kNoFormat},
    {"optional/format/relative-json-pointer.json", "", kNoFormat},
    {"optional/format/time.json", "", kNoFormat},
    {"optional/format/uri-reference.json", "", kNoFormat},
    {"optional/format/uri-template.json", "", kNoFormat},
    {"optional/ecmascript-regex.json", "", kNoFormat},
    {"definitions.json", "", kRemote},
    {"refRemote.json", "", kRemote},
    {"ref.json", "remote ref, containing refs itself", kRemote},
    {"ref.json", "Recursive references between schemas", kRemote},
    {"ref.json", "escaped pointer ref", "its definitions stand beside the keywords, where they are unknown keywords"},
    {"ref.json", "ref overrides any sibling keywords", "since draft 2019-09 they count, and ignoring them would be a trap"},
    {"optional/bignum.json", "", "numbers of more than 32 characters end at the JSON parser"},
    {"properties.json", "properties, patternProperties, additionalProperties interaction", kNoKeyword},
    {"additionalProperties.json", "additionalProperties being false does not allow other properties", kNoKeyword},
    {"additionalProperties.json", "non-ASCII pattern with additionalProperties", kNoKeyword},
    {"additionalItems.json", "items is schema, no additionalItems", "without a list of items it would be ignored: an error here"},
    {"additionalItems.json", "additionalItems as false without items", "without a list of items it would be ignored: an error here"},
};

Value read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  Result<Value> value = Value::parse(text.str());
  EXPECT_TRUE(value.ok()) << path << ": " << value.status().message();
  return value.ok() ? *value : Value();
}

class Suite {
 public:
  void run_file(const std::string& name) {
    if (excluded(name, "")) return;
    const Value groups = read(kSuite / name);
    for (const Value& group : groups.items()) {
      const std::string_view description = *group["description"].as_string();
      if (!excluded(name, description)) run_group(name, group);
    }
  }
  std::size_t cases() const { return cases_; }
  std::size_t accepted() const { return accepted_; }
  std::size_t used_exclusions() const { return used_.size(); }

 private:
  bool excluded(std::string_view file, std::string_view group) {
    for (const Excluded& entry : kExcluded) {
      if (entry.file == file && entry.group == group) return used_.insert(&entry), true;
    }
    return false;
  }
  void run_group(const std::string& name, const Value& group) {
    const Result<JsonSchema> schema = JsonSchema::compile(group["schema"]);
    ASSERT_TRUE(schema.ok()) << name << ", " << *group["description"].as_string() << ": " << schema.status().message();
    for (const Value& test : group["tests"].items()) {
      ++cases_;
      const std::optional<Violation> violation = schema->validate(test["data"]);
      EXPECT_EQ(!violation, *test["valid"].as_bool())
          << name << ", " << *group["description"].as_string() << ", " << *test["description"].as_string() << ": "
          << (violation ? violation->message : "valid");
      if (!schema->accepts(test["data"].to_json())) continue;
      ++accepted_;
      EXPECT_TRUE(*test["valid"].as_bool()) << name << ", " << *test["description"].as_string() << ": the short way says yes";
    }
  }

  std::size_t cases_ = 0;
  std::size_t accepted_ = 0;  // the short way
  std::set<const Excluded*> used_;
};

TEST(JsonSchemaSuite, RunsWholeButForWhatTheTablesSay) {
  ASSERT_TRUE(fs::is_directory(kSuite)) << "script/bootstrap installs json-schema-test-suite";
  Suite suite;
  for (const auto& entry : fs::recursive_directory_iterator(kSuite)) {
    if (entry.path().extension() == ".json") suite.run_file(fs::relative(entry.path(), kSuite));
  }
  EXPECT_GE(suite.cases(), 327u);
  EXPECT_GE(suite.accepted(), 100u);
  EXPECT_EQ(suite.used_exclusions(), std::size(kExcluded));
  RecordProperty("cases", static_cast<int>(suite.cases()));
}

}  // namespace
}  // namespace tidewire::policy
