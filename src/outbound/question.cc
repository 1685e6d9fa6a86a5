#include "outbound/question.h"

#include <mutex>
#include <optional>
#include <utility>

#include "outbound/outcome.h"
#include "outbound/signature.h"

namespace tidewire::outbound {
namespace {

Answer failure(AskError error) {
  Answer answer;
  answer.error = error;
  return answer;
}

Answer read_answer(const Response& response) {
  switch (response.error) {
    case FetchError::kNone: break;
    case FetchError::kTimeout: return failure(AskError::kTimeout);
    case FetchError::kTooLarge: return failure(AskError::kBadAnswer);
    case FetchError::kOverloaded: return failure(AskError::kOverloaded);
    case FetchError::kCancelled: return failure(AskError::kCancelled);
    default: return failure(AskError::kFailed);
  }
  if (response.status != 200) return failure(AskError::kFailed);
  Result<Value> parsed = Value::parse(response.body);
  if (!parsed.ok() || !parsed->is_object()) return failure(AskError::kBadAnswer);
  Answer answer;
  answer.value = std::move(parsed).value();
  return answer;
}

Status bad(std::string sentence) { return {StatusCode::kInvalidArgument, std::move(sentence)}; }

}  // namespace

std::string_view ask_error_text(AskError error) noexcept {
  switch (error) {
    case AskError::kNone: return "none";
    case AskError::kUnavailable: return "the back end is unavailable";
    case AskError::kOverloaded: return "too many questions are under way";
    case AskError::kTimeout: return "the back end did not answer in time";
    case AskError::kFailed: return "the back end failed";
    case AskError::kBadAnswer: return "the back end's answer is no JSON object";
    case AskError::kCancelled: return "the server is stopping";
  }
  return "unknown";
}

Status check_asker(const AskerOptions& options, const UrlRules& rules) {
  if (Status url = check_url(options.url, rules); !url.ok()) return url;
  if (Status secret = check_secret(options.secret); !secret.ok()) return secret;
  if (options.timeout_ms <= 0) return bad("the timeout must be positive");
  if (options.in_flight_max == 0) return bad("at least one question must be allowed at once");
  if (options.answer_bytes_max == 0) return bad("an answer must be allowed at least one byte");
  return {};
}

class Asker::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(AskerOptions options, Fetcher& fetcher, base::LogSink& log)
      : options_(std::move(options)), fetcher_(fetcher), log_(log), breaker_(options_.breaker) {}

  void ask(std::string question, base::Milliseconds timeout_ms, Done done);
  AskerStatistics statistics() const;

 private:
  // A ticket, or why not.
  std::optional<Breaker::Ticket> admit(AskError& refusal);
  void answered(Breaker::Ticket ticket, const Response& response, const Done& done);

  // Immutable after construction
  const AskerOptions options_;
  Fetcher& fetcher_;
  base::LogSink& log_;

  // Guarded by mutex_
  mutable std::mutex mutex_;
  AskerStatistics counts_;
  Breaker breaker_;
};

void Asker::Core::ask(std::string question, base::Milliseconds timeout_ms, Done done) {
  AskError refusal{};
  const std::optional<Breaker::Ticket> ticket = admit(refusal);
  if (!ticket) return done(failure(refusal));
  Request request;
  request.method = Method::kPost;
  request.url = options_.url;
  request.headers = signed_headers(options_.secret, fetcher_.unix_ms(), question);
  request.body = std::move(question);
  request.timeout_ms = timeout_ms > 0 ? timeout_ms : options_.timeout_ms;
  request.response_bytes_max = options_.answer_bytes_max;
  fetcher_.fetch(std::move(request),
                 [core = shared_from_this(), ticket = *ticket, done = std::move(done)](const Response& response) {
                   core->answered(ticket, response, done);
                 });
}

std::optional<Breaker::Ticket> Asker::Core::admit(AskError& refusal) {
  std::lock_guard lock(mutex_);
  if (counts_.in_flight >= options_.in_flight_max) {  // before a ticket is taken, which would have to be given back
    ++counts_.overloaded;
    refusal = AskError::kOverloaded;
    return std::nullopt;
  }
  const std::optional<Breaker::Ticket> ticket = breaker_.try_acquire(fetcher_.now_ms());
  if (!ticket) {
    ++counts_.unavailable;
    refusal = AskError::kUnavailable;
    return std::nullopt;
  }
  ++counts_.in_flight;
  return ticket;
}

void Asker::Core::answered(Breaker::Ticket ticket, const Response& response, const Done& done) {
  Answer answer = read_answer(response);
  answer.elapsed_ms = response.elapsed_ms;
  Breaker::State before{};
  Breaker::State after{};
  {
    std::lock_guard lock(mutex_);
    --counts_.in_flight;
    if (answer.ok()) {
      ++counts_.answered;
    } else if (answer.error == AskError::kOverloaded) {
      ++counts_.overloaded;
    } else if (answer.error != AskError::kCancelled) {
      ++counts_.failed;
    }
    before = breaker_.state();
    report(breaker_, ticket, outcome_of(response), fetcher_.now_ms());
    after = breaker_.state();
  }
  log_breaker_change(log_, "question", options_.name, before, after);
  done(std::move(answer));
}

AskerStatistics Asker::Core::statistics() const {
  std::lock_guard lock(mutex_);
  AskerStatistics now = counts_;
  now.breaker = breaker_.state();
  return now;
}

Asker::Asker(AskerOptions options, Fetcher& fetcher, base::LogSink& log)
    : core_(std::make_shared<Core>(std::move(options), fetcher, log)) {}

void Asker::ask(std::string question_json, base::Milliseconds timeout_ms, Done done) {
  core_->ask(std::move(question_json), timeout_ms, std::move(done));
}

AskerStatistics Asker::statistics() const { return core_->statistics(); }

}  // namespace tidewire::outbound
