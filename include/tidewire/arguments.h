// tidewire/arguments.h - the arguments of an event or of an acknowledgement: JSON text `a,b,c`, and octets beside it.
//
//   ArgumentsView   what a handler gets: points into the receive buffer, costs nothing, dies when the handler returns.
//   Arguments       owns its text; made by copy() of a view, or by Arguments::of(...) for what is to be sent.
//
//   auto in = arguments.as<std::string, Order>();          // Result<std::tuple<std::string, Order>>
//   if (!in.ok()) return;                                  // in.status(): "argument 1: member \"id\": expected ..."
//   const auto& [room, order] = *in;
//   ack(arguments);                                        // the very bytes that came
//
// The text is verbatim: nothing is parsed until somebody asks. Octets stand in it as {"_placeholder":true,"num":N}.
// Threads: plain values; Arguments may be moved to another thread, a view may not.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidewire/bytes.h"
#include "tidewire/convert.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire {

class Arguments;

class ArgumentsView {
 public:
  ArgumentsView() noexcept = default;
  // REQUIRES: `text` is `size` valid JSON values with commas between them, whose placeholders name these attachments.
  // Everything must live as long as the view.
  ArgumentsView(std::string_view text, std::size_t size, std::span<const Bytes> attachments = {}) noexcept
      : text_(text), size_(size), attachments_(attachments) {}

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // Verbatim as received.
  std::string_view text() const noexcept { return text_; }
  std::span<const Bytes> attachments() const noexcept { return attachments_; }

  // The JSON text of one argument; empty when there are fewer. Counts from the first: for all of them take values().
  std::string_view raw(std::size_t index) const noexcept;
  // One argument, parsed now, its placeholders replaced by the octets; null when there are fewer.
  Value operator[](std::size_t index) const;
  std::vector<Value> values() const;

  // The first arguments as these types. Trailing std::optional ones may be missing; further arguments are ignored.
  template <typename... T>
  Result<std::tuple<T...>> as() const;

  // The same with its own memory.
  Arguments copy() const;

 private:
  std::string_view text_;
  std::size_t size_ = 0;
  std::span<const Bytes> attachments_;
};

class Arguments {
 public:
  Arguments() = default;
  // REQUIRES: as ArgumentsView
  Arguments(std::string text, std::size_t size, std::vector<Bytes> attachments = {}) noexcept
      : text_(std::move(text)), size_(size), attachments_(std::move(attachments)) {}

  // Any mix of values that have a JSON form (tidewire/convert.h). Views and Arguments among them are spread out.
  template <typename... T>
  static Arguments of(const T&... values);
  // From a JSON array; no placeholders.
  static Result<Arguments> parse(std::string_view json_array);

  ArgumentsView view() const noexcept { return {text_, size_, attachments_}; }
  operator ArgumentsView() const noexcept { return view(); }  // NOLINT: implicit, whoever takes a view takes both

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view text() const noexcept { return text_; }
  std::span<const Bytes> attachments() const noexcept { return attachments_; }
  Value operator[](std::size_t index) const { return view()[index]; }
  std::vector<Value> values() const { return view().values(); }
  template <typename... T>
  Result<std::tuple<T...>> as() const {
    return view().as<T...>();
  }

 private:
  std::string text_;
  std::size_t size_ = 0;
  std::vector<Bytes> attachments_;
};

// Spreads: as many values as there are arguments. Octets are numbered anew.
void write_json(JsonOut& out, ArgumentsView arguments);

namespace detail {

// Walks a view once, making one typed value after the other.
class ArgumentReader {
 public:
  explicit ArgumentReader(ArgumentsView arguments) noexcept
      : rest_(arguments.text()), attachments_(arguments.attachments()) {}

  template <typename T>
  bool read(T& out) {
    static_assert(!std::is_same_v<T, std::string_view>,
                  "the view would outlive the value it points into: take std::string");
    std::string_view text;
    if (next(text)) {
      status_ = convert(text, out);
    } else if constexpr (!requires { out.has_value(); }) {
      status_ = Status(StatusCode::kInvalidArgument, "missing");
    }
    if (!status_.ok()) name_the_argument();
    ++index_;
    return status_.ok();
  }
  const Status& status() const noexcept { return status_; }

 private:
  bool next(std::string_view& text) noexcept;
  Status convert(std::string_view text, std::string& out) const;  // without a Value in between
  template <typename T>
  Status convert(std::string_view text, T& out) const {
    return read_json(value_of(text), out);
  }
  Value value_of(std::string_view text) const;
  void name_the_argument();

  std::string_view rest_;
  std::span<const Bytes> attachments_;
  std::size_t index_ = 0;
  Status status_;
};

template <typename T>
std::size_t argument_count(const T&) noexcept {
  return 1;
}
inline std::size_t argument_count(const ArgumentsView& arguments) noexcept { return arguments.size(); }
inline std::size_t argument_count(const Arguments& arguments) noexcept { return arguments.size(); }

}  // namespace detail

template <typename... T>
Result<std::tuple<T...>> ArgumentsView::as() const {
  std::tuple<T...> out;
  detail::ArgumentReader reader(*this);
  std::apply([&](T&... each) { static_cast<void>((reader.read(each) && ...)); }, out);
  if (!reader.status().ok()) return reader.status();
  return out;
}

template <typename... T>
Arguments Arguments::of(const T&... values) {
  std::string text;
  std::vector<Bytes> attachments;
  JsonOut out(text, attachments);
  (write_json(out, values), ...);
  return Arguments(std::move(text), (detail::argument_count(values) + ... + std::size_t{0}), std::move(attachments));
}

}  // namespace tidewire
