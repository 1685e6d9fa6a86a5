// fuzz/replay.cc - runs a fuzz target over its corpus, as a unit test: fuzz_NAME FOLDER [--results FILE].
//
// Each corpus file counts as one case; a crash is the failure. An empty corpus fails: it would prove nothing.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s FOLDER [--results FILE]\n", argv[0]), 2;
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    // Exactly as large as the input, so that a sanitizer sees one byte too many.
    const std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++cases;
  }
  std::printf("%zu inputs replayed\n", cases);
  if (argc == 4 && std::strcmp(argv[2], "--results") == 0) {
    std::ofstream(argv[3]) << "{\"passed\": " << cases << ", \"failed\": " << (cases == 0 ? 1 : 0) << ", \"skipped\": 0}\n";
  }
  return cases == 0 ? 1 : 0;
}
