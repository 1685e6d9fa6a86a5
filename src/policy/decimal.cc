#include "policy/decimal.h"

#include <algorithm>

#include "base/json_characters.h"

namespace tidewire::policy {
namespace {

__extension__ using Wide = unsigned __int128;  // holds 10^33

// Far beyond any exponent that 32 characters of digits could make up for; keeps sums of two within 64 bits.
constexpr std::int64_t kExponentMax = 1'000'000'000'000'000;

std::int64_t parse_exponent(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  for (const char c : text) exponent = std::min(kExponentMax, exponent * 10 + (c - '0'));
  return negative ? -exponent : exponent;
}

std::strong_ordering compare_magnitude(std::string_view a, std::int64_t a_exponent, std::string_view b,
                                       std::int64_t b_exponent) noexcept {
  // The place of the first digit decides, then the digits from the left: neither has zeros at an end.
  const std::int64_t a_place = static_cast<std::int64_t>(a.size()) + a_exponent;
  const std::int64_t b_place = static_cast<std::int64_t>(b.size()) + b_exponent;
  return a_place != b_place ? a_place <=> b_place : a <=> b;
}

}  // namespace

Decimal Decimal::parse(std::string_view number) noexcept {
  Decimal decimal;
  if (number.starts_with('-')) {
    decimal.negative_ = true;
    number.remove_prefix(1);
  }
  bool fraction = false;
  std::size_t at = 0;
  for (; at < number.size() && (number[at] == '.' || base::is_digit(number[at])); ++at) {
    if (number[at] == '.') {
      fraction = true;
      continue;
    }
    if (fraction) --decimal.exponent_;
    if (decimal.digit_count_ == 0 && number[at] == '0') continue;
    if (decimal.digit_count_ < kDigitsMax) {
      decimal.digits_[decimal.digit_count_++] = number[at];
    } else {
      ++decimal.exponent_;
    }
  }
  if (at < number.size()) decimal.exponent_ += parse_exponent(number.substr(at + 1));
  while (decimal.digit_count_ > 0 && decimal.digits_[decimal.digit_count_ - 1u] == '0') {
    --decimal.digit_count_;
    ++decimal.exponent_;
  }
  return decimal.is_zero() ? Decimal() : decimal;
}

bool Decimal::is_multiple_of(const Decimal& divisor) const noexcept {
  if (is_zero()) return true;
  // Our last digit is not zero, so no higher power of ten divides us.
  if (exponent_ < divisor.exponent_) return false;
  Wide modulus = 0, rest = 0;
  for (const char c : divisor.digits()) modulus = modulus * 10 + static_cast<Wide>(c - '0');
  for (const char c : digits()) rest = (rest * 10 + static_cast<Wide>(c - '0')) % modulus;
  // More tens than bits of the modulus add no factor 2 or 5 that it could still ask for.
  constexpr std::int64_t kTensMax = 128;
  const std::int64_t tens = std::min(kTensMax, exponent_ - divisor.exponent_);
  for (std::int64_t i = 0; i < tens && rest != 0; ++i) rest = rest * 10 % modulus;
  return rest == 0;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) noexcept {
  if (a.is_zero() || b.is_zero() || a.negative_ != b.negative_) {
    const auto sign = [](const Decimal& of) { return of.is_zero() ? 0 : of.negative_ ? -1 : 1; };
    return sign(a) <=> sign(b);
  }
  return a.negative_ ? compare_magnitude(b.digits(), b.exponent_, a.digits(), a.exponent_)
                     : compare_magnitude(a.digits(), a.exponent_, b.digits(), b.exponent_);
}

}  // namespace tidewire::policy
