// cmake/embed.mjs FOLDER OUTPUT: the files of a folder as one C++ table, so that the server never reads the file system.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [folder, output] = process.argv.slice(2);
const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.ico': 'image/x-icon',
};
const files = readdirSync(folder).sort().map((name, index) => {
  const bytes = readFileSync(path.join(folder, name));
  const url = name === 'index.html' ? '/' : `/${name}`;
  const lines = [];
  for (let at = 0; at < bytes.length; at += 24) lines.push(`    ${[...bytes.subarray(at, at + 24)].join(',')},`);
  return {
    data: `const unsigned char kFile${index}[] = {\n${lines.join('\n')}\n};`,
    row: `    {"${url}", "${types[path.extname(name)] ?? 'application/octet-stream'}",\n` +
      `     {reinterpret_cast<const char*>(kFile${index}), ${bytes.length}}},`,
  };
});
writeFileSync(output, `// Made by cmake/embed.mjs from ${path.basename(folder)}/.
#include "server/page.h"

namespace tidewire::server {
namespace {
${files.map((file) => file.data).join('\n')}
const PageFile kFiles[] = {
${files.map((file) => file.row).join('\n')}
};
}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace tidewire::server
`);
