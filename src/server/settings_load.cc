#include "server/settings_load.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "server/config_file.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kPrefix = "TIDEWIRE_";
constexpr std::string_view kConfigVariable = "TIDEWIRE_CONFIG";

// Variables that begin like ours and are no keys: of this loader, and of the tests, whose programs start this one.
constexpr std::array<std::string_view, 7> kOtherNames = {kConfigVariable, "TIDEWIRE_BIN_DIR",  "TIDEWIRE_SANITIZED",
                                                         "TIDEWIRE_LONG", "TIDEWIRE_UPGRADES", "TIDEWIRE_SEED",
                                                         "TIDEWIRE_SEEDS"};
constexpr std::array<std::string_view, 2> kOtherPrefixes = {"TIDEWIRE_TEST_", "TIDEWIRE_E2E_"};

// What an orchestrator sets for a service called "tidewire...": TIDEWIRE_PORT=tcp://10.0.0.1:4000, TIDEWIRE_SERVICE_HOST,
// TIDEWIRE_PORT_4000_TCP_ADDR. Not meant for us, and the first would be taken for server.port.
bool is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos) return true;
  if (name.ends_with("_PORT") && value.find("://") != std::string_view::npos) return true;
  const std::size_t port = name.find("_PORT_");
  return port != std::string_view::npos && port + 6 < name.size() && name[port + 6] >= '0' && name[port + 6] <= '9';
}

bool is_other_variable(std::string_view name, std::string_view value) {
  if (std::ranges::find(kOtherNames, name) != kOtherNames.end()) return true;
  if (std::ranges::any_of(kOtherPrefixes, [name](std::string_view prefix) { return name.starts_with(prefix); })) return true;
  return is_service_link(name, value);
}

class Loader {
 public:
  explicit Loader(const LoadRequest& request) : request_(request) {}

  Loaded run() {
    const bool understood = read_file();
    read_environment();
    read_flags();
    production_defaults();
    // Without the file each finding might be about a default that the file replaces.
    if (understood) loaded_.findings = check_settings(loaded_.settings, loaded_.provenance);
    return std::move(loaded_);
  }

 private:
  const std::string* variable(std::string_view name) const {
    const auto found = std::ranges::find_if(request_.environment, [name](const auto& each) { return each.first == name; });
    if (found == request_.environment.end() || found->second.empty()) return nullptr;
    return is_service_link(found->first, found->second) ? nullptr : &found->second;
  }

  std::string choose_file() const {
    if (request_.config_file) return *request_.config_file;
    if (const std::string* named = variable(kConfigVariable)) return *named;
    for (const std::string& path : request_.default_files) {
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored)) return path;
    }
    return {};
  }

  bool read_file() {
    loaded_.file = choose_file();
    if (loaded_.file.empty() && !request_.config_file) return true;
    const std::optional<ConfigNode> file = read_config_file(loaded_.file, loaded_.errors);
    if (!file) return false;
    ConfigReader root(*file, loaded_.errors);
    read_rows("", root);
    for (const std::string_view section : settings_sections()) {
      const ConfigNode* table = root.table(section);
      if (table == nullptr) continue;
      ConfigReader reader(*table, loaded_.errors);
      read_rows(section, reader);
      reader.finish();
    }
    root.finish();
    return true;
  }

  void read_rows(std::string_view section, ConfigReader& table) {
    for (const SettingRow& row : settings_table()) {
      if (row.section != section) continue;
      const ConfigNode* node = table.node(row.key);
      if (node != nullptr) note(row, Origin::kFile, node->source().text());
      read_setting(row, table, loaded_.settings);
    }
  }

  void note(const SettingRow& row, Origin origin, std::string text) {
    loaded_.provenance.insert_or_assign(name_of(row), Provenance{origin, std::move(text)});
  }

  void set(const SettingRow& row, Origin origin, const std::string& from, std::string_view value) {
    note(row, origin, from);
    std::ignore = set_from_text(row, value, from, loaded_.settings, loaded_.errors);  // a complaint is in errors
  }

  void read_environment() {
    std::vector<std::string> names;
    for (const SettingRow& row : settings_table()) {
      std::vector<std::string> candidates = {environment_name(row)};
      for (const std::string_view alias : row.aliases) {
        if (!alias.empty()) candidates.emplace_back(alias);
      }
      for (const std::string& name : candidates) {
        const std::string* value = variable(name);
        if (value == nullptr) continue;
        set(row, Origin::kEnvironment, name, *value);
        break;
      }
      names.insert(names.end(), candidates.begin(), candidates.end());
    }
    for (const auto& [name, value] : request_.environment) {
      const bool ours = name.starts_with(kPrefix) && !is_other_variable(name, value);
      if (ours && std::ranges::find(names, name) == names.end()) unknown_variable(name, names);
    }
  }

  // Compared without the prefix, which is much of a name and always right.
  void unknown_variable(std::string_view name, const std::vector<std::string>& names) {
    std::vector<std::string_view> known;
    for (const std::string_view each : names) {
      if (each.starts_with(kPrefix)) known.push_back(each.substr(kPrefix.size()));
    }
    const std::string_view nearest = nearest_name(name.substr(kPrefix.size()), known);
    std::string sentence = "there is no such setting";
    if (!nearest.empty()) sentence.append("; did you mean \"").append(kPrefix).append(nearest).append("\"?");
    loaded_.errors.add({.origin = std::string(name)}, sentence);
  }

  void read_flags() {
    std::map<std::string, FlagValue> last;  // by key
    for (const FlagValue& each : request_.flags) {
      const SettingRow* row = find_setting(each.key);
      if (row == nullptr) {
        unknown_key(each);
        continue;
      }
      const auto before = last.find(each.key);
      const bool adds = row->kind == SettingKind::kTexts && each.flag != "--set" && before != last.end() &&
                        before->second.flag == each.flag;
      FlagValue value = each;
      if (adds) value.value = before->second.value + "," + each.value;
      last.insert_or_assign(each.key, std::move(value));
    }
    for (const auto& [key, value] : last) set(*find_setting(key), Origin::kFlag, value.flag, value.value);
  }

  void unknown_key(const FlagValue& given) {
    std::vector<std::string> names;
    for (const SettingRow& row : settings_table()) names.push_back(name_of(row));
    const std::vector<std::string_view> known(names.begin(), names.end());
    loaded_.errors.add({.origin = given.flag}, "unknown key \"" + given.key + "\"" + suggestion(given.key, known));
  }

  void production_defaults() {
    if (loaded_.settings.environment != Environment::kProduction || loaded_.provenance.contains("api.test_broadcast")) return;
    loaded_.settings.api.test_broadcast = false;
  }

  const LoadRequest& request_;
  Loaded loaded_;
};

}  // namespace

bool Loaded::usable() const {
  return errors.empty() &&
         std::ranges::none_of(findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
}

Loaded load_settings(const LoadRequest& request) { return Loader(request).run(); }

std::vector<std::pair<std::string, std::string>> environment_of_process() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view text = *each;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace tidewire::server
