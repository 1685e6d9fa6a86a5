// server/settings_docs.h - the page docs/configuration.md, printed from the table of settings. `tidewire config --docs`; a
// test compares the page in the repository with what is printed.
#pragma once

#include <string>

namespace tidewire::server {

std::string configuration_page();

}  // namespace tidewire::server
