// server/settings_table.h - one row per key of the configuration: where it is kept and all that is said about it.
//
//   row           section "server", key "port"   -> server.port in the file, in --set, in complaints
//   environment   TIDEWIRE_SERVER_PORT, aliases TIDEWIRE_PORT        flag --port
//
// Everything that treats all keys alike walks this table: reading (settings_load), printing (settings_print), the page
// docs/configuration.md (settings_docs), SIGHUP (reload). A new key is a field in settings.h and a row here.
// Threads: constant after the first call. Why accessors and no offsets: the compiler checks them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config_node.h"
#include "server/settings.h"

namespace tidewire::server {

enum class SettingKind : std::uint8_t {
  kFlag,
  kNumber,
  kMilliseconds,  // a bare number is milliseconds
  kSeconds,       // a bare number is seconds
  kBytes,
  kText,          // one of `choices`, if there are any
  kTexts,         // each one of `choices`, if there are any; text with commas in the environment
  kMap,           // text to text; "a=b,c=d" in the environment
  kTree,          // a list of tables, read by the part that owns it; JSON in the environment
};

enum class Reload : std::uint8_t { kLive, kRestart };

using SettingField = std::variant<bool*, std::uint16_t*, std::uint32_t*, std::int64_t*, std::uint64_t*, std::string*,
                                  std::vector<std::string>*, std::map<std::string, std::string>*, Environment*, LogFormat*,
                                  ConfigNode*>;

struct SettingRow {
  std::string_view section = {};  // empty: a key of the whole file
  std::string_view key = {};
  SettingKind kind = SettingKind::kText;
  SettingField (*field)(Settings&) = nullptr;
  std::string_view text = {};     // one sentence
  NumberRange range = {};         // in the unit of the kind
  std::span<const std::string_view> choices = {};  // of an enumeration: in the order of its enumerators
  bool secret = false;
  Reload reload = Reload::kRestart;
  std::array<std::string_view, 2> aliases = {};    // environment names beside TIDEWIRE_<SECTION>_<KEY>; empty: none
  std::string_view flag = {};     // "--port"; empty: only --set
};

// Where the value in force was said. A later one wins over an earlier one.
enum class Origin : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
struct Provenance {
  Origin origin = Origin::kDefault;
  std::string text = "default";  // "tidewire.toml:12", "JWT_SECRET", "--port"
};
// By "server.port"; a key that is not in it has its default.
using ProvenanceMap = std::map<std::string, Provenance, std::less<>>;

std::span<const SettingRow> settings_table();
// The sections in the order of the table, without "".
std::vector<std::string_view> settings_sections();

// "server.port", "rooms"
std::string name_of(const SettingRow& row);
// "TIDEWIRE_SERVER_PORT"
std::string environment_name(const SettingRow& row);
// The row of "server.port", or nullptr.
const SettingRow* find_setting(std::string_view name);

// Reads the key of `row` into `settings`, if the table has it; complaints go where the reader's go.
void read_setting(const SettingRow& row, ConfigReader& table, Settings& settings);
// The same from one text, as the environment and flags have it. False after a complaint.
bool set_from_text(const SettingRow& row, std::string_view text, const std::string& origin, Settings& settings,
                   ConfigErrors& errors);
// Whether both have the same value; and taking it over. Rows hand out writable fields, so settings come by value or writable.
bool same_setting(const SettingRow& row, Settings& a, Settings& b);
void copy_setting(const SettingRow& row, Settings& from, Settings& to);

}  // namespace tidewire::server
