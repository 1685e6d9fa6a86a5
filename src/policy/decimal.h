// policy/decimal.h - the number that a JSON text means, exactly: compared and divided without rounding.
//
//   -12.50e3  ->  negative, digits "125", exponent 2      that is -125 * 10^2
//   1.0, 10e-1 -> digits "1", exponent 0                  one number, one form: no zeros at either end of the digits
//
// Pure, no allocation. Limits: 32 digits, as many as one number of a peer may have (base/limits.h); further ones count as zeros.
// Why not double: 9007199254740993 and 0.0075 / 0.0001 are ordinary in contracts, and a bound that rounds lets through what it
// excludes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

namespace tidewire::policy {

class Decimal {
 public:
  static constexpr std::size_t kDigitsMax = 32;

  // REQUIRES: `number` is a JSON number.
  static Decimal parse(std::string_view number) noexcept;

  bool is_zero() const noexcept { return digit_count_ == 0; }
  bool is_negative() const noexcept { return negative_; }
  bool is_integer() const noexcept { return exponent_ >= 0; }
  // Whether this divided by `divisor` is an integer. REQUIRES: !divisor.is_zero()
  bool is_multiple_of(const Decimal& divisor) const noexcept;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) noexcept;
  friend bool operator==(const Decimal& a, const Decimal& b) noexcept { return (a <=> b) == 0; }

 private:
  std::string_view digits() const noexcept { return {digits_.data(), digit_count_}; }

  std::array<char, kDigitsMax> digits_{};
  std::int64_t exponent_ = 0;
  std::uint8_t digit_count_ = 0;  // 0: zero
  bool negative_ = false;
};

}  // namespace tidewire::policy
