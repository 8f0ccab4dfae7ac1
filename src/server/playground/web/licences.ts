import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  name: string;
  version: string;
  license?: string;
  author?: string | { name?: string };
}

/** The nearest folder above `file` that is an installed package. Inner package.json files without a version do not count. */
function packageOf(file: string): string | undefined {
  for (let dir = dirname(file); dir.includes("node_modules"); dir = dirname(dir)) {
    const manifest = join(dir, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version) return dir;
  }
}

/** For the packages that name the MIT licence but leave its text out. */
const MIT = (author: string) => `MIT License

Copyright (c) ${author}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** The title and the licence text of one package. */
function notice(dir: string): [title: string, text: string] {
  const { name, version, license, author }: Manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const title = `${name} ${version} (${license})`;
  const file = readdirSync(dir).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file) return [title, readFileSync(join(dir, file), "utf8").replace(/\r/g, "").trim()];
  if (license !== "MIT") throw new Error(`${title} ships no licence text`);
  return [title, MIT((typeof author === "string" ? author : author?.name) ?? `the authors of ${name}`)];
}

/** Writes the notices of all packages that ended up in the bundle, as their licences ask. Equal texts are written once. */
export function licences(fileName: string): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const titles = new Map<string, Set<string>>();
      for (const id of this.getModuleIds()) {
        const dir = packageOf(id.replace(/^\0/, "").replace(/\?.*$/, ""));
        if (!dir) continue;
        const [title, text] = notice(dir);
        titles.set(text, (titles.get(text) ?? new Set()).add(title));
      }
      const notices = [...titles].map(([text, names]) => `${[...names].sort().join("\n")}\n\n${text}\n`).sort();
      const rule = `\n${"-".repeat(80)}\n\n`;
      this.emitFile({ type: "asset", fileName, source: ["The playground page contains these packages.\n", ...notices].join(rule) });
    },
  };
}
