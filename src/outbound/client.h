// outbound/client.h - the HTTP client of the server: one service thread with a libcurl multi handle.
//
//   any thread --fetch()--> [ inbox, under a mutex ] --> waiting, in order --> in flight --> callback
//                                                           |  its time is over: kTimeout
//
// A shard never waits for a back end: fetch() is a move under a mutex and one wake-up.
// Threads: see outbound/fetcher.h. After start, `waiting_`, `timers_` and the transfers belong to the service thread.
// Limits: in_flight_max, waiting_max (beyond: kOverloaded, at once), kTasksMax. What waits is charged to its own timeout, so that a
// hanging back end delays no other answer beyond that one's time.
// The end: the destructor cancels what waits and what is under way (kCancelled), destroys timers unrun, and joins; this takes no
// longer than the callback that is running. It must not be called by a callback.
// Why libcurl and not our reactor: names, TLS, proxies and broken servers are solved there, and none of it is on the hot path.
// Why not curl_easy_perform on a pool of threads: one dead back end would hold all of them.
#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "outbound/fetcher.h"
#include "outbound/transfer.h"
#include "outbound/url_check.h"

namespace tidewire::outbound {

struct ClientOptions {
  std::size_t in_flight_max = 64;
  std::size_t waiting_max = 4'096;
  std::string ca_file = {};             // PEM; empty: the system's
  bool allow_http = false;              // plain http to other machines, too
  bool proxy_from_environment = false;  // https_proxy and the like
};

class Client final : public Fetcher {
 public:
  // Starts the thread.
  explicit Client(ClientOptions options);
  ~Client() override;

  void fetch(Request request, Done done) override;
  void after(base::Milliseconds delay_ms, Task task) override;
  base::Milliseconds now_ms() const noexcept override;
  std::int64_t unix_ms() const noexcept override;

 private:
  struct Waiting {
    Request request;
    Done done;
    base::Milliseconds start_ms;
  };
  struct DueTask {
    base::Milliseconds due_ms;
    Task task;
  };

  // On any thread. kNone if the request may wait.
  Response admit(const Request& request);

  // On the service thread.
  void run();
  void take_inbox();
  void run_due_tasks();
  void expire_waiting();
  void start_waiting();
  void start(Waiting waiting);
  void finish_transfers();
  void finish(CURL* handle, CURLcode code);
  int poll_timeout_ms() const;
  void cancel_all();

  // Immutable after construction
  const ClientOptions options_;
  const TransferRules rules_;
  CURLM* const multi_;

  // Guarded by mutex_
  std::mutex mutex_;
  std::vector<Waiting> inbox_;
  std::vector<DueTask> inbox_tasks_;
  std::size_t waiting_count_ = 0;  // accepted, not yet in flight
  std::size_t task_count_ = 0;     // not yet run
  bool stopping_ = false;

  // Service thread
  std::map<std::uint64_t, Waiting> waiting_;  // in the order of arrival
  std::set<std::pair<base::Milliseconds, std::uint64_t>> deadlines_;  // of waiting_
  std::uint64_t next_waiting_ = 0;
  std::multimap<base::Milliseconds, Task> timers_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tidewire::outbound
