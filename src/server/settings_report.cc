#include "server/settings_report.h"

#include <algorithm>

namespace tidewire::server {
namespace {

// Of "auth.issuers[0].secret" the origin of auth.issuers.
std::string origin_of(const std::string& key, const ProvenanceMap& provenance) {
  const auto found = provenance.find(key.substr(0, key.find('[')));
  return found == provenance.end() ? std::string() : found->second.text + ": ";
}

void findings(const Loaded& loaded, Severity severity, std::string_view word, std::string& out) {
  for (const Finding& finding : loaded.findings) {
    if (finding.severity != severity) continue;
    out.append(word).append(": ").append(origin_of(finding.key, loaded.provenance));
    out.append(finding.key).append(" ").append(finding.sentence).append("\n");
  }
}

std::string counted(std::size_t count, const std::string& word) {
  if (count == 0) return "no " + word + "s";
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

}  // namespace

std::string report_lines(const Loaded& loaded) {
  std::string out;
  for (const std::string& line : loaded.errors.lines()) out.append("error: ").append(line).append("\n");
  if (const std::size_t more = loaded.errors.left_out(); more != 0) {
    out.append("error: and ").append(std::to_string(more)).append(" more\n");
  }
  findings(loaded, Severity::kError, "error", out);
  findings(loaded, Severity::kWarning, "warning", out);
  return out;
}

std::string report_summary(const Loaded& loaded) {
  const auto found = [&loaded](Severity severity) {
    return static_cast<std::size_t>(std::ranges::count(loaded.findings, severity, &Finding::severity));
  };
  const std::size_t errors = loaded.errors.lines().size() + loaded.errors.left_out() + found(Severity::kError);
  const bool production = loaded.settings.environment == Environment::kProduction;
  return (loaded.file.empty() ? "no configuration file" : loaded.file) + (production ? ", production: " : ", development: ") +
         counted(errors, "error") + ", " + counted(found(Severity::kWarning), "warning");
}

}  // namespace tidewire::server
