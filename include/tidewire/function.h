// tidewire/function.h - UniqueFunction: a callable that is moved, never copied, and may own what it captured.
//
// Why not std::function: it wants copyable captures (no unique_ptr, no Frame about to be moved). Small captures (three
// pointers) live inside; larger ones on the heap. An empty one must not be called.
// Threads: as the callable itself.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace tidewire {

template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() noexcept = default;
  UniqueFunction(std::nullptr_t) noexcept {}  // NOLINT: as std::function

  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  UniqueFunction(F&& callable) {  // NOLINT: implicit, as std::function
    using Stored = std::decay_t<F>;
    if constexpr (fits<Stored>()) {
      new (&storage_) Stored(std::forward<F>(callable));
      vtable_ = &kInline<Stored>;
    } else {
      *reinterpret_cast<Stored**>(&storage_) = new Stored(std::forward<F>(callable));
      vtable_ = &kHeap<Stored>;
    }
  }

  UniqueFunction(UniqueFunction&& other) noexcept : vtable_(other.vtable_) {
    if (vtable_ != nullptr) vtable_->move(&other.storage_, &storage_);
    other.vtable_ = nullptr;
  }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      vtable_ = other.vtable_;
      if (vtable_ != nullptr) vtable_->move(&other.storage_, &storage_);
      other.vtable_ = nullptr;
    }
    return *this;
  }
  UniqueFunction(const UniqueFunction&) = delete;
  UniqueFunction& operator=(const UniqueFunction&) = delete;
  ~UniqueFunction() { reset(); }

  explicit operator bool() const noexcept { return vtable_ != nullptr; }

  // REQUIRES: bool(*this)
  R operator()(Args... args) const { return vtable_->call(&storage_, std::forward<Args>(args)...); }

 private:
  static constexpr std::size_t kInlineBytes = 3 * sizeof(void*);
  struct Vtable {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };

  template <typename Stored>
  static constexpr bool fits() {
    return sizeof(Stored) <= kInlineBytes && alignof(Stored) <= alignof(void*) && std::is_nothrow_move_constructible_v<Stored>;
  }

  template <typename Stored>
  static constexpr Vtable kInline{
      [](void* self, Args&&... args) -> R { return (*static_cast<Stored*>(self))(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept {
        new (to) Stored(std::move(*static_cast<Stored*>(from)));
        static_cast<Stored*>(from)->~Stored();
      },
      [](void* self) noexcept { static_cast<Stored*>(self)->~Stored(); }};
  template <typename Stored>
  static constexpr Vtable kHeap{
      [](void* self, Args&&... args) -> R { return (**static_cast<Stored**>(self))(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept { *static_cast<Stored**>(to) = *static_cast<Stored**>(from); },
      [](void* self) noexcept { delete *static_cast<Stored**>(self); }};

  void reset() noexcept {
    if (vtable_ != nullptr) vtable_->destroy(&storage_);
    vtable_ = nullptr;
  }

  const Vtable* vtable_ = nullptr;
  alignas(void*) mutable std::byte storage_[kInlineBytes];
};

}  // namespace tidewire
