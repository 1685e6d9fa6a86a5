#include "server/key_ring.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace tidewire::server {
namespace {

auth::Verdict failed(auth::TokenError error) {
  auth::Verdict verdict;
  verdict.error = error;
  return verdict;
}

}  // namespace

// Shared with the fetches under way.
class KeyRing::Core : public std::enable_shared_from_this<KeyRing::Core> {
 public:
  Core(outbound::Fetcher& fetcher, base::LogSink& log) : fetcher_(fetcher), log_(log) {}

  void configure(Issuers issuers) {
    std::shared_ptr<const auth::Verifier> verifier;
    if (!issuers.issuers.empty()) {
      // Whoever read them has complained about what of() would refuse.
      if (auto made = auth::Verifier::of(std::move(issuers.issuers)); made.ok()) {
        verifier = std::make_shared<const auth::Verifier>(std::move(*made));
      }
    }
    std::vector<std::shared_ptr<Waiting>> orphans;
    {
      const std::lock_guard lock(mutex_);
      std::vector<Source> sources;
      for (RemoteKeys& keys : issuers.remote) {
        if (verifier == nullptr) break;  // there is nobody that they could be keys of
        Source& source = sources.emplace_back(Source{.keys = std::move(keys)});
        source.fixed = verifier->issuers()[source.keys.issuer].keys.keys();
        if (const Source* before = same_source(source.keys)) {
          source.good_ms = before->good_ms;
          source.fetched = before->fetched;
          if (auto set = key_set_of(source); set.ok()) {
            verifier = std::make_shared<const auth::Verifier>(verifier->with_keys(source.keys.issuer, std::move(*set)));
          }
        }
      }
      verifier_ = std::move(verifier);
      ++generation_;
      for (Source& source : sources_) std::move(source.waiting.begin(), source.waiting.end(), std::back_inserter(orphans));
      sources_ = std::move(sources);
    }
    for (const auto& token : orphans) judge(*token);
  }

  void start() {
    std::size_t count = 0;
    {
      const std::lock_guard lock(mutex_);
      count = sources_.size();
    }
    for (std::size_t i = 0; i < count; ++i) refresh(i, generation());
  }

  void verify(std::string_view token, Done done) {
    const auto verifier = current();
    if (verifier == nullptr) return done(failed(auth::TokenError::kWrongIssuer));
    auth::Verdict verdict = verifier->verify(token, now_s());
    if (verdict.error != auth::TokenError::kUnknownKey || !wait_for_keys(*verdict.issuer, token, done)) {
      done(std::move(verdict));
    }
  }

  Statistics statistics() const {
    const std::lock_guard lock(mutex_);
    Statistics all = statistics_;
    for (const Source& source : sources_) all.waiting += source.waiting.size();
    return all;
  }

  void stop() {
    std::vector<std::shared_ptr<Waiting>> orphans;
    {
      const std::lock_guard lock(mutex_);
      ++generation_;
      for (Source& source : sources_) std::move(source.waiting.begin(), source.waiting.end(), std::back_inserter(orphans));
      sources_.clear();
    }
    for (const auto& token : orphans) token->done(failed(auth::TokenError::kUnknownKey));
  }

 private:
  struct Waiting {
    std::string token;
    Done done;
  };
  struct Source {
    RemoteKeys keys;
    bool fetching = false;
    bool tried = false;
    base::Milliseconds tried_ms = 0;   // monotonic, the last fetch
    base::Milliseconds good_ms = 0;    // the last good one
    bool timer_runs = false;
    std::vector<auth::Key> fixed = {};    // of the configuration
    std::vector<auth::Key> fetched = {};  // beside them
    std::vector<std::shared_ptr<Waiting>> waiting = {};
  };

  // A source that was there before with keys that are as good for `keys`; null: none. REQUIRES: mutex_ held
  const Source* same_source(const RemoteKeys& keys) const {
    const auto found = std::ranges::find_if(sources_, [&](const Source& source) {
      return !source.fetched.empty() && source.keys.url == keys.url && source.keys.algorithms == keys.algorithms;
    });
    return found == sources_.end() ? nullptr : &*found;
  }
  std::int64_t now_s() const { return fetcher_.unix_ms() / 1'000; }
  std::shared_ptr<const auth::Verifier> current() const {
    const std::lock_guard lock(mutex_);
    return verifier_;
  }
  std::uint64_t generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
  }

  void judge(Waiting& token) {
    const auto verifier = current();
    token.done(verifier == nullptr ? failed(auth::TokenError::kWrongIssuer)
                                   : verifier->verify(token.token, now_s()));
  }

  // True when the token waits, with `done`, for keys that are on their way.
  bool wait_for_keys(std::size_t issuer, std::string_view token, Done& done) {
    std::size_t index = 0;
    std::uint64_t generation = 0;
    bool begin = false;
    {
      const std::lock_guard lock(mutex_);
      const auto source = std::ranges::find(sources_, issuer, [](const Source& each) { return each.keys.issuer; });
      if (source == sources_.end()) return false;
      const bool may_fetch = !source->tried || fetcher_.now_ms() - source->tried_ms >= kRefreshPauseMs;
      if ((!source->fetching && !may_fetch) || source->waiting.size() >= kTokensWaitingMax) return false;
      source->waiting.push_back(std::make_shared<Waiting>(Waiting{std::string(token), std::move(done)}));
      begin = !source->fetching;
      index = static_cast<std::size_t>(source - sources_.begin());
      generation = generation_;
    }
    if (begin) refresh(index, generation);
    return true;
  }

