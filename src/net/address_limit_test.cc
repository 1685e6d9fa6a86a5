#include "net/address_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tidewire::net {
namespace {

Address at(const char* text) { return Address::parse_ip(text, 4711).value(); }

TEST(AddressLimit, RefusesWhatIsOverTheLimitUntilAPlaceIsGivenBack) {
  const auto limit = AddressLimit::make(2);
  AddressPlace first = limit->take(at("192.0.2.1"));
  const AddressPlace second = limit->take(at("192.0.2.1"));
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(limit->take(at("192.0.2.1")));
  EXPECT_TRUE(limit->take(at("192.0.2.2")));
  first.reset();
  EXPECT_TRUE(limit->take(at("192.0.2.1")));
}

TEST(AddressLimit, CountsAnIpv6SubscriberOnce) {
  const auto limit = AddressLimit::make(1);
  const AddressPlace first = limit->take(at("2001:db8:1:2::1"));
  EXPECT_FALSE(limit->take(at("2001:db8:1:2:ffff::9")));
  EXPECT_TRUE(limit->take(at("2001:db8:1:3::1")));
}

TEST(AddressLimit, DoesNotTakeIpv4AddressesForOneNetwork) {
  const auto limit = AddressLimit::make(1);
  const AddressPlace first = limit->take(at("192.0.2.1"));
  EXPECT_TRUE(limit->take(at("192.0.2.2")));
}

TEST(AddressLimit, ForgetsAddressesWithoutConnections) {
  const auto limit = AddressLimit::make(5);
  {
    std::vector<AddressPlace> places;
    for (int i = 0; i < 200; ++i) places.push_back(limit->take(at(("10.0.0." + std::to_string(i % 100)).c_str())));
    EXPECT_EQ(limit->size(), 100u);
    EXPECT_EQ(limit->open_from(at("10.0.0.7")), 2u);
  }
  EXPECT_EQ(limit->size(), 0u);
}

TEST(AddressLimit, IsExactOverThreads) {
  const auto limit = AddressLimit::make(100);
  std::vector<std::thread> threads;
  std::vector<std::vector<AddressPlace>> places(4);
  for (auto& mine : places) {
    threads.emplace_back([&limit, &mine] {
      for (int i = 0; i < 100; ++i) mine.push_back(limit->take(at("192.0.2.1")));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(limit->open_from(at("192.0.2.1")), 100u);
  places.clear();
  EXPECT_EQ(limit->size(), 0u);
}

}  // namespace
}  // namespace tidewire::net
