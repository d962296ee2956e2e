// ethers signs and verifies texts (EIP-191), as a browser wallet does with a Sign-In with Ethereum message.

import { answer, input, require } from "./tools.mjs";

const { Wallet, hashMessage, verifyMessage } = require("ethers");

answer(
  await Promise.all(
    input.map(async ({ text, signature, privateKey }) => ({
      digest: hashMessage(text),
      signer: verifyMessage(text, signature),
      signature: await new Wallet(privateKey).signMessage(text),
    })),
  ),
);
