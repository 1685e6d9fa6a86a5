#include "server/log_thread.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "server/log_limit.h"
#include "server/log_queue.h"
#include "tidewire/value.h"

namespace tidewire::server {
namespace {

using base::LogLevel;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kStartUs = 1'769'860'800'000'000;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) {
      ADD_FAILURE() << "the last line has no end";
      break;
    }
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::unique_ptr<LogThread> started(LogOptions options) {
  Result<std::unique_ptr<LogThread>> log = LogThread::start(std::move(options));
  EXPECT_TRUE(log.ok()) << log.status().message();
  return std::move(*log);
}

// A log that writes to a file without a name, at a time that stands still.
class Log : public testing::Test {
 protected:
  ~Log() override {
    log.reset();
    std::fclose(stream);
  }
  void start(LogOptions options = {}) {
    options.stream = stream;
    options.now_us = [this] { return now_us.load(); };
    log = started(std::move(options));
  }
  std::string output() const {
    std::string text;
    char piece[65'536];
    for (ssize_t got; (got = pread(fileno(stream), piece, sizeof piece, static_cast<off_t>(text.size()))) > 0;) {
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }
  std::vector<std::string> lines() const {
    EXPECT_TRUE(log == nullptr || log->flush());
    return split(output());
  }
  static std::FILE* unbuffered(std::FILE* file) {
    std::setvbuf(file, nullptr, _IONBF, 0);
    return file;
  }

  std::atomic<std::int64_t> now_us{kStartUs};
  std::FILE* stream = unbuffered(std::tmpfile());
  std::unique_ptr<LogThread> log;
};

// A pipe that holds little and that nobody reads until read_lines().
class Pipe {
 public:
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_GE(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
    reader_ = ends[0];
    stream_ = fdopen(ends[1], "w");
    std::setvbuf(stream_, nullptr, _IONBF, 0);
  }
  ~Pipe() {
    std::fclose(stream_);
    close_reader();
  }
  std::FILE* stream() const { return stream_; }
  void close_reader() {
    if (reader_ >= 0) close(reader_);
    reader_ = -1;
  }
  // Reads up to the line for which last(line).
  template <typename Last>
  std::vector<std::string> read_lines(Last&& last) {
    std::vector<std::string> lines;
    std::string line;
    for (char c; read(reader_, &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
        continue;
      }
      lines.push_back(std::exchange(line, {}));
      if (last(lines.back())) break;
    }
    return lines;
  }

 private:
  int reader_ = -1;
  std::FILE* stream_ = nullptr;
};

TEST_F(Log, WritesJsonWhereNobodyLooks) {
  start();
  log->write(LogLevel::kInfo, "listening", {{"address", "127.0.0.1:4000"}});
  log->write(LogLevel::kError, "failed", {});
  EXPECT_THAT(lines(), ElementsAre(R"({"time":"2026-01-31T12:00:00.000Z","level":"info","message":"listening","address":"127.0.0.1:4000"})",
                                   R"({"time":"2026-01-31T12:00:00.000Z","level":"error","message":"failed"})"));
}

TEST_F(Log, WritesTextWhenToldTo) {
  start({.format = LogFormat::kHuman});
  log->write(LogLevel::kWarn, "slow", {{"ms", "7"}});
  EXPECT_THAT(lines(), ElementsAre("2026-01-31T12:00:00.000Z warn  slow ms=7"));
}

TEST(LogOnATerminal, IsTextInColours) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_TRUE(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
  std::FILE* const stream = fopen(ptsname(terminal), "w");
  ASSERT_NE(stream, nullptr);
  std::setvbuf(stream, nullptr, _IONBF, 0);
  {
    const auto log = started({.stream = stream, .now_us = [] { return kStartUs; }});
    log->write(LogLevel::kInfo, "here", {{"text", "\x1b[31m"}});
  }
  char text[256] = {};
  ASSERT_GT(read(terminal, text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "2026-01-31T12:00:00.000Z \x1b[32minfo\x1b[0m  here text=\"\\u001b[31m\"\r\n");
  {
    const auto log = started({.format = LogFormat::kJson, .stream = stream, .now_us = [] { return kStartUs; }});
    log->write(LogLevel::kInfo, "here", {});
  }
  const ssize_t got = read(terminal, text, sizeof text - 1);
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(got)), "{\"time\":\"2026-01-31T12:00:00.000Z\",\"level\":\"info\",\"message\":\"here\"}\r\n");
  std::fclose(stream);
  close(terminal);
}

TEST_F(Log, WritesFromItsLevelUpAndTheLevelMayChange) {
  start({.level = LogLevel::kWarn, .format = LogFormat::kHuman});
  EXPECT_FALSE(log->enabled(LogLevel::kInfo));
  EXPECT_TRUE(log->enabled(LogLevel::kWarn));
  log->write(LogLevel::kInfo, "one", {});
  log->write(LogLevel::kWarn, "two", {});
  log->set_level(LogLevel::kTrace);
  log->write(LogLevel::kTrace, "three", {});
  log->write(LogLevel::kOff, "never", {});
  log->set_level(LogLevel::kOff);
  EXPECT_FALSE(log->enabled(LogLevel::kError));
  log->write(LogLevel::kError, "four", {});
  EXPECT_THAT(lines(), ElementsAre(HasSubstr(" two"), HasSubstr(" three")));
}

TEST_F(Log, MakesOneLineOfAnything) {
  start({.lines_per_second = 0});
  const std::vector<std::string> values = {"\n{\"level\":\"info\",\"message\":\"forged\"}", "\x1b[2J", "\xff\xfe\xed\xa0\x80", std::string("a\0b", 3),
                                           std::string(1'000'000, 'v'), std::string(1'000'000, '\n'), std::string(1'000'000, '\xe2'), "\"},{\""};
  for (const std::string& value : values) log->write(LogLevel::kInfo, value, {{"value", value}, {value, value}});
  const std::vector<std::string> written = lines();
  ASSERT_EQ(written.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Result<Value> line = Value::parse(written[i]);
    ASSERT_TRUE(line.ok()) << written[i];
    EXPECT_EQ(line.value()["level"].as_string(), "info");
    EXPECT_EQ(line.value().size(), 5u);
    EXPECT_LE(written[i].size(), 8'192u);
  }
  EXPECT_EQ(Value::parse(written[0])->operator[]("value").as_string(), values[0]);
  EXPECT_EQ(Value::parse(written[4])->operator[]("value").as_string(), std::string(LogQueue::kValueBytesMax, 'v'));
}

TEST_F(Log, HidesSecrets) {
  start();
  log->write(LogLevel::kInfo, "refused", {{"target", "/ws?token=hunter2&room=a"}, {"token", "hunter2"}, {"header", "Authorization: Bearer hunter2"}});
  EXPECT_EQ(lines().size(), 1u);
  EXPECT_THAT(output(), testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(output(), HasSubstr("/ws?token=***&room=a"));
}

TEST_F(Log, SaysHowManyMoreOfAKindThereWere) {
  start({.format = LogFormat::kHuman, .lines_per_second = 3});
  for (int i = 0; i < 10; ++i) log->write(LogLevel::kInfo, "again", {{"n", std::to_string(i)}});
  log->write(LogLevel::kInfo, "other", {});
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("again n=0"), HasSubstr("again n=1"), HasSubstr("again n=2"), HasSubstr("other")));
  now_us += LogLimit::kSecondUs;
  log->write(LogLevel::kInfo, "again", {{"n", "10"}});
  const std::vector<std::string> written = lines();
  ASSERT_EQ(written.size(), 6u);
  EXPECT_EQ(written[4], "2026-01-31T12:00:01.000Z info  again suppressed=7");
  EXPECT_EQ(written[5], "2026-01-31T12:00:01.000Z info  again n=10");
  EXPECT_EQ(log->statistics().suppressed, 7u);
  EXPECT_EQ(log->statistics().written, 5u);
}

TEST_F(Log, SaysSoEvenIfNothingFollows) {
  start({.format = LogFormat::kHuman, .lines_per_second = 1});
  log->write(LogLevel::kInfo, "again", {});
  log->write(LogLevel::kInfo, "again", {});
  EXPECT_EQ(lines().size(), 1u);
  now_us += LogLimit::kSecondUs;
  while (lines().size() < 2) std::this_thread::yield();
  EXPECT_THAT(lines()[1], HasSubstr("again suppressed=1"));
}

TEST_F(Log, SaysSoAtTheEnd) {
  start({.format = LogFormat::kHuman, .lines_per_second = 1});
  log->write(LogLevel::kInfo, "again", {});
  log->write(LogLevel::kInfo, "again", {});
  log.reset();
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("again"), HasSubstr("again suppressed=1")));
}

