// server/config_node.h - what a configuration says, as a tree: the same for a TOML file, a JSON environment variable, a flag.
//
//   [[rooms]]                      table "rooms[0]"  tidewire.toml:7
//   name = "project:{id}"            "name"          tidewire.toml:8   text
//   members_max = 500                "members_max"   tidewire.toml:9   integer
//
//   ConfigReader room(node, errors);
//   const std::string name = room.required_text("name");
//   const std::int64_t members_max = room.number("members_max", 100, {1, 10'000});
//   room.finish();                                    // whatever else the table says is an error with a suggestion
//
// Each node knows where it was written, so that a complaint names the line. Reading never stops at the first mistake: a bad
// value is noted in ConfigErrors and the default is used, so that a person sees all mistakes at once.
// Lifetime: a reader and the pointers it hands out point into the tree. Threads: plain values.
// Limits: below; the sources of trees (config_file.h) keep them. Why not toml::node: rooms and events also come as JSON, and
// one header of that library costs a second of compile time in each file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tidewire/value.h"

namespace tidewire::server {

inline constexpr std::size_t kConfigFileBytesMax = 1024 * 1024;  // of a file, and of one environment variable
inline constexpr std::size_t kConfigDepthMax = 32;               // lists and tables within each other
inline constexpr std::size_t kConfigListEntriesMax = 10'000;     // of one list or table
inline constexpr std::size_t kConfigNodesMax = 200'000;          // of one source
inline constexpr std::size_t kConfigErrorsMax = 100;             // reported; the rest is counted

struct ConfigSource {
  std::string origin;         // "tidewire.toml", "TIDEWIRE_EVENTS", "--port"
  std::uint32_t line = 0;     // 0: the origin has no lines
  std::uint32_t column = 0;   // 0: not known
  std::string text() const;   // "tidewire.toml:12"
};

class ConfigNode {
 public:
  enum class Kind : std::uint8_t { kNone, kFlag, kInteger, kReal, kText, kList, kTable };
  struct Member;
  using List = std::vector<ConfigNode>;
  using Table = std::vector<Member>;

  ConfigNode();  // kNone: the key is not there
  ConfigNode(bool flag, std::string path, ConfigSource source);
  ConfigNode(std::int64_t integer, std::string path, ConfigSource source);
  ConfigNode(double real, std::string path, ConfigSource source);
  ConfigNode(std::string text, std::string path, ConfigSource source);
  ConfigNode(const char* text, std::string path, ConfigSource source);  // else a literal would be a flag
  ConfigNode(List items, std::string path, ConfigSource source);
  ConfigNode(Table members, std::string path, ConfigSource source);
  ConfigNode(const ConfigNode& other);
  ConfigNode(ConfigNode&& other) noexcept;
  ConfigNode& operator=(ConfigNode other) noexcept;
  ~ConfigNode();

  Kind kind() const noexcept { return static_cast<Kind>(storage_.index()); }
  bool is_none() const noexcept { return kind() == Kind::kNone; }
  bool is_text() const noexcept { return kind() == Kind::kText; }
  bool is_list() const noexcept { return kind() == Kind::kList; }
  bool is_table() const noexcept { return kind() == Kind::kTable; }

  std::optional<bool> as_flag() const noexcept;
  std::optional<std::int64_t> as_integer() const noexcept;
  std::optional<double> as_real() const noexcept;  // an integer as well
  // Lives as long as this node.
  std::optional<std::string_view> as_text() const noexcept;
  // Entries of a list, members of a table in the order they were written; empty for every other kind.
  std::span<const ConfigNode> items() const noexcept;
  std::span<const Member> members() const noexcept;
  // The member, or nullptr.
  const ConfigNode* find(std::string_view key) const noexcept;

  // "rooms[2].name": what a complaint calls this node. Empty for the table that is the whole file.
  const std::string& path() const noexcept { return path_; }
  const ConfigSource& source() const noexcept { return source_; }

  // The same as JSON; null for kNone. For a schema or a default payload inside a configuration.
  Value to_value() const;

  // By meaning: where it was written does not count, nor the order of members.
  friend bool operator==(const ConfigNode& a, const ConfigNode& b) { return equal(a, b); }

 private:
  using Storage = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table>;  // as Kind

  ConfigNode(Storage storage, std::string path, ConfigSource source);
  static bool equal(const ConfigNode& a, const ConfigNode& b);

