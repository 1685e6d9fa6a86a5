#include "server/settings_docs.h"

#include "server/settings_print.h"
#include "server/settings_table.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kHead = R"(# Configuration

<!-- Printed by `tidewire config --docs > docs/configuration.md`; edit src/server/settings_table.cc or settings_docs.cc instead. -->

One TOML file, the environment, and flags. A later one wins: defaults, file, environment, flags. A commented example is
`examples/tidewire.toml`.

    tidewire check                 what is wrong, without starting
    tidewire config                every value in force and where it was said; secrets are masked
    tidewire serve --port 8080     starts; `serve` may be left out

**The file** is the one of `--config`, else of `TIDEWIRE_CONFIG`, else `tidewire.toml` here, else `/etc/tidewire/tidewire.toml`, else
none. At most 1 MB, 32 levels, 10,000 entries in a list. An unknown key is an error, with its line and the key that was probably
meant.

**The environment.** Each key has the variable `TIDEWIRE_<SECTION>_<KEY>`: `server.port` is `TIDEWIRE_SERVER_PORT`. Some have older
names as well, see the tables; the exact name wins. Lists are separated by commas, maps are `name=value,name=value`, lists of
tables are JSON: `TIDEWIRE_ROOMS='[{"pattern":"lobby"}]'`. An empty variable counts as not set. A variable that begins with
`TIDEWIRE_` and is no key is an error.

**Flags.** Any key: `--set section.key=value`, written as in the environment. Some have a flag of their own, see the tables; those of
lists may be repeated.

**Values.** A duration is text such as `"250ms"`, `"5s"`, `"2m"`, `"24h"`, `"7d"`, or a bare number in the unit named below. A size is
bytes, or text: `"64KB"` and `"1MB"` are powers of 1000, `"64KiB"` and `"1MiB"` of 1024.

**Reload.** SIGHUP reads everything again. Keys marked live change; the others keep their value until a restart, and the log names
them. What that means for who is connected: [guide/deployment.md](guide/deployment.md#change-the-configuration-while-it-runs).

**Production** (`TIDEWIRE_ENV=production`) refuses what development only warns of: a secret shorter than 32 bytes or known from
tutorials, tokens in cookies without `cors.origins`, an HTTP API without a key, an `api.admin_token` shorter than 32 characters,
`auth.require_exp` off, `contracts.undeclared` as relay, plain http to other machines. With neither `auth.secret` nor issuers
everybody may come in; production wants that said: `auth.anonymous = true`.
)";

// Where the keys of a list of tables are, by the name of the list; from docs/.
struct Guide {
  std::string_view name, page;
};
constexpr Guide kGuides[] = {{"namespaces", "guide/contracts.md#namespaces"},
                             {"rooms", "guide/contracts.md#rooms"},
                             {"events", "guide/contracts.md#events"},
                             {"auth.issuers", "guide/authentication.md#other-issuers-and-keys"},
                             {"api.keys", "guide/http-api.md#keys"},
                             {"hooks.webhooks", "guide/webhooks.md#declare-them"},
                             {"hooks.questions", "guide/webhooks.md#declare-them"}};

std::string guide_to(const SettingRow& row) {
  const std::string name = name_of(row);
  for (const Guide& guide : kGuides) {
    if (guide.name == name) return " [Its keys](" + std::string(guide.page) + ").";
  }
  return {};
}

// In a cell a bar would begin the next one.
std::string cell(std::string_view text) {
  std::string out;
  for (const char character : text) {
    if (character == '|') out.push_back('\\');
    out.push_back(character);
  }
  return out;
}

std::string bound(const SettingRow& row) {
  const NumberRange all;
  if (row.range.least == all.least && row.range.most == all.most) return {};
  const auto text = [&row](std::int64_t number) {
    Settings settings;  // printed as the value would be, by a field that is wide enough
    SettingRow as = row;
    as.field = [](Settings& each) -> SettingField { return &each.queue.age_ms; };
    settings.queue.age_ms = number;
    std::string printed = print_value(as, settings);
    if (printed.starts_with('"')) printed = printed.substr(1, printed.size() - 2);
    return printed;
  };
  return " " + text(row.range.least) + " to " + text(row.range.most) + ".";
}

std::string_view unit(SettingKind kind) {
  switch (kind) {
    case SettingKind::kMilliseconds: return " Unit: ms.";
    case SettingKind::kSeconds: return " Unit: s.";
    case SettingKind::kBytes: return " Unit: bytes.";
    default: return "";
  }
}

std::string choices(const SettingRow& row) {
  std::string out;
  for (const std::string_view word : row.choices) out.append(out.empty() ? " One of " : ", ").append("`").append(word).append("`");
  if (row.kind == SettingKind::kTexts && !out.empty()) out.replace(0, 8, " Any of ");
  return out.empty() ? out : out + ".";
}

std::string other_names(const SettingRow& row) {
  std::string out;
  if (!row.flag.empty()) out.append("`").append(row.flag).append("`");
  const std::string exact = environment_name(row);
  for (const std::string_view alias : row.aliases) {
    if (!alias.empty()) out.append(out.empty() ? "" : ", ").append("`").append(alias).append("`");
  }
  if (row.section.empty()) out.append(out.empty() ? "" : ", ").append("`").append(exact).append("`");
  return out;
}

void table(std::string_view section, std::string& out) {
  Settings defaults;
  out.append("\n## ").append(section.empty() ? "The whole file" : "[" + std::string(section) + "]").append("\n\n");
  out.append("| Key | Default | What it is | Other names | Reload |\n|---|---|---|---|---|\n");
  for (const SettingRow& row : settings_table()) {
    if (row.section != section) continue;
    const bool tree = row.kind == SettingKind::kTree;
    const std::string key = tree ? "[[" + name_of(row) + "]]" : std::string(row.key);
    out.append("| `").append(key).append("` | ").append(tree ? "none" : "`" + cell(print_value(row, defaults)) + "`").append(" | ");
    out.append(cell(row.text)).append(unit(row.kind)).append(choices(row)).append(bound(row)).append(row.secret ? " Secret." : "");
    out.append(guide_to(row));
    out.append(" | ").append(cell(other_names(row))).append(" | ");
    out.append(row.reload == Reload::kLive ? "live" : "restart").append(" |\n");
  }
}

}  // namespace

std::string configuration_page() {
  std::string out(kHead);
  table("", out);
  for (const std::string_view section : settings_sections()) table(section, out);
  return out;
}

}  // namespace tidewire::server