  void refresh(std::size_t index, std::uint64_t generation) {
    outbound::Request request;
    {
      const std::lock_guard lock(mutex_);
      if (generation != generation_ || sources_[index].fetching) return;
      Source& source = sources_[index];
      source.fetching = true;
      source.tried = true;
      source.tried_ms = fetcher_.now_ms();
      ++statistics_.fetches;
      request.url = source.keys.url;
      request.headers.push_back({"Accept", "application/json"});
      request.response_bytes_max = auth::kKeySetBytesMax;
    }
    fetcher_.fetch(std::move(request), [self = shared_from_this(), index, generation](outbound::Response response) {
      self->fetched(index, generation, std::move(response));
    });
  }

  void fetched(std::size_t index, std::uint64_t generation, outbound::Response response) {
    std::string failure = response.error_text;
    std::vector<auth::Key> keys;
    std::vector<std::shared_ptr<Waiting>> ready;
    const bool answered = response.error == outbound::FetchError::kNone && response.status == 200;
    if (answered) {
      auth::AlgorithmSet algorithms;
      {
        const std::lock_guard lock(mutex_);
        if (generation != generation_) return;
        algorithms = sources_[index].keys.algorithms;
      }
      auto parsed = auth::parse_key_set(response.body, algorithms);
      if (parsed.ok()) {
        keys = std::move(parsed->keys);
        for (const std::string& line : parsed->skipped) {
          log_.write(base::LogLevel::kInfo, "a published key is of no use here", {{"why", line}});
        }
      } else {
        failure = parsed.status().message();
      }
    } else if (response.error == outbound::FetchError::kNone) {
      failure = "status " + std::to_string(response.status);
    }
    {
      const std::lock_guard lock(mutex_);
      if (generation != generation_) return;
      Source& source = sources_[index];
      source.fetching = false;
      ready = std::move(source.waiting);
      source.waiting.clear();
      take_keys(source, std::move(keys), failure);
    }
    if (!failure.empty()) log_.write(base::LogLevel::kWarn, "a key set could not be fetched", {{"why", failure}});
    for (const auto& token : ready) judge(*token);
    arm(index, generation);
  }

  // One timer for each source, which goes on for as long as the last fetch is too young.
  void arm(std::size_t index, std::uint64_t generation) {
    base::Milliseconds wait_ms = 0;
    {
      const std::lock_guard lock(mutex_);
      if (generation != generation_ || sources_[index].timer_runs) return;
      Source& source = sources_[index];
      source.timer_runs = true;
      wait_ms = std::max<base::Milliseconds>(source.tried_ms + source.keys.refresh_ms - fetcher_.now_ms(), 1);
    }
    fetcher_.after(wait_ms, [self = shared_from_this(), index, generation] { self->refresh_if_due(index, generation); });
  }

  void refresh_if_due(std::size_t index, std::uint64_t generation) {
    bool due = false;
    {
      const std::lock_guard lock(mutex_);
      if (generation != generation_) return;
      Source& source = sources_[index];
      source.timer_runs = false;
      due = !source.fetching && fetcher_.now_ms() - source.tried_ms >= source.keys.refresh_ms;
    }
    if (due) return refresh(index, generation);
    arm(index, generation);
  }

  // The keys of the configuration, and the fetched ones of other names.
  static Result<auth::KeySet> key_set_of(const Source& source) {
    std::vector<auth::Key> keys = source.fixed;
    for (const auth::Key& key : source.fetched) {
      const bool taken = !key.kid().empty() && std::ranges::any_of(source.fixed, [&](const auth::Key& own) { return own.kid() == key.kid(); });
      if (!taken) keys.push_back(key);
    }
    return auth::KeySet::of(std::move(keys));
  }

  void take_keys(Source& source, std::vector<auth::Key> keys, std::string& failure) {
    const base::Milliseconds now = fetcher_.now_ms();
    if (keys.empty() && failure.empty()) failure = "no key of the set is of use here";
    if (failure.empty()) {
      std::swap(source.fetched, keys);
      if (Status taken = apply_keys(source); taken.ok()) {
        source.good_ms = now;
        return;
      } else {
        failure = taken.message();
        std::swap(source.fetched, keys);
      }
    }
    ++statistics_.failed_fetches;
    if (!source.fetched.empty() && now - source.good_ms >= kKeysKeptMs) {
      source.fetched.clear();
      static_cast<void>(apply_keys(source));  // those of the configuration were a set before
    }
  }

  Status apply_keys(const Source& source) {
    auto set = key_set_of(source);
    if (!set.ok()) return set.status();
    verifier_ = std::make_shared<const auth::Verifier>(verifier_->with_keys(source.keys.issuer, std::move(*set)));
    return {};
  }

  outbound::Fetcher& fetcher_;
  base::LogSink& log_;
  mutable std::mutex mutex_;
  // Guarded by mutex_
  std::shared_ptr<const auth::Verifier> verifier_;  // null: no issuer
  std::vector<Source> sources_;
  std::uint64_t generation_ = 0;  // of the configuration
  Statistics statistics_;
};

KeyRing::KeyRing(Issuers issuers, outbound::Fetcher& fetcher, base::LogSink& log) : core_(std::make_shared<Core>(fetcher, log)) {
  core_->configure(std::move(issuers));
}
KeyRing::~KeyRing() { core_->stop(); }
void KeyRing::start() { core_->start(); }
void KeyRing::verify(std::string_view token, Done done) { core_->verify(token, std::move(done)); }
void KeyRing::replace(Issuers issuers) {
  core_->configure(std::move(issuers));
  core_->start();
}
KeyRing::Statistics KeyRing::statistics() const { return core_->statistics(); }

}  // namespace tidewire::server
