// Published keys: fetched once for all who wait, kept when their server is gone, forgotten in the end.
#include "server/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "auth/test_tokens.h"
#include "outbound/test_fetcher.h"
#include "outbound/test_log.h"

namespace tidewire::server {
namespace {

using auth::TokenError;
using outbound::TestFetcher;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kDayMs = 24 * 3'600'000;

// A key pair of its own for each name.
struct Signer {
  explicit Signer(std::string name) : kid(std::move(name)) {
    const auth::EvpPkeyPtr pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(pair.get(), raw.data(), &size), 1);
    const std::string_view bytes(reinterpret_cast<const char*>(raw.data()), raw.size());
    jwk = R"({"kty":"OKP","crv":"Ed25519","kid":")" + kid + R"(","x":")" + base::base64url_encode(bytes) + R"("})";
    key = auth::Key::from_pem(auth::pem_of(pair.get()).private_key, {.kid = kid, .algorithms = {}}).value();
  }
  std::string token(std::int64_t exp_s) const {
    return auth::sign(Value::object({{"iss", "remote"}, {"sub", "ada"}, {"exp", exp_s}}), *key, auth::Algorithm::kEdDsa).value();
  }
  std::string kid;
  std::string jwk;
  std::optional<auth::Key> key;
};

std::string set_of(std::initializer_list<const Signer*> signers) {
  std::string json;
  for (const Signer* signer : signers) json += (json.empty() ? "" : ",") + signer->jwk;
  return "{\"keys\":[" + json + "]}";
}

class PublishedKeys : public ::testing::Test {
 protected:
  PublishedKeys() { ring.emplace(issuers(), fetcher, log); }
  static Issuers issuers() {
    auth::Issuer issuer;
    issuer.name = "remote";
    return {{issuer}, {{0, "https://keys.example/set", {}, 2 * kDayMs}}};
  }
  // What becomes of a token; nothing while it waits.
  std::shared_ptr<std::optional<TokenError>> ask(const Signer& signer) {
    auto outcome = std::make_shared<std::optional<TokenError>>();
    ring->verify(signer.token(fetcher.unix_ms() / 1'000 + 3'600), [outcome](auth::Verdict verdict) { *outcome = verdict.error; });
    return outcome;
  }
  TestFetcher fetcher;
  outbound::TestLog log;
  std::optional<KeyRing> ring;
  const Signer a{"a"}, b{"b"}, stranger{"s"};
};

TEST_F(PublishedKeys, AreFetchedAtStartWhileTokensWait) {
  ring->start();
  const auto first = ask(a);
  const auto second = ask(stranger);
  EXPECT_EQ(*first, std::nullopt);
  ASSERT_EQ(fetcher.sent().size(), 1u);
  EXPECT_EQ(fetcher.sent()[0].url, "https://keys.example/set");
  fetcher.answer(200, set_of({&a, &b}));
  EXPECT_EQ(*first, TokenError::kOk);
  EXPECT_EQ(*second, TokenError::kUnknownKey);
  EXPECT_EQ(*ask(b), TokenError::kOk);  // at once
}

TEST_F(PublishedKeys, ThatAreNewCostOneFetchInTenSecondsHoweverManyAsk) {
  ring->start();
  fetcher.answer(200, set_of({&a}));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(*ask(b), TokenError::kUnknownKey);  // it is too early to ask again
  EXPECT_EQ(fetcher.sent().size(), 1u);
  fetcher.run_for(kRefreshPauseMs);
  std::vector<std::shared_ptr<std::optional<TokenError>>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(ask(b));
  EXPECT_EQ(fetcher.sent().size(), 2u);
  fetcher.answer(200, set_of({&a, &b}));
  for (const auto& outcome : waiting) EXPECT_EQ(*outcome, TokenError::kOk);
  EXPECT_EQ(*ask(a), TokenError::kOk);
}

TEST_F(PublishedKeys, AreWaitedForByABoundedNumber) {
  ring->start();
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < kTokensWaitingMax + 10; ++i) waiting += ask(a)->has_value() ? 0 : 1;
  EXPECT_EQ(waiting, kTokensWaitingMax);
  EXPECT_EQ(ring->statistics().waiting, kTokensWaitingMax);
  fetcher.answer(200, set_of({&a}));
  EXPECT_EQ(ring->statistics().waiting, 0u);
}

TEST_F(PublishedKeys, StayForADayWithoutTheirServerAndThenGo) {
  ring->start();
  fetcher.answer(200, set_of({&a}));
  fetcher.run_for(kDayMs - 60'000);
  static_cast<void>(ask(stranger));
  fetcher.fail(outbound::FetchError::kConnect);
  EXPECT_EQ(*ask(a), TokenError::kOk);
  fetcher.run_for(120'000);
  const auto late = ask(stranger);
  fetcher.answer(500);
  EXPECT_EQ(*late, TokenError::kUnknownKey);
  const auto gone = ask(a);
  EXPECT_TRUE(!gone->has_value() || *gone == TokenError::kUnknownKey);
  EXPECT_EQ(ring->statistics().failed_fetches, 2u);
}

TEST_F(PublishedKeys, AreKeptWhenTheAnswerIsNoKeySet) {
  ring->start();
  fetcher.answer(200, set_of({&a}));
  for (const std::string body : {"", "[]", "{\"keys\":[]}", "<html>", R"({"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"s"}]})"}) {
    fetcher.run_for(kRefreshPauseMs);
    const auto outcome = ask(stranger);
    fetcher.answer(200, body);
    EXPECT_EQ(*outcome, TokenError::kUnknownKey) << body;
    EXPECT_EQ(*ask(a), TokenError::kOk) << body;
  }
}

