// policy/excerpt.h - a short piece of somebody's text for a message: cut between characters, without control characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidewire::policy {

// At most `bytes_max` bytes, "..." included when something was cut off. REQUIRES: bytes_max >= 3
std::string excerpt(std::string_view text, std::size_t bytes_max);
// The same between double quotes, which come on top.
std::string quoted(std::string_view text, std::size_t bytes_max = 40);

}  // namespace tidewire::policy
