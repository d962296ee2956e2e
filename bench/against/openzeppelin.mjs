// OpenZeppelin's own tree in its own language: answers calls by JSON lines, as `serving.py` does.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.cwd()}/package.json`);
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");

const ENCODING = ["uint64", "address", "uint128", "bytes32"];
let leaves = [];

const functions = {
  prepare({ path }) {
    leaves = JSON.parse(readFileSync(path, "utf8")).leaves;
    return null;
  },
  // Seconds of a core for the tree of the leaves (its engine's own threads included), and its root.
  tree() {
    const begun = process.cpuUsage();
    const built = StandardMerkleTree.of(leaves, ENCODING);
    const { user, system } = process.cpuUsage(begun);
    return [(user + system) / 1e6, built.root];
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, given] = JSON.parse(line);
  let answer;
  try {
    answer = { value: functions[name](given) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
