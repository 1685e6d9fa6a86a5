#include "policy/decimal.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidewire::policy {
namespace {

Decimal d(std::string_view text) { return Decimal::parse(text); }

TEST(Decimal, IsOneFormOfOneNumber) {
  for (const std::string_view one : {"1", "1.0", "10e-1", "0.1e1", "1.000E+0", "0.0001e4", "1e0", "1e-0"}) EXPECT_EQ(d(one), d("1")) << one;
  for (const std::string_view zero : {"0", "-0", "0.0", "0e99", "-0.000e-5"}) EXPECT_TRUE(d(zero).is_zero() && d(zero) == d("0")) << zero;
  EXPECT_FALSE(d("-0").is_negative());
  EXPECT_TRUE(d("-0.1").is_negative());
}

TEST(Decimal, OrdersNumbers) {
  const std::string_view sorted[] = {"-1e999999999999999", "-1e400", "-12.5", "-12",   "-1",  "-0.5", "-1e-400", "0",     "1e-400",
                                     "0.0999",             "0.1",    "0.11",  "0.9e0", "1",   "1.01", "2",       "10",    "11.5",
                                     "9007199254740992",   "9007199254740993", "12345678901234567890123456789011",
                                     "12345678901234567890123456789012",       "1e400", "1.5e400", "9e99999999999999999999"};
  for (std::size_t i = 0; i < std::size(sorted); ++i) {
    for (std::size_t j = 0; j < std::size(sorted); ++j) EXPECT_EQ(d(sorted[i]) <=> d(sorted[j]), i <=> j) << sorted[i] << ' ' << sorted[j];
  }
}

TEST(Decimal, KnowsIntegers) {
  for (const std::string_view integer : {"0", "-0.0", "7", "1.0", "12.5e1", "1e400", "-100"}) EXPECT_TRUE(d(integer).is_integer()) << integer;
  for (const std::string_view fraction : {"0.5", "1e-1", "12.5", "-1.25e1", "1e-400"}) EXPECT_FALSE(d(fraction).is_integer()) << fraction;
}

TEST(Decimal, DividesExactly) {
  const auto multiple = [](std::string_view a, std::string_view b) { return d(a).is_multiple_of(d(b)); };
  EXPECT_TRUE(multiple("0", "3"));
  EXPECT_TRUE(multiple("0.0075", "0.0001"));
  EXPECT_FALSE(multiple("0.00751", "0.0001"));
  EXPECT_TRUE(multiple("4.5", "1.5"));
  EXPECT_FALSE(multiple("35", "1.5"));
  EXPECT_TRUE(multiple("-9", "3"));
  EXPECT_FALSE(multiple("1e400", "7e399"));
  EXPECT_TRUE(multiple("7e400", "7e-400"));
  EXPECT_TRUE(multiple("1e30", "1024"));
  EXPECT_FALSE(multiple("1e101", "5070602400912917605986812821504"));  // 2^102
  EXPECT_TRUE(multiple("1e102", "5070602400912917605986812821504"));
  EXPECT_FALSE(multiple("12345678901234567890123456789012", "12345678901234567890123456789011"));
  EXPECT_TRUE(multiple("12345678901234567890123456789012", "12345678901234567890123456789012"));
  EXPECT_FALSE(multiple("1", "3"));
  for (int a = -60; a <= 60; ++a) {
    for (int b = 1; b <= 60; ++b) {
      EXPECT_EQ(multiple(std::to_string(a) + "e-2", std::to_string(b) + "e-2"), a % b == 0) << a << ' ' << b;
    }
  }
}

TEST(Decimal, CountsDigitsBehindTheLimitAsZeros) {
  EXPECT_EQ(d("1" + std::string(31, '2') + "9"), d("1" + std::string(31, '2') + "0"));
  EXPECT_GT(d("1" + std::string(32, '2')), d("1" + std::string(31, '2')));
}

}  // namespace
}  // namespace tidewire::policy
