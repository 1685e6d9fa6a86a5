// tidewire/task.h - coroutines: Task<T>, what a coroutine returns, and Later<T>, an answer that comes later.
//
//   io.on_connection([](tidewire::Socket& socket) -> tidewire::Task<> {
//     tidewire::Socket keep = socket;                              // a handle of its own: the reference dies at the co_await
//     auto answer = co_await keep.emit_with_ack("ready?");         // resumes on the socket's shard
//     if (answer.ok()) keep.emit("go");
//   });
//
// Without coroutines: `socket.emit_with_ack("ready?").then([](auto answer) { ... });`. A Later does nothing until one of the
// two asks for it.
// A Task starts at once and may be dropped: it then runs to its end by itself, and an exception that leaves it is logged.
// Threads: a Task stays on the thread that resumes it; every answer comes on the shard that was asked.
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "tidewire/function.h"

namespace tidewire {

// Called with what leaves a dropped Task; the server logs it. From the thread that resumed the task.
void report_task_failure(std::exception_ptr failure) noexcept;

template <typename T = void>
class [[nodiscard]] Task;

namespace detail {

template <typename T>
class TaskPromiseBase {
 public:
  std::suspend_never initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure_ = std::current_exception(); }

  // At the end: the awaiting coroutine goes on, or a dropped task frees itself.
  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      TaskPromiseBase& promise = handle.promise();
      if (promise.detached_) {
        if (promise.failure_) report_task_failure(promise.failure_);
        handle.destroy();
        return std::noop_coroutine();
      }
      return promise.continuation_ ? promise.continuation_ : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }

 protected:
  friend class tidewire::Task<T>;
  std::coroutine_handle<> continuation_;
  std::exception_ptr failure_;
  bool detached_ = false;
};

template <typename T>
class TaskPromise final : public TaskPromiseBase<T> {
 public:
  Task<T> get_return_object();
  void return_value(T value) { value_.emplace(std::move(value)); }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase<void> {
 public:
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() { detach(); }

  bool done() const noexcept { return handle_ == nullptr || handle_.done(); }
  // Lets it run to its end by itself.
  void detach() noexcept {
    if (handle_ == nullptr) return;
    auto handle = std::exchange(handle_, nullptr);
    if (!handle.done()) {
      handle.promise().detached_ = true;
      return;
    }
    if (handle.promise().failure_) report_task_failure(handle.promise().failure_);
    handle.destroy();
  }

  bool await_ready() const noexcept { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { handle_.promise().continuation_ = awaiting; }
  T await_resume() {
    if (handle_.promise().failure_) std::rethrow_exception(std::exchange(handle_.promise().failure_, nullptr));
    return handle_.promise().take();
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace detail

// An answer that comes later. Asked for once: by then() or by co_await.
template <typename T>
class [[nodiscard]] Later {
 public:
  using Callback = UniqueFunction<void(T)>;
  explicit Later(UniqueFunction<void(Callback)> ask) : ask_(std::move(ask)) {}

  // What the callback throws is logged.
  void then(Callback callback) {
    ask_([callback = std::move(callback)](T value) {
      try {
        callback(std::move(value));
      } catch (...) {
        report_task_failure(std::current_exception());
      }
    });
  }

  auto operator co_await() && {
    struct Awaiter {
      UniqueFunction<void(Callback)> ask;
      std::optional<T> answer;
      std::atomic<bool> met = false;  // the answer may come on another thread while this one still suspends: the second goes on
      bool await_ready() const noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> awaiting) {
        ask([this, awaiting](T value) {
          answer.emplace(std::move(value));
          if (met.exchange(true, std::memory_order_acq_rel)) awaiting.resume();
        });
        return !met.exchange(true, std::memory_order_acq_rel);  // answered already: go on without suspending
      }
      T await_resume() { return std::move(*answer); }
    };
    return Awaiter{std::move(ask_), std::nullopt};
  }

 private:
  UniqueFunction<void(Callback)> ask_;
};

}  // namespace tidewire
