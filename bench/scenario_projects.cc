// People who edit test cases: every client says what it edits, its peers of the same project hear of it, stamped by the server.
//
//   before     40{"token":...}                          client i is user-i, of project i / room_members
//              42<id>["join-project",{"projectId":...}] the neighbour's first, which must be refused; then its own
//   an event   42["test-case-editing",{"testCaseId":"tc-<i>-<sequence>","field":"steps","value":"...","cursor":<n>}]
//   its peers  42["test-case-update",{the same,"userId":"user-<i>","userName":...,"userEmail":...,"timestamp":...}]
//
// Every delivery is judged: from a peer of the own project, the next one of that peer, byte for byte up to the time of day.
// options.rate: events per second of one client; all clients speak in turn, evenly spread.
#include <array>
#include <charconv>
#include <vector>

#include "scenario.h"

namespace tidewire::bench {
namespace {

constexpr std::string_view kUpdate = R"(42["test-case-update",{"testCaseId":"tc-)";
constexpr std::string_view kTime = "0000-00-00T00:00:00.000Z";  // a 0 stands for any digit
constexpr std::string_view kEnd = "\"}]";

bool ends_with_time(std::string_view tail) {
  if (tail.size() != kTime.size() + kEnd.size() || !tail.ends_with(kEnd)) return false;
  for (std::size_t i = 0; i < kTime.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (kTime[i] == '0' ? !digit : tail[i] != kTime[i]) return false;
  }
  return true;
}

// The members of one event, without braces: 150 bytes or a little less, no two alike.
std::string edit_of(std::size_t client, std::uint64_t sequence) {
  return R"("testCaseId":"tc-)" + std::to_string(client) + "-" + std::to_string(sequence) +
         R"(","field":"steps","value":"Open the settings, choose the second tab, save and look at the list","cursor":)" +
         std::to_string(sequence * 7 % 60);
}

std::string expected_up_to_time(std::size_t client, std::string_view edit) {
  const std::string user = "user-" + std::to_string(client);
  std::string text = R"(42["test-case-update",{)";
  text.append(edit);
  text += R"(,"userId":")" + user + R"(","userName":"User )" + std::to_string(client) + R"(","userEmail":")" + user;
  return text + R"(@example.org","timestamp":")";
}

class Projects final : public Driver {
 public:
  Projects(Fleet& fleet, Loop& loop, const LoadOptions& options)
      : fleet_(fleet), loop_(loop), members_(options.room_members),
        interval_(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(1 / (options.rate * static_cast<double>(fleet.size()))))),
        next_(fleet.size() * members_), sent_by_(fleet.size()), waiting_(fleet.size()) {}

  void start() override {
    fleet_.listen([this](Client& client, std::string_view text) { arrived(client, text); });
    due_ = Clock::now();
  }

  void turn_end() override {
    for (; !stopped_ && !loop_.failed() && Clock::now() >= due_; due_ += interval_) speak(speaker(turns_++));
  }

  Clock::time_point due() const override { return due_; }
  std::uint64_t done() const override { return delivered_; }
  std::uint64_t outstanding() const override { return sent_ * (members_ - 1) - delivered_; }

 private:
  static constexpr std::size_t kWaitingMax = 8;  // events of one client that not all peers have

  struct Waiting {
    std::string expected;
    std::size_t missing = 0;
  };

  // One project after the other, so that no two neighbours in time share a room.
  std::size_t speaker(std::uint64_t turn) const {
    const std::size_t projects = fleet_.size() / members_;
    return turn % projects * members_ + turn / projects % members_;
  }

  void speak(std::size_t index) {
    const std::uint64_t sequence = sent_by_[index]++;
    Waiting& waiting = waiting_[index][sequence % kWaitingMax];
    if (waiting.missing > 0) return loop_.fail("the server is several events behind");
    const std::string edit = edit_of(index, sequence);
    waiting = {expected_up_to_time(index, edit), members_ - 1};
    Client& client = fleet_[index];
    client.send_text(R"(42["test-case-editing",{)" + edit + "}]");
    client.flush();
    ++sent_;
  }

  void arrived(Client& client, std::string_view text) {
    if (!judge(client, text)) {
      loop_.fail("wrong delivery to client " + std::to_string(client.index) + ": " + std::string(text));
    }
  }

  bool judge(const Client& client, std::string_view text) {
    if (!text.starts_with(kUpdate)) return false;
    const char* const end = text.data() + text.size();
    std::size_t sender = 0;
    std::uint64_t sequence = 0;
    const auto [dash, wrong] = std::from_chars(text.data() + kUpdate.size(), end, sender);
    if (wrong != std::errc() || dash == end || std::from_chars(dash + 1, end, sequence).ec != std::errc()) return false;
    if (sender / members_ != client.index / members_ || sender == client.index) return false;
    std::uint64_t& next = next_[client.index * members_ + sender % members_];
    if (sequence != next++) return false;
    Waiting& waiting = waiting_[sender][sequence % kWaitingMax];
    if (waiting.missing == 0 || !text.starts_with(waiting.expected)) return false;
    if (!ends_with_time(text.substr(waiting.expected.size()))) return false;
    --waiting.missing;
    ++delivered_;
    return true;
  }

  Fleet& fleet_;
  Loop& loop_;
  const std::size_t members_;  // of a project
  const Clock::duration interval_;
  std::vector<std::uint64_t> next_;  // of each client, for each client of its project: the sequence it must hear next
  std::vector<std::uint64_t> sent_by_;
  std::vector<std::array<Waiting, kWaitingMax>> waiting_;
  std::uint64_t turns_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t delivered_ = 0;
  Clock::time_point due_;
};

// Every client asks for the next project, which is not its own, and for its own.
bool join_projects(Fleet& fleet, Loop& loop, std::size_t members) {
  const std::size_t projects = fleet.size() / members;
  std::size_t joined = 0;
  fleet.listen([&](Client& client, std::string_view text) {
    const std::string own = "p-" + std::to_string(client.index / members);
    const bool good = client.received++ == 0 ? text.starts_with(R"(430[{"ok":false,)")
                                             : text == R"(431[{"ok":true,"projectId":")" + own + R"("}])";
    if (!good) return loop.fail("a wrong answer to join-project: " + std::string(text));
    if (client.received == 2) ++joined;
  });
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    Client& client = fleet[i];
    for (const std::size_t project : {(i / members + 1) % projects, i / members}) {
      const std::string id = std::to_string(client.sent++);
      client.send_text("42" + id + R"(["join-project",{"projectId":"p-)" + std::to_string(project) + R"("}])");
    }
    client.flush();
  }
  while (joined < fleet.size()) {
    if (!loop.turn(Clock::time_point::max())) return false;
  }
  return true;
}

}  // namespace

Report run_projects(ClientContext& context, const LoadOptions& options) {
  Fleet fleet(context);
  if (!fleet.open_until(options.connections) || !join_projects(fleet, context.loop, options.room_members)) return {};
  Projects projects(fleet, context.loop, options);
  return measure(context.loop, projects, options);
}

}  // namespace tidewire::bench
