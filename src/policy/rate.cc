#include "policy/rate.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "policy/excerpt.h"

namespace tidewire::policy {
namespace {

struct Unit {
  std::string_view name;
  std::uint32_t ms;
};
constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// Takes the digits at the begin of `text`; none, or a number too large, is nullopt.
std::optional<std::uint32_t> take_number(std::string_view& text) noexcept {
  std::uint32_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return number;
}

bool in_range(const std::optional<std::uint32_t>& number, std::uint32_t max) noexcept {
  return number && *number >= 1 && *number <= max;
}

}  // namespace

Result<Rate> Rate::parse(std::string_view text) {
  const auto refused = [text](std::string_view why) {
    return Status(StatusCode::kInvalidArgument, quoted(text) + ": expected " + std::string(why));
  };
  std::string_view rest = text;
  const std::optional<std::uint32_t> count = take_number(rest);
  if (!in_range(count, kCountMax)) return refused("a count from 1 to 1000000 first, as in 10/s");
  if (!rest.starts_with('/')) return refused("a '/' after the count, as in 10/s");
  rest.remove_prefix(1);

  std::uint32_t units = 1;
  if (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
    const std::optional<std::uint32_t> number = take_number(rest);
    if (!in_range(number, kIntervalMsMax)) return refused("an interval from 1 ms to 1 d");
    units = *number;
  }
  const std::string_view name = rest.substr(0, rest.find(' '));
  const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == std::end(kUnits)) return refused("ms, s, min, h or d after the '/'");
  if (units > kIntervalMsMax / unit->ms) return refused("an interval from 1 ms to 1 d");
  rest.remove_prefix(name.size());

  Rate rate{.count = *count, .interval_ms = units * unit->ms, .burst = *count};
  if (rest.empty()) return rate;
  constexpr std::string_view kBurst = " burst ";
  if (!rest.starts_with(kBurst)) return refused("nothing or \"burst N\" after the rate, as in 10/s burst 20");
  rest.remove_prefix(kBurst.size());
  const std::optional<std::uint32_t> burst = take_number(rest);
  if (!in_range(burst, kCountMax) || !rest.empty()) return refused("a burst from 1 to 1000000, as in 10/s burst 20");
  rate.burst = *burst;
  return rate;
}

std::string Rate::to_text() const {
  const Unit* unit = std::end(kUnits) - 1;
  while (interval_ms % unit->ms != 0) --unit;
  const std::uint32_t units = interval_ms / unit->ms;
  std::string text = std::to_string(count) + "/" + (units == 1 ? "" : std::to_string(units)) + std::string(unit->name);
  if (burst != count) text += " burst " + std::to_string(burst);
  return text;
}

}  // namespace tidewire::policy
