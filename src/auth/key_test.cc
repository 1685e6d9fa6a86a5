#include "auth/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <atomic>
#include <thread>
#include <vector>

#include "auth/test_tokens.h"

namespace tidewire::auth {
namespace {

using testing::HasSubstr;

std::string why(const Result<Key>& key) { return key.ok() ? "taken" : key.status().message(); }

std::string certificate_of(const std::string& private_pem) {
  const BioPtr in(BIO_new_mem_buf(private_pem.data(), static_cast<int>(private_pem.size())));
  const EvpPkeyPtr pkey(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const X509Ptr certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), -3600);  // over: whoever configured it says that it is good
  X509_set_pubkey(certificate.get(), pkey.get());
  TW_ASSERT(X509_sign(certificate.get(), pkey.get(), EVP_sha256()) > 0);
  const BioPtr out(BIO_new(BIO_s_mem()));
  TW_ASSERT(PEM_write_bio_X509(out.get(), certificate.get()) == 1);
  return written(out.get());
}

TEST(Key, VerifiesWhatItSigned) {
  for (const Algorithm algorithm : kAllAlgorithms) {
    const Key key = test_key(algorithm);
    const Result<std::string> signature = key.sign(algorithm, "text");
    ASSERT_TRUE(signature.ok()) << name(algorithm);
    EXPECT_TRUE(key.verify(algorithm, "text", *signature)) << name(algorithm);
    EXPECT_FALSE(key.verify(algorithm, "texT", *signature)) << name(algorithm);
    EXPECT_FALSE(key.verify(algorithm, "", *signature)) << name(algorithm);
    for (const Algorithm other : kAllAlgorithms) {
      if (other != algorithm) {
        EXPECT_FALSE(key.verify(other, "text", *signature)) << name(algorithm) << " as " << name(other);
      }
    }
  }
}

TEST(Key, AFlippedBitAtEachByteOfTheSignatureIsSeen) {
  for (const Algorithm algorithm : kAllAlgorithms) {
    const Key key = test_key(algorithm);
    std::string signature = *key.sign(algorithm, "text");
    for (std::size_t at = 0; at < signature.size(); ++at) {
      const char flip = static_cast<char>(1 << (at % 8));
      signature[at] ^= flip;
      EXPECT_FALSE(key.verify(algorithm, "text", signature)) << name(algorithm) << " at " << at;
      signature[at] ^= flip;
    }
    EXPECT_TRUE(key.verify(algorithm, "text", signature));
  }
}

TEST(Key, ASignatureOfAnotherLengthIsRefused) {
  for (const Algorithm algorithm : kAllAlgorithms) {
    const Key key = test_key(algorithm);
    const std::string signature = *key.sign(algorithm, "text");
    for (std::size_t size = 0; size < signature.size(); ++size) {
      EXPECT_FALSE(key.verify(algorithm, "text", signature.substr(0, size))) << name(algorithm) << " of " << size;
    }
    EXPECT_FALSE(key.verify(algorithm, "text", signature + '\0')) << name(algorithm);
    EXPECT_FALSE(key.verify(algorithm, "text", '\0' + signature)) << name(algorithm);
    EXPECT_FALSE(key.verify(algorithm, "text", signature + signature)) << name(algorithm);
  }
}

TEST(Key, EcdsaWithZeroForROrSIsRefused) {
  for (const auto& [algorithm, half] :
       {std::pair{Algorithm::kEs256, 32u}, {Algorithm::kEs384, 48u}, {Algorithm::kEs512, 66u}}) {
    const Key key = test_key(algorithm);
    const std::string good = *key.sign(algorithm, "text");
    ASSERT_EQ(good.size(), 2 * half);
    const std::string zero(half, '\0');
    const std::string one = zero.substr(1) + '\1';
    for (const std::string& bad : {zero + zero, zero + good.substr(half), good.substr(0, half) + zero, one + one,
                                   one + zero, std::string(2 * half, '\xff')}) {
      EXPECT_FALSE(key.verify(algorithm, "text", bad));
    }
  }
}

TEST(Key, IsReadFromPublicKeysPrivateKeysAndCertificates) {
  for (const char* kind : {"RSA-2048", "P-256", "P-384", "P-521", "ED25519"}) {
    const Result<Key> secret = Key::from_pem(test_pem(kind).private_key);
    const Result<Key> open = Key::from_pem(test_pem(kind).public_key, {.kid = "k"});
    ASSERT_TRUE(secret.ok() && open.ok()) << why(secret) << why(open);
    EXPECT_EQ(open->kid(), "k");
    EXPECT_EQ(open->algorithms(), secret->algorithms());
    for (const Algorithm algorithm : kAllAlgorithms) {
      EXPECT_FALSE(open->can_sign(algorithm));
      if (!open->algorithms().contains(algorithm)) continue;
      EXPECT_TRUE(open->verify(algorithm, "text", *secret->sign(algorithm, "text"))) << kind;
      EXPECT_FALSE(open->sign(algorithm, "text").ok());
    }
  }
  const Result<Key> certificate = Key::from_pem(certificate_of(test_pem("P-256").private_key));
  ASSERT_TRUE(certificate.ok()) << why(certificate);
  EXPECT_TRUE(certificate->verify(Algorithm::kEs256, "x", *test_key(Algorithm::kEs256).sign(Algorithm::kEs256, "x")));
  EXPECT_FALSE(certificate->can_sign(Algorithm::kEs256));
}

TEST(Key, ReadsTheOlderPemLabels) {
  const std::string& pem = test_pem("RSA-2048").private_key;
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const EvpPkeyPtr pkey(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const BioPtr traditional(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PrivateKey_traditional(traditional.get(), pkey.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  ASSERT_THAT(written(traditional.get()), HasSubstr("BEGIN RSA PRIVATE KEY"));
  EXPECT_TRUE(Key::from_pem(written(traditional.get())).ok());

  unsigned char* der = nullptr;
  const int size = i2d_PublicKey(pkey.get(), &der);
  const BioPtr pkcs1(BIO_new(BIO_s_mem()));
  ASSERT_GT(PEM_write_bio(pkcs1.get(), "RSA PUBLIC KEY", "", der, size), 0);
  OPENSSL_free(der);
  EXPECT_EQ(why(Key::from_pem(written(pkcs1.get()))), "taken");
}

TEST(Key, AllowsTheAlgorithmsOfItsKindUnlessToldOtherwise) {
  using enum Algorithm;
  EXPECT_EQ(Key::from_secret(kTestSecret)->algorithms(), (AlgorithmSet{kHs256, kHs384, kHs512}));
  EXPECT_EQ(Key::from_pem(test_pem("RSA-2048").public_key)->algorithms(), AlgorithmSet{kRs256});
  EXPECT_EQ(Key::from_pem(test_pem("P-384").public_key)->algorithms(), AlgorithmSet{kEs384});
  EXPECT_EQ(Key::from_pem(test_pem("ED25519").public_key)->algorithms(), AlgorithmSet{kEdDsa});
  EXPECT_TRUE(Key::from_pem(test_pem("RSA-2048").public_key, {.algorithms = {kRs512, kPs256}}).ok());
  EXPECT_THAT(why(Key::from_pem(test_pem("P-384").public_key, {.algorithms = {kEs256}})), HasSubstr("cannot do"));
  EXPECT_FALSE(Key::from_pem(test_pem("RSA-2048").public_key, {.algorithms = {kRs256, kHs256}}).ok());
  EXPECT_FALSE(Key::from_secret(kTestSecret, {.algorithms = {kRs256}}).ok());
}

TEST(Key, AKeyMarkedAsPssDoesNothingElse) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const EvpPkeyPtr pkey(made);
  const Result<Key> key = Key::from_pem(pem_of(pkey.get()).private_key);
  ASSERT_TRUE(key.ok()) << why(key);
  EXPECT_EQ(key->algorithms(), AlgorithmSet{Algorithm::kPs256});
  EXPECT_TRUE(key->verify(Algorithm::kPs256, "text", *key->sign(Algorithm::kPs256, "text")));
  EXPECT_FALSE(key->can_sign(Algorithm::kRs256));
}

TEST(Key, RefusesWeakAndForeignKeys) {
  EXPECT_THAT(why(Key::from_pem(test_pem("RSA-1024").public_key)), HasSubstr("1024 bits"));
  EXPECT_THAT(why(Key::from_pem(test_pem("RSA-1024").private_key)), HasSubstr("1024 bits"));
  EXPECT_THAT(why(Key::from_pem(test_pem("secp256k1").public_key)), HasSubstr("no token algorithm"));
  EXPECT_THAT(why(Key::from_pem(test_pem("ED448").public_key)), HasSubstr("no token algorithm"));
}

TEST(Key, RefusesWhatIsNoPemKey) {
  const std::string& good = test_pem("P-256").public_key;
  for (const std::string& bad : {std::string(), std::string("x"), good.substr(0, good.size() / 2), good.substr(30),
                                 std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
                                 std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                                 std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    EXPECT_THAT(why(Key::from_pem(bad)), HasSubstr("no PEM key")) << bad;
  }
  EXPECT_THAT(why(Key::from_pem(good + std::string(kPemBytesMax, ' '))), HasSubstr("64 KB"));
}

TEST(Key, AsksNobodyForAPassPhrase) {
  const std::string& pem = test_pem("P-256").private_key;
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const EvpPkeyPtr pkey(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const BioPtr out(BIO_new(BIO_s_mem()));
  unsigned char phrase[] = "phrase";
  ASSERT_EQ(PEM_write_bio_PrivateKey(out.get(), pkey.get(), EVP_aes_256_cbc(), phrase, 6, nullptr, nullptr), 1);
  EXPECT_THAT(why(Key::from_pem(written(out.get()))), HasSubstr("no PEM key"));
}

TEST(Key, SecretsHaveBoundsAndAreNoPem) {
  EXPECT_TRUE(Key::from_secret(std::string(kSecretBytesMin - 1, 's'))->secret_is_weak());
  EXPECT_FALSE(Key::from_secret(std::string(kSecretBytesMin, 's'))->secret_is_weak());
  EXPECT_FALSE(Key::from_pem(test_pem("ED25519").public_key)->secret_is_weak());
  EXPECT_FALSE(Key::from_secret("").ok());
  EXPECT_TRUE(Key::from_secret(std::string(kSecretBytesMax, 's')).ok());
  EXPECT_FALSE(Key::from_secret(std::string(kSecretBytesMax + 1, 's')).ok());
  EXPECT_THAT(why(Key::from_secret(test_pem("RSA-2048").public_key)), HasSubstr("PEM"));
  EXPECT_FALSE(
      Key::from_secret(std::string("\0\0", 2))
          ->verify(Algorithm::kHs256, "x", *Key::from_secret(std::string("\0\1", 2))->sign(Algorithm::kHs256, "x")));
}

TEST(Key, HasANameOfBoundedLength) {
  EXPECT_TRUE(Key::from_secret(kTestSecret, {.kid = std::string(kKeyIdBytesMax, 'k')}).ok());
  EXPECT_FALSE(Key::from_secret(kTestSecret, {.kid = std::string(kKeyIdBytesMax + 1, 'k')}).ok());
}

TEST(Key, LeavesOpensslsErrorQueueAsItWas) {
  ERR_clear_error();
  static_cast<void>(Key::from_pem("x").ok());
  static_cast<void>(Key::from_pem(test_pem("RSA-1024").public_key).ok());
  for (const Algorithm algorithm : kAllAlgorithms) {
    const Key key = test_key(algorithm);
    EXPECT_FALSE(key.verify(algorithm, "text", std::string(64, 'x')));
    EXPECT_FALSE(key.verify(algorithm, "text", std::string(256, 'x')));
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
  ERR_raise(ERR_LIB_USER, 1);  // of somebody else on this thread
  EXPECT_FALSE(test_key(Algorithm::kEs256).verify(Algorithm::kEs256, "text", std::string(64, 'x')));
  EXPECT_NE(ERR_peek_error(), 0u);
  ERR_clear_error();
}

TEST(Key, ServesSeveralThreadsAtOnce) {
  const Key key = test_key(Algorithm::kEs256);
  const std::string signature = *key.sign(Algorithm::kEs256, "text");
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([copy = key, &signature, &good] {
      for (int times = 0; times < 20; ++times) good += copy.verify(Algorithm::kEs256, "text", signature) ? 1 : 0;
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(good, 80);
}

}  // namespace
}  // namespace tidewire::auth