TEST_F(PublishedKeys, AreReadAgainNowAndThen) {
  ring->start();
  fetcher.answer(200, set_of({&a}));
  fetcher.run_for(2 * kDayMs + 1'000);
  ASSERT_EQ(fetcher.unanswered(), 1u);
  fetcher.answer(200, set_of({&b}));
  EXPECT_EQ(*ask(b), TokenError::kOk);
}

TEST_F(PublishedKeys, OfOtherIssuersTakeTheirPlace) {
  ring->start();
  const auto waiting = ask(a);
  auto key = auth::test_key(auth::Algorithm::kHs256);
  auth::Issuer local;
  local.keys = auth::KeySet::of({key}).value();
  ring->replace({{local}, {}});
  EXPECT_TRUE(waiting->has_value());  // judged by what is in force now
  EXPECT_NE(*waiting, TokenError::kOk);
  fetcher.answer(200, set_of({&a}));  // an answer to nobody
  std::optional<TokenError> outcome;
  const std::string token = auth::sign(Value::object({{"sub", "ada"}, {"exp", fetcher.unix_ms() / 1'000 + 60}}), key, auth::Algorithm::kHs256).value();
  ring->verify(token, [&](auth::Verdict verdict) { outcome = verdict.error; });
  EXPECT_EQ(outcome, TokenError::kOk);
}

TEST_F(PublishedKeys, StandBesideThoseOfTheConfiguration) {
  Issuers both = issuers();
  both.issuers[0].keys = auth::KeySet::of({*b.key}).value();
  ring->replace(both);
  EXPECT_EQ(*ask(b), TokenError::kOk);
  const Signer impostor{"b"};
  fetcher.answer(200, set_of({&a, &impostor}));
  EXPECT_EQ(*ask(a), TokenError::kOk);
  EXPECT_EQ(*ask(b), TokenError::kOk) << "what the configuration says is not replaced";
  EXPECT_NE(*ask(impostor), TokenError::kOk);
  fetcher.run_for(2 * kDayMs + 1'000);  // asked once more, in vain, and for too long
  fetcher.fail(outbound::FetchError::kConnect);
  EXPECT_EQ(*ask(b), TokenError::kOk);
}

TEST_F(PublishedKeys, HaveOneTimerHoweverOftenTheyAreFetched) {
  ring->start();
  fetcher.answer(200, set_of({&a}));
  const std::size_t timers = fetcher.timers();
  for (int i = 0; i < 20; ++i) {
    fetcher.run_for(kRefreshPauseMs);
    static_cast<void>(ask(stranger));
    fetcher.answer(200, set_of({&a}));
  }
  EXPECT_EQ(fetcher.timers(), timers);
}

TEST_F(PublishedKeys, StayWhenTheConfigurationIsReadAgain) {
  ring->start();
  fetcher.answer(200, set_of({&a}));
  Issuers others = issuers();
  auth::Issuer local;
  local.keys = auth::KeySet::of({auth::test_key(auth::Algorithm::kHs256)}).value();
  others.issuers.insert(others.issuers.begin(), local);
  others.remote[0].issuer = 1;
  ring->replace(std::move(others));
  EXPECT_EQ(*ask(a), TokenError::kOk);
  fetcher.fail(outbound::FetchError::kConnect);
  EXPECT_EQ(*ask(a), TokenError::kOk);
  Issuers elsewhere = issuers();
  elsewhere.remote[0].url = "https://keys.example/other";
  ring->replace(std::move(elsewhere));
  EXPECT_EQ(*ask(a), std::nullopt) << "keys of another address are not known yet";
}

TEST_F(PublishedKeys, AnswerWhoWaitsWhenTheRingEnds) {
  ring->start();
  const auto waiting = ask(a);
  ring.reset();
  EXPECT_EQ(*waiting, TokenError::kUnknownKey);
  fetcher.answer(200, set_of({&a}));  // nobody is there any more
}

TEST(KeyRing, WithoutAnIssuerBelievesNobody) {
  TestFetcher fetcher;
  outbound::TestLog log;
  KeyRing ring({}, fetcher, log);
  ring.start();
  std::optional<TokenError> outcome;
  ring.verify("a.b.c", [&](auth::Verdict verdict) { outcome = verdict.error; });
  EXPECT_EQ(outcome, TokenError::kWrongIssuer);
  EXPECT_THAT(fetcher.sent(), IsEmpty());
}

}  // namespace
}  // namespace tidewire::server
