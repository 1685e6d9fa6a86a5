// What it costs to believe a token, and to refuse a forged one.
#include <benchmark/benchmark.h>

#include "auth/test_tokens.h"
#include "auth/verifier.h"

namespace tidewire::auth {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

std::string token_of(Algorithm algorithm) {
  const Value claims = Value::object({{"sub", "0f8fad5b-d9cb-469f-a165-70867728950e"},
                                      {"iss", "https://issuer.example"},
                                      {"aud", "tidewire"},
                                      {"iat", kNow - 10},
                                      {"exp", kNow + 600},
                                      {"roles", Value::array({"user", "editor"})}});
  return *sign(claims, test_key(algorithm, "k"), algorithm);
}

Verifier verifier_of(Algorithm algorithm) {
  Issuer issuer;
  issuer.name = "https://issuer.example";
  issuer.audiences = {"tidewire"};
  issuer.keys = *KeySet::of({test_key(algorithm, "k")});
  return *Verifier::of({std::move(issuer)});
}

void verify(benchmark::State& state, Algorithm algorithm) {
  const Verifier verifier = verifier_of(algorithm);
  const std::string token = token_of(algorithm);
  for (auto _ : state) {
    if (!verifier.verify(token, kNow).ok()) return state.SkipWithError("refused");
  }
}
BENCHMARK_CAPTURE(verify, HS256, Algorithm::kHs256);
BENCHMARK_CAPTURE(verify, RS256, Algorithm::kRs256);
BENCHMARK_CAPTURE(verify, PS256, Algorithm::kPs256);
BENCHMARK_CAPTURE(verify, ES256, Algorithm::kEs256);
BENCHMARK_CAPTURE(verify, ES384, Algorithm::kEs384);
BENCHMARK_CAPTURE(verify, ES512, Algorithm::kEs512);
BENCHMARK_CAPTURE(verify, EdDSA, Algorithm::kEdDsa);

void parse(benchmark::State& state) {
  const std::string text = token_of(Algorithm::kEs256);
  for (auto _ : state) {
    Token token;
    benchmark::DoNotOptimize(parse_token(text, token));
  }
}
BENCHMARK(parse);

void refuse_unknown_kid(benchmark::State& state) {
  const Verifier verifier =
      verifier_of(Algorithm::kEs256).with_keys(0, *KeySet::of({test_key(Algorithm::kEs256, "other")}));
  const std::string token = token_of(Algorithm::kEs256);
  for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(token, kNow));
}
BENCHMARK(refuse_unknown_kid);

}  // namespace
}  // namespace tidewire::auth
