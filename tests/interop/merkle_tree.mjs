// OpenZeppelin's own tree: builds one from values, loads a dump, and verifies proofs.

import { answer, input, require } from "./tools.mjs";

const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");

const { values, leafEncoding, dump, proofs } = input;
const built = StandardMerkleTree.of(values, leafEncoding);
const loaded = StandardMerkleTree.load(dump);
loaded.validate();

answer({
  root: built.root,
  dump: built.dump(),
  proofs: values.map((value) => built.getProof(value)),
  loadedRoot: loaded.root,
  loadedValues: [...loaded.entries()].map(([, value]) => value),
  verified: values.map((value, seq) => StandardMerkleTree.verify(built.root, leafEncoding, value, proofs[seq])),
});
