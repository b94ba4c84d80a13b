/** Transactions as viem signs them: their names and their signers, found without asking anybody. */
import fc from "fast-check";
import { concatHex, keccak256, numberToHex, parseGwei, toRlp, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount, sign } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { MAX_PLAIN_BYTES, readRawTransaction } from "../../../src/rpc/write/raw-transaction.ts";
import { senderOf } from "../../../src/rpc/write/sender.ts";
import { TEST_KEY } from "../../support/anvil.ts";

const account = privateKeyToAccount(TEST_KEY);
const to = `0x${"22".repeat(20)}` as const;
const fees = { maxFeePerGas: parseGwei("20"), maxPriorityFeePerGas: parseGwei("2") };
const blobHash = `0x01${"ab".repeat(31)}` as const;

const read = (raw: string) => {
  const result = readRawTransaction(raw);
  if (!result.ok) throw new Error(result.message);
  return result;
};

const kinds: Readonly<Record<string, () => Promise<Hex>>> = {
  "legacy, EIP-155": () =>
    account.signTransaction({ type: "legacy", chainId: 31_337, nonce: 7, gasPrice: 9n, to }),
  "legacy, without a chain": () =>
    account.signTransaction({ type: "legacy", nonce: 0, gas: 21_000n, gasPrice: 1n, to }),
  "legacy, on a chain with a long id": () =>
    account.signTransaction({ type: "legacy", chainId: 2 ** 40 + 5, nonce: 1, gasPrice: 3n, to }),
  "EIP-2930": () =>
    account.signTransaction({
      type: "eip2930",
      chainId: 1,
      gasPrice: 7n,
      accessList: [{ address: to, storageKeys: [`0x${"01".repeat(32)}`] }],
    }),
  "EIP-1559": () => account.signTransaction({ type: "eip1559", chainId: 10, to, ...fees }),
  "EIP-1559 with much data": () =>
    account.signTransaction({
      type: "eip1559",
      chainId: 10,
      data: `0x${"ee".repeat(70_000)}`,
      ...fees,
    }),
  "EIP-4844 without blobs": () => account.signTransaction(blobTransaction()),
  "EIP-7702": async () =>
    account.signTransaction({
      type: "eip7702",
      chainId: 1,
      to,
      authorizationList: [
        {
          address: to,
          chainId: 1,
          nonce: 3,
          ...(await sign({ hash: `0x${"5a".repeat(32)}`, privateKey: TEST_KEY })),
        },
      ],
      ...fees,
    }),
};

function blobTransaction() {
  return {
    type: "eip4844",
    chainId: 1,
    to,
    maxFeePerBlobGas: 5n,
    blobVersionedHashes: [blobHash],
    ...fees,
  } as const;
}

describe("a raw transaction", () => {
  it.each(Object.entries(kinds))("has its hash and its sender: %s", async (_kind, make) => {
    const raw = await make();
    const transaction = read(raw);
    expect(transaction.hash).toBe(keccak256(raw));
    expect(transaction.isHashSure).toBe(true);
    expect(senderOf(transaction)).toBe(account.address.toLowerCase());
  });

  it("is named by what is inside its blobs", async () => {
    const bare = await account.signTransaction(blobTransaction());
    const sidecar = {
      blob: `0x${"77".repeat(131_072)}`,
      commitment: `0x${"88".repeat(48)}`,
      proof: `0x${"99".repeat(48)}`,
    } as const;
    const wrapped = await account.signTransaction({ ...blobTransaction(), sidecars: [sidecar] });
    expect(wrapped.length).toBeGreaterThan(262_144);
    const transaction = read(wrapped);
    expect(transaction.hash).toBe(keccak256(bare));
    expect(senderOf(transaction)).toBe(account.address.toLowerCase());
    // EIP-7594: a version in front of the blobs, many proofs behind them.
    const cells = concatHex([
      "0x03",
      toRlp([
        ["0x01", "0x", "0x02"],
        numberToHex(1),
        [sidecar.blob],
        [sidecar.commitment],
        [sidecar.proof],
      ]),
    ]);
    expect(read(cells).hash).toBe(keccak256(concatHex(["0x03", toRlp(["0x01", "0x", "0x02"])])));
  });

  it("with other blobs around it is another sending of the same transaction", async () => {
    const around = (proof: string) =>
      concatHex(["0x03", toRlp([["0x01"], ["0x02"], ["0x03"], [`0x${proof}`]])]);
    const [a, b] = [read(around("04")), read(around("05"))];
    expect(a.hash).toBe(b.hash);
    expect(a.fingerprint).not.toBe(b.fingerprint);
    expect(read(around("04")).fingerprint).toBe(a.fingerprint);
  });

  it("of a type that Ethereum does not know is named by its chain", () => {
    expect(read("0x71c0").isHashSure).toBe(false);
    expect(read("0x7ac0").isHashSure).toBe(false);
    expect(read("0xc0").isHashSure).toBe(true);
  });

  it.each([
    ["nothing", undefined],
    ["an object", { raw: "0x00" }],
    ["no prefix", "00"],
    ["an empty string", "0x"],
    ["half a byte", "0x012"],
    ["no hex", "0x0g"],
    ["hex with a hole", "0x01 2"],
    ["more than any pool takes", `0x${"02".repeat(MAX_PLAIN_BYTES + 1)}`],
  ])("is not made of %s", (_what, input) => {
    expect(readRawTransaction(input)).toMatchObject({ ok: false });
  });

  it("may be any bytes without harm: no signer is found where there is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const raw = `0x${Buffer.from(bytes).toString("hex")}`;
        const transaction = readRawTransaction(raw);
        if (!transaction.ok) return;
        if (bytes[0] !== 3) expect(transaction.hash).toBe(keccak256(bytes));
        expect(senderOf(transaction) ?? "0x").toMatch(/^0x/u);
      }),
    );
  });

  it("tells many signers apart", async () => {
    for (let n = 0; n < 8; n++) {
      const signer = privateKeyToAccount(generatePrivateKey());
      const raw = await signer.signTransaction({ type: "eip1559", chainId: 1, nonce: n, ...fees });
      expect(senderOf(read(raw))).toBe(signer.address.toLowerCase());
    }
  });
});
