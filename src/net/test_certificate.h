// net/test_certificate.h - a certificate for tests, made when they run: nothing that expires lies in the repository.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "net/tls.h"

namespace tidewire::net {

// A fresh self-signed certificate with its key, in files that die with it.
class CertificateFiles {
 public:
  CertificateFiles() {
    EXPECT_NE(mkdtemp(folder_), nullptr);
    renew("localhost");
  }
  ~CertificateFiles() {
    unlink(certificate().c_str());
    unlink(key().c_str());
    rmdir(folder_);
  }
  std::string certificate() const { return std::string(folder_) + "/certificate.pem"; }
  std::string key() const { return std::string(folder_) + "/key.pem"; }
  TlsOptions options() const { return {.certificate_file = certificate(), .key_file = key()}; }

  void renew(const char* name) {
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, pair);
    X509_NAME* subject = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(made, subject);
    X509_sign(made, pair, EVP_sha256());
    write(certificate(), [&](FILE* file) { PEM_write_X509(file, made); });
    write(key(), [&](FILE* file) { PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(made);
    EVP_PKEY_free(pair);
  }

 private:
  template <typename Print>
  static void write(const std::string& path, Print&& print) {
    FILE* file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    print(file);
    std::fclose(file);
  }
  char folder_[32] = "/tmp/tidewire-tls-XXXXXX";
};

}  // namespace tidewire::net
