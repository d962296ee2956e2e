// What every script here shares: packages come from contracts/node_modules, input is JSON on stdin, output JSON on stdout.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const require = createRequire(new URL("../../contracts/package.json", import.meta.url));

export const input = JSON.parse(readFileSync(0, "utf8"));

export function answer(value) {
  process.stdout.write(JSON.stringify(value));
}
