// server/page.h - the files of page/, embedded by the build.
#pragma once

#include <span>
#include <string_view>

namespace tidewire::server {

struct PageFile {
  std::string_view path;  // of the request
  std::string_view type;
  std::string_view bytes;
};

std::span<const PageFile> page_files();

}  // namespace tidewire::server
