#include "server/commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>

#include "server/application.h"
#include "server/serve.h"
#include "server/settings_docs.h"
#include "server/settings_print.h"
#include "server/settings_report.h"
#include "server/token_command.h"

namespace tidewire::server {
namespace {

void print(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

// "--port" with what the table says about its key. Callbacks run in the order of the command line, so that the last wins.
void add_row_flag(CLI::App& command, const SettingRow& row, LoadRequest& request) {
  const std::string flag(row.flag);
  const std::string key = name_of(row);
  if (row.kind == SettingKind::kFlag) {
    command
        .add_flag_function(
            flag,
            [flag, key, &request](std::int64_t count) {
              request.flags.push_back({flag, key, count > 0 ? "true" : "false"});
            },
            std::string(row.text))
        ->trigger_on_parse();
    return;
  }
  CLI::Option* option = command.add_option_function<std::string>(
      flag,
      [flag, key, &request](const std::string& value) {
        request.flags.push_back({flag, key, value});
      },
      std::string(row.text));
  option->trigger_on_parse()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  std::string words;
  for (const std::string_view word : row.choices) words.append(words.empty() ? "" : "|").append(word);
  if (!words.empty()) option->option_text(words);
}

void add_set(LoadRequest& request, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw CLI::ValidationError("--set", "\"" + text + "\" is not section.key=value");  // caught in run()
  }
  request.flags.push_back({"--set", text.substr(0, equals), text.substr(equals + 1)});
}

int serve_command(const LoadRequest& request) {
  const Loaded loaded = load_settings(request);
  if (loaded.usable()) return serve(loaded, request);  // what it warns of is in its log
  print(stderr, report_lines(loaded));
  print(stderr, "tidewire does not start: " + report_summary(loaded) + "\n");
  return 1;
}

int check_command(const LoadRequest& request) {
  Loaded loaded = load_settings(request);
  static_cast<void>(read_rules(loaded.settings, loaded.findings, loaded.errors));
  print(stdout, report_lines(loaded) + report_summary(loaded) + "\n");
  return loaded.usable() ? 0 : 1;
}

// Prints what could be understood even if not all could: where a value comes from is what one wants to know then.
int config_command(const LoadRequest& request, bool docs) {
  if (docs) {
    print(stdout, configuration_page());
    return 0;
  }
  const Loaded loaded = load_settings(request);
  print(stderr, report_lines(loaded));
  print(stdout, print_settings(loaded.settings, loaded.provenance));
  return loaded.errors.empty() ? 0 : 1;
}

void add_serve(CLI::App& app, Invocation& invocation) {
  CLI::App* serve = app.add_subcommand("serve", "serve clients; what happens without a subcommand");
  add_settings_flags(*serve, invocation.request);
  serve->callback([&invocation] { invocation.action = [&invocation] { return serve_command(invocation.request); }; });
}

void add_check(CLI::App& app, Invocation& invocation) {
  CLI::App* check = app.add_subcommand("check", "say what is wrong with the configuration, without serving");
  add_settings_flags(*check, invocation.request);
  check->callback([&invocation] { invocation.action = [&invocation] { return check_command(invocation.request); }; });
}

void add_config(CLI::App& app, Invocation& invocation) {
  CLI::App* config = app.add_subcommand("config", "print every value in force and where it was said; secrets are masked");
  add_settings_flags(*config, invocation.request);
  const std::string about_docs = "print the page docs/configuration.md instead";  // a literal is ambiguous here
  const CLI::Option* docs = config->add_flag("--docs", about_docs);
  config->callback([&invocation, docs] {
    invocation.action = [&invocation, docs] { return config_command(invocation.request, docs->count() > 0); };
  });
}

void add_token(CLI::App& app, Invocation& invocation) {
  CLI::App* token = app.add_subcommand("token", "make a token, or check one");
  add_settings_flags(*token, invocation.request);
  const auto request = std::make_shared<TokenRequest>();
  const auto expires = std::make_shared<std::string>("1h");
  token->add_option("--user", request->user, "user id");
  token->add_option("--name", request->name, "name for people");
  token->add_option("--email", request->email, "e-mail address");
  token->add_option("--tenant", request->tenant, "tenant");
  token->add_option("--role", request->roles, "role; repeat it");
  token->add_option("--project", request->projects, "project; repeat it");
  token->add_option("--claim", request->claims, "any other claim, key=JSON or key=text; repeat it");
  token->add_option("--expires", *expires, "how long it is good: 30s, 8h, 7d; default 1h");
  token->add_option("--key", request->key_file, "PEM file with a private key; else auth.secret signs")->check(CLI::ExistingFile);
  token->add_option("--kid", request->key_id, "name of the key, for the header");
  token->add_option("--algorithm", request->algorithm, "HS256, RS256, ES256, EdDSA, ...");
  token->add_option("--check", request->check, "a token to look at instead; - reads it from standard input");
  token->callback([&invocation, request, expires] {
    const auto lifetime_ms = parse_duration_ms(*expires);
    if (!lifetime_ms || *lifetime_ms < 1'000) throw CLI::ValidationError("--expires", "\"" + *expires + "\" is no time of at least 1s");
    request->expires_ms = *lifetime_ms;
    invocation.action = [&invocation, request] { return token_command(invocation.request, *request); };
  });
}

void add_version(CLI::App& app, Invocation& invocation) {
  CLI::App* version = app.add_subcommand("version", "print the version");
  version->callback([&invocation] {
    invocation.action = [] {
      print(stdout, "tidewire " TIDEWIRE_VERSION "\n");
      return 0;
    };
  });
}

constexpr std::array<void (*)(CLI::App&, Invocation&), 5> kCommands = {&add_serve, &add_check, &add_config, &add_token, &add_version};

}  // namespace

void add_settings_flags(CLI::App& command, LoadRequest& request) {
  command.add_option("--config", request.config_file,
                     "TOML file; else TIDEWIRE_CONFIG, ./tidewire.toml, /etc/tidewire/tidewire.toml");
  for (const SettingRow& row : settings_table()) {
    if (!row.flag.empty()) add_row_flag(command, row, request);
  }
  command
      .add_option_function<std::string>(
          "--set", [&request](const std::string& text) { add_set(request, text); },
          "any key: --set section.key=value; repeat it")
      ->trigger_on_parse()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->type_name("KEY=VALUE");
}

int run(std::vector<std::string> arguments, std::vector<std::pair<std::string, std::string>> environment) {
  Invocation invocation;
  invocation.request.environment = std::move(environment);
  invocation.action = [&invocation] { return serve_command(invocation.request); };
  CLI::App app("tidewire: Socket.IO and plain WebSocket clients on one port, in the same rooms", "tidewire");
  app.require_subcommand(0, 1);
  add_settings_flags(app, invocation.request);
  for (const auto add : kCommands) add(app, invocation);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return invocation.action();
}

int run(int argc, char** argv) {
  return run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), environment_of_process());
}

}  // namespace tidewire::server