  Storage storage_;
  std::string path_;
  ConfigSource source_;
};

struct ConfigNode::Member {
  std::string key;
  ConfigNode value;
  friend bool operator==(const Member&, const Member&) = default;
};

// "text", "a whole number", "a table": what a node is called in complaints.
std::string_view kind_name(ConfigNode::Kind kind) noexcept;

// The mistakes of all sources together, each "tidewire.toml:12: sentence".
class ConfigErrors {
 public:
  void add(const ConfigSource& where, std::string_view sentence);
  bool empty() const noexcept { return lines_.empty(); }
  // At most kConfigErrorsMax; after the last there were left_out() more.
  const std::vector<std::string>& lines() const noexcept { return lines_; }
  std::size_t left_out() const noexcept { return left_out_; }

 private:
  std::vector<std::string> lines_;
  std::size_t left_out_ = 0;
};

struct NumberRange {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

// "250ms", "5s", "2m", "24h", "7d"; nullopt for anything else, for what is too long as well.
std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept;
// "64KB" and "1MB" are powers of 1000, "64KiB" and "1MiB" of 1024, "10B" and "10" are bytes; nullopt for anything else.
std::optional<std::int64_t> parse_size_bytes(std::string_view text) noexcept;

// Reads one table. Every question names a key; finish() complains about the keys nobody asked for.
// `table` and `errors` remain live while the reader is in use.
class ConfigReader {
 public:
  // A node that is no table is a complaint; then each question is answered by its default.
  ConfigReader(const ConfigNode& table, ConfigErrors& errors);

  bool has(std::string_view key);
  // Text that is there and not empty; else a complaint, and "".
  std::string required_text(std::string_view key);
  std::string text(std::string_view key, std::string_view otherwise);
  // One of `allowed`, with a suggestion for a typing error.
  std::string choice(std::string_view key, std::span<const std::string_view> allowed, std::string_view otherwise);
  std::int64_t number(std::string_view key, std::int64_t otherwise, NumberRange range = {});
  double real(std::string_view key, double otherwise, double least, double most);
  bool flag(std::string_view key, bool otherwise);
  // Text or a list of texts.
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> otherwise = {});
  // A whole number of milliseconds, or text as of parse_duration_ms. The range is in milliseconds.
  std::int64_t duration_ms(std::string_view key, std::int64_t otherwise, NumberRange range = {.least = 0});
  // A whole number of seconds, or text of whole seconds. The range is in seconds.
  std::int64_t duration_s(std::string_view key, std::int64_t otherwise, NumberRange range = {.least = 0});
  // A whole number of bytes, or text as of parse_size_bytes.
  std::int64_t size_bytes(std::string_view key, std::int64_t otherwise, NumberRange range = {.least = 0});
  // The table, or nullptr: not there, or no table (a complaint).
  const ConfigNode* table(std::string_view key);
  // A list of tables; empty when it is not there. What is no table in it is a complaint and left out.
  std::vector<const ConfigNode*> tables(std::string_view key);
  // Whatever is there, or nullptr.
  const ConfigNode* node(std::string_view key);

  // Notes "<path of key> <sentence>" at the line of the key, or of the table when the key is not there.
  void complain(std::string_view key, std::string_view sentence);
  // Keys that exist but are read by somebody else.
  void ignore(std::string_view key);
  void finish();

  // "rooms[2].name"
  std::string path_of(std::string_view key) const;

 private:
  std::optional<std::int64_t> within(std::string_view key, std::int64_t found, std::string_view written, NumberRange range,
                                     std::string_view unit);
  void wrong_kind(std::string_view key, const ConfigNode& found, std::string_view wanted);
  std::int64_t measured(std::string_view key, std::int64_t otherwise, NumberRange range, std::string_view unit,
                        std::string_view wanted, std::optional<std::int64_t> (*parse)(std::string_view) noexcept);

  const ConfigNode& table_;
  ConfigErrors& errors_;
  std::vector<std::string> asked_;
};

// The tables of a list node ([[rooms]]), for the owner of a ConfigNode of Settings. As ConfigReader::tables.
std::vector<const ConfigNode*> tables_of(const ConfigNode& list, ConfigErrors& errors);

// The name that was probably meant, or "". At most a third of the letters may differ; two that are swapped count as one.
std::string_view nearest_name(std::string_view written, std::span<const std::string_view> known);
// `; did you mean "port"?`, or "" when nothing is near.
std::string suggestion(std::string_view written, std::span<const std::string_view> known);

}  // namespace tidewire::server
