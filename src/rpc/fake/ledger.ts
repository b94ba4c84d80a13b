/**
 * Who owns what on a fake chain: a fixed cast of accounts and contracts, and a fixed rhythm of
 * transactions, chosen so that nonces and balances at any height have a closed form.
 *
 * Blocks carry 3, 1, 4, 2 transactions in turn. Slot i is always sent by account i to account 4 + i:
 * slot 0 moves ether, slot 1 moves token A, slot 2 swaps A for B in a pool, slot 3 moves token B and
 * renews an approval.
 */
import { noiseHex, noiseRatio } from "./noise.ts";

/** Calls to this address always revert with `Error("paceline fake: always reverts")`. */
export const REVERTER_ADDRESS = "0x000000000000000000000000000000000000dead";
/** The data of that revert: selector of `Error(string)` and the ABI-encoded message. */
export const REVERT_DATA =
  "0x08c379a0" +
  "0000000000000000000000000000000000000000000000000000000000000020" +
  "000000000000000000000000000000000000000000000000000000000000001d" +
  "706163656c696e652066616b653a20616c776179732072657665727473000000";

/** keccak256 of `Transfer(address,address,uint256)`, `Approval(..)` and Uniswap v2's `Swap(..)`. */
export const TOPIC_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TOPIC_APPROVAL = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";
const TOPIC_SWAP = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822";

/** One event of a transaction, before it has a block. */
export interface LedgerEvent {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** One transaction of the rhythm, before it has a block. */
export interface LedgerTransaction {
  readonly from: string;
  readonly to: string;
  readonly nonce: number;
  readonly value: bigint;
  readonly input: string;
  readonly gasUsed: number;
  readonly events: readonly LedgerEvent[];
}

/** Transactions in the block of a height. */
export function transactionCount(number: number): number {
  return RHYTHM[number & 3] ?? 0;
}

/** The accounts, contracts, transactions and balances of one chain. */
export class Ledger {
  readonly accounts: readonly string[];
  readonly tokenA: string;
  readonly tokenB: string;
  readonly pool: string;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.accounts = Array.from({ length: 8 }, (_, i) => noiseHex(seed, 20, TAG_ACCOUNT, i));
    this.tokenA = noiseHex(seed, 20, TAG_CONTRACT, 0);
    this.tokenB = noiseHex(seed, 20, TAG_CONTRACT, 1);
    this.pool = noiseHex(seed, 20, TAG_CONTRACT, 2);
  }

  /** Who mined a block; orphans come from another miner. */
  miner(number: number, branch: number): string {
    return noiseHex(
      this.#seed,
      20,
      TAG_MINER,
      Math.floor(noiseRatio(this.#seed, number, branch) * 5),
    );
  }

  /** The transaction in slot `index` of a height. */
  transaction(number: number, index: number): LedgerTransaction {
    const from = this.accounts[index] ?? "";
    const to = this.accounts[index + SENDERS] ?? "";
    const nonce = sentBefore(index, number);
    const amount = word(AMOUNT);
    const transfer = (token: string, payer: string, payee: string): LedgerEvent => ({
      address: token,
      topics: [TOPIC_TRANSFER, pad(payer), pad(payee)],
      data: `0x${amount}`,
    });
    const moves = `0xa9059cbb${pad(to).slice(2)}${amount}`;
    switch (index) {
      case 0:
        return { from, to, nonce, value: ETHER_MOVED, input: "0x", gasUsed: 21_000, events: [] };
      case 1: {
        const events = [transfer(this.tokenA, from, to)];
        return { from, to: this.tokenA, nonce, value: 0n, input: moves, gasUsed: 51_204, events };
      }
      case 2: {
        const events = [
          transfer(this.tokenA, from, this.pool),
          transfer(this.tokenB, this.pool, to),
          {
            address: this.pool,
            topics: [TOPIC_SWAP, pad(from), pad(to)],
            data: `0x${amount}${word(0n)}${word(0n)}${amount}`,
          },
        ];
        const input = `0x022c0d9f${word(0n)}${amount}${pad(to).slice(2)}`;
        return { from, to: this.pool, nonce, value: 0n, input, gasUsed: 118_377, events };
      }
      default: {
        const approval = { ...transfer(this.tokenB, from, this.pool) };
        const events = [
          transfer(this.tokenB, from, to),
          { ...approval, topics: [TOPIC_APPROVAL, pad(from), pad(this.pool)] },
        ];
        return { from, to: this.tokenB, nonce, value: 0n, input: moves, gasUsed: 74_910, events };
      }
    }
  }

  /** Transactions that `address` had sent up to and with block `head`. */
  nonce(address: string, head: number): number {
    const index = this.accounts.indexOf(address.toLowerCase());
    return index >= 0 && index < SENDERS ? sentBefore(index, head + 1) : 0;
  }

  /** Wei of an address at block `head`; strangers own nothing. */
  balance(address: string, head: number): bigint {
    const index = this.accounts.indexOf(address.toLowerCase());
    if (index < 0) return 0n;
    const first = BigInt(sentBefore(0, head + 1));
    if (index === 0) return GRANT - first * (ETHER_MOVED + FEE);
    if (index === SENDERS) return GRANT + first * ETHER_MOVED;
    return GRANT - BigInt(this.nonce(address, head)) * FEE;
  }

  /** Token units of an address at block `head`. */
  tokenBalance(token: string, address: string, head: number): bigint {
    const index = this.accounts.indexOf(address.toLowerCase());
    if (index < 0) return 0n;
    const moved = (slot: number): bigint => BigInt(sentBefore(slot, head + 1)) * AMOUNT;
    if (token === this.tokenA) {
      if (index === 1 || index === 2) return GRANT - moved(index);
      return index === 5 ? GRANT + moved(1) : GRANT;
    }
    if (index === 3) return GRANT - moved(3);
    return index === 6 || index === 7 ? GRANT + moved(index - SENDERS) : GRANT;
  }

  /** Whether an address has code, and which. */
  code(address: string): string {
    const clean = address.toLowerCase();
    if (clean === REVERTER_ADDRESS) return "0x60006000fd";
    if (clean !== this.tokenA && clean !== this.tokenB && clean !== this.pool) return "0x";
    return `0x6080604052${noiseHex(this.#seed, 96, TAG_CODE, clean.length).slice(2)}`;
  }
}

/** An address as a 32-byte word. */
export function pad(address: string): string {
  return `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;
}

/** A number as 64 hex digits without prefix. */
export function word(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

/** How often a slot was filled in blocks 0 .. number - 1. */
function sentBefore(slot: number, number: number): number {
  const turns = Math.floor(number / RHYTHM.length);
  let sent = 0;
  for (let i = 0; i < RHYTHM.length; i++) {
    if ((RHYTHM[i] ?? 0) <= slot) continue;
    sent += turns + (i < number % RHYTHM.length ? 1 : 0);
  }
  return sent;
}

const RHYTHM = [3, 1, 4, 2];
const SENDERS = 4;
const GRANT = 10n ** 24n;
const AMOUNT = 25n * 10n ** 15n;
const ETHER_MOVED = 10n ** 15n;
const FEE = 21_000n * 10n ** 9n;
const TAG_ACCOUNT = 11;
const TAG_CONTRACT = 12;
const TAG_MINER = 13;
const TAG_CODE = 14;
