#!/usr/bin/env node
// Stands in for a native solc: forge asks `--version` and `--standard-json`, the WebAssembly compiler from npm answers.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const roots = [__dirname, process.cwd()];

function readSource(name) {
  for (const root of roots) {
    const file = path.resolve(root, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: `source ${name} is neither in the input nor under ${roots.join(" or ")}` };
}

function main(args) {
  if (args.includes("--version")) {
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
    return 0;
  }
  if (args.includes("--standard-json")) {
    const input = fs.readFileSync(0, "utf8");
    process.stdout.write(solc.compile(input, { import: readSource }));
    return 0;
  }
  process.stderr.write(`expected --version or --standard-json, got: ${args.join(" ") || "nothing"}\n`);
  return 2;
}

process.exitCode = main(process.argv.slice(2));
