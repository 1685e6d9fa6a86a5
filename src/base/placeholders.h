// base/placeholders.h - {"_placeholder":true,"num":N}: where the octets of a binary packet belong, and the same for
// plain clients.
//
//   Socket.IO   {"image":{"_placeholder":true,"num":0}}  + one binary message
//   plain       {"image":{"$bytes":"iVBORw0KGgo="}}
//
// Everything here works on text that was scanned before: one value, or the `a,b,c` of arguments. Objects are recognised
// as JavaScript would see them: escapes in keys undone, the last of two equal keys counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidewire/bytes.h"

namespace tidewire::base {

enum class [[nodiscard]] PlaceholderError : std::uint8_t{
    kOk,
    kBadNumber,   // "num" is missing, no number, or not a plain integer such as 0.5, 1e0, -0
    kOutOfRange,  // no such attachment
    kTooLarge,    // the attachments, each counted as often as it is named, are larger than allowed
    kBadBase64,   // {"$bytes":...} whose text is not base64
    kNotAllowed,  // a plain client's literal placeholder beside bytes: recipients would take it for one of ours
};
std::string_view placeholder_error_text(PlaceholderError error) noexcept;

// Whether every placeholder names one of `attachment_count` attachments. Unused and repeated ones are fine.
PlaceholderError validate_placeholders(std::string_view text, std::size_t attachment_count);
// The same when the attachments are there, and whether their octets, counted as often as they are named, stay within
// `octets_max`: one attachment may be named thousands of times, and whoever writes it out pays for each.
PlaceholderError validate_placeholders(std::string_view text, std::span<const Bytes> attachments,
                                       std::size_t octets_max);

// Appends `text` to `out` with each placeholder replaced by {"$bytes":"<base64>"}; those that name no attachment stay.
void placeholders_to_bytes_form(std::string_view text, std::span<const Bytes> attachments, std::string& out);

// A quick look: false when bytes_form_to_placeholders() would find nothing.
bool may_have_bytes_form(std::string_view text) noexcept;

// Appends `text` to `out` with each object whose only member is "$bytes", a string, replaced by a placeholder; the
// octets are appended to `attachments`. After an error both outputs are as they were. Takes the arguments of a message
// in one call, since a lookalike in one of them matters as soon as there are octets in another.
PlaceholderError bytes_form_to_placeholders(std::string_view text, std::string& out, std::vector<Bytes>& attachments);

}  // namespace tidewire::base