TEST_F(Log, WritesWhatIsLeftAtTheEnd) {
  start({.lines_per_second = 0});
  for (int i = 0; i < 1'000; ++i) log->write(LogLevel::kInfo, "line", {});
  log.reset();
  EXPECT_EQ(lines().size(), 1'000u);
}

TEST_F(Log, LosesNoLineOfManyThreadsUnlessItSaysSo) {
  constexpr int kThreads = 8;
  constexpr int kLines = 10'000;
  start({.lines_per_second = 0});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < kLines; ++i) log->write(LogLevel::kInfo, "line\n", {{"thread", std::to_string(thread)}, {"n", std::to_string(i)}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (!log->flush()) {
  }
  std::uint64_t written = 0;
  std::uint64_t dropped = 0;
  std::map<std::string, int> last;
  for (const std::string& text : lines()) {
    const Result<Value> line = Value::parse(text);
    ASSERT_TRUE(line.ok()) << text;
    if (line.value()["message"].as_string() == "log lines dropped") {
      dropped += std::stoull(std::string(*line.value()["count"].as_string()));
      continue;
    }
    ++written;
    const int n = std::stoi(std::string(*line.value()["n"].as_string())) + 1;
    int& before = last[std::string(*line.value()["thread"].as_string())];
    ASSERT_LT(before, n) << "out of order";
    before = n;
  }
  EXPECT_EQ(written + dropped, std::uint64_t{kThreads} * kLines);
  EXPECT_EQ(log->statistics().written, written);
  EXPECT_EQ(log->statistics().dropped, dropped);
}

TEST(LogThatNobodyReads, DropsAndCountsAndDoesNotBlock) {
  constexpr std::uint64_t kSent = 20'000;
  Pipe pipe;
  const auto log = started({.format = LogFormat::kHuman, .lines_per_second = 0, .stream = pipe.stream()});
  for (std::uint64_t i = 0; i < kSent; ++i) log->write(LogLevel::kInfo, "line", {{"n", std::to_string(i)}});
  EXPECT_GT(log->statistics().dropped, 0u);
  EXPECT_FALSE(log->flush());
  log->write(LogLevel::kError, "an error finds room", {});
  const std::uint64_t dropped = log->statistics().dropped;
  std::uint64_t told = 0;
  std::uint64_t written = 0;
  bool error_seen = false;
  pipe.read_lines([&](const std::string& line) {
    constexpr std::string_view kDropped = "log lines dropped count=";
    const std::size_t count = line.find(kDropped);
    if (count != std::string::npos) {
      told += std::stoull(line.substr(count + kDropped.size()));
    } else {
      ++written;
    }
    error_seen = error_seen || line.ends_with("an error finds room");
    return error_seen && told == dropped;
  });
  EXPECT_TRUE(log->flush());
  EXPECT_EQ(log->statistics().dropped, dropped);
  EXPECT_EQ(written + dropped, kSent + 1);
}

TEST(LogThatNobodyReads, DoesNotHoldUpTheEnd) {
  static Pipe& pipe = *new Pipe;  // outlives the thread that stays behind
  auto log = started({.format = LogFormat::kHuman, .lines_per_second = 0, .stream = pipe.stream()});
  for (int i = 0; i < 1'000; ++i) log->write(LogLevel::kInfo, "line", {});
  log->write(LogLevel::kInfo, "last", {});
  log.reset();
  EXPECT_EQ(pipe.read_lines([](const std::string& line) { return line.ends_with("last"); }).size(), 1'001u);
}

TEST(LogWhoseReaderIsGone, CountsWhatFailed) {
  Pipe pipe;
  pipe.close_reader();
  const auto log = started({.stream = pipe.stream()});
  log->write(LogLevel::kInfo, "one", {});
  log->write(LogLevel::kInfo, "two", {});
  EXPECT_TRUE(log->flush());
  EXPECT_EQ(log->statistics().failed, 2u);
  EXPECT_EQ(log->statistics().written, 0u);
}

// Another process may have made our stderr one that does not block.
TEST(LogWhoseReaderIsSlow, BeginsANewLineBehindHalfOfOne) {
  Pipe pipe;
  ASSERT_EQ(fcntl(fileno(pipe.stream()), F_SETFL, O_WRONLY | O_NONBLOCK), 0);
  ASSERT_EQ(fcntl(fileno(pipe.stream()), F_SETPIPE_SZ, 8'192), 8'192);
  const auto log = started({.lines_per_second = 0, .stream = pipe.stream()});
  const std::string v(LogQueue::kValueBytesMax, 'v');
  for (int i = 0; i < 2; ++i) log->write(LogLevel::kInfo, "half of what the pipe holds, and a little more", {{"1", v}, {"2", v}, {"3", v}, {"4", v}, {"5", v}, {"6", v}, {"7", v}, {"8", v},
                                                           {"9", v}, {"10", v}, {"11", v}, {"12", v}, {"13", v}, {"14", v}, {"15", v}, {"16", v}});
  ASSERT_TRUE(log->flush());
  ASSERT_EQ(log->statistics().failed, 1u);
  log->write(LogLevel::kInfo, "last", {});
  ASSERT_TRUE(log->flush());
  const std::vector<std::string> lines = pipe.read_lines([](const std::string& line) { return line.find("last") != std::string::npos; });
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(Value::parse(lines.back()).ok()) << lines.back();
}

TEST(LogFile, IsAppendedTo) {
  const std::string path = testing::TempDir() + "tidewire_log_" + std::to_string(getpid());
  for (int i = 0; i < 2; ++i) started({.file = path, .now_us = [] { return kStartUs; }})->write(LogLevel::kInfo, "start", {});
  std::FILE* const file = fopen(path.c_str(), "r");
  ASSERT_NE(file, nullptr);
  char text[512] = {};
  std::ignore = fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  std::remove(path.c_str());
  const std::string line = "{\"time\":\"2026-01-31T12:00:00.000Z\",\"level\":\"info\",\"message\":\"start\"}\n";
  EXPECT_EQ(text, line + line);
}

TEST(LogFile, ThatCannotBeOpenedIsAnError) {
  const auto log = LogThread::start({.file = "/dev/null/log"});
  ASSERT_FALSE(log.ok());
  EXPECT_THAT(log.status().message(), HasSubstr("/dev/null/log"));
}

TEST(LogFile, ThatIsFullCostsTheLines) {
  const auto log = started({.file = "/dev/full"});
  log->write(LogLevel::kInfo, "one", {});
  log->write(LogLevel::kInfo, "two", {});
  EXPECT_TRUE(log->flush());
  EXPECT_EQ(log->statistics().failed, 2u);
}

}  // namespace
}  // namespace tidewire::server
