// ethers as the other party of our signed statements: digests, signers, and signatures of its own.

import { answer, input, require } from "./tools.mjs";

const { TypedDataEncoder, Wallet, verifyTypedData } = require("ethers");

answer(
  await Promise.all(
    input.map(async ({ domain, types, message, signature, privateKey }) => ({
      digest: TypedDataEncoder.hash(domain, types, message),
      structHash: TypedDataEncoder.from(types).hash(message),
      domainSeparator: TypedDataEncoder.hashDomain(domain),
      signer: verifyTypedData(domain, types, message, signature),
      signature: await new Wallet(privateKey).signTypedData(domain, types, message),
    })),
  ),
);
