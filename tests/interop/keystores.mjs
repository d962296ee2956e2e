// ethers opens a keystore file of ours and writes one for us.

import { answer, input, require } from "./tools.mjs";

const { Wallet, encryptKeystoreJson } = require("ethers");

const { keystore, passphrase, privateKey } = input;
const opened = await Wallet.fromEncryptedJson(keystore, passphrase);
const address = new Wallet(privateKey).address;

answer({
  address: opened.address,
  privateKey: opened.privateKey,
  keystore: await encryptKeystoreJson({ address, privateKey }, passphrase, { scrypt: { N: 4096, r: 8, p: 1 } }),
});
