// examples/snippets/check.mjs: the pages against the repository. Every C++ block of README.md and docs/ must stand in a file of
// examples/ (indentation aside), every relative link must lead somewhere, every folder-and-file that ARCHITECTURE.md names exist.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const files = (folder, ending) => readdirSync(folder).flatMap((name) => {
  const file = path.join(folder, name);
  if (statSync(file).isDirectory()) return files(file, ending);
  return file.endsWith(ending) ? [file] : [];
});
const plain = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '').join('\n');

const code = files(path.join(root, 'examples'), '.cc').map((file) => plain(readFileSync(file, 'utf8')));
const pages = [...files(path.join(root, 'docs'), '.md'),
  ...['README.md', 'ARCHITECTURE.md', 'STYLE.md', 'SECURITY.md', 'CHANGELOG.md'].map((name) => path.join(root, name))];
let wrong = 0;
const complain = (page, text) => { wrong += 1; console.log(`${path.relative(root, page)}: ${text}`); };

for (const page of pages.filter((each) => existsSync(each))) {
  const text = readFileSync(page, 'utf8');
  for (const [, block] of text.matchAll(/```cpp\n([\s\S]*?)```/g)) {
    if (!code.some((each) => each.includes(plain(block)))) complain(page, `no example has\n${block}`);
  }
  const prose = text.replace(/```[\s\S]*?```|`[^`\n]*`|^ {4}.*$/gm, '');
  for (const [, link] of prose.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    if (!existsSync(path.resolve(path.dirname(page), link))) complain(page, `broken link ${link}`);
  }
  for (const [, name] of text.matchAll(/`((?:src|include|test|script|docs|examples|cmake|bench|fuzz)\/[\w./-]+)`/g)) {
    const found = ['', '.h', '.cc'].some((ending) => existsSync(path.join(root, name + ending)));
    if (!found) complain(page, `names ${name}, which does not exist`);
  }
}
console.log(wrong === 0 ? `${pages.length} pages agree with the repository` : `${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
