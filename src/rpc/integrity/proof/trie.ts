/**
 * The root of a Merkle-Patricia trie over a list, keyed by RLP of the position (yellow paper,
 * appendix D): what the roots of transactions and receipts in a header are.
 */
import { keccak256 } from "../../../lib/keccak256.ts";
import { bigEndian, rlp, type RlpItem } from "../../../lib/rlp.ts";

interface Leaf {
  /** The key as nibbles. */
  readonly path: readonly number[];
  readonly value: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** The root hash of a list of values. */
export function listRoot(values: readonly Uint8Array[]): Buffer {
  const leaves = values.map((value, index) => ({
    path: nibbles(rlp(bigEndian(BigInt(index)))),
    value,
  }));
  if (leaves.length === 0) return Buffer.from(keccak256(rlp(NOTHING)));
  return Buffer.from(keccak256(rlp(node(leaves, 0))));
}

function nibbles(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
}

/** The node of all leaves that share their first `depth` nibbles. */
function node(leaves: readonly Leaf[], depth: number): RlpItem {
  const [first] = leaves as readonly [Leaf];
  if (leaves.length === 1) return [compact(first.path.slice(depth), true), first.value];
  const shared = sharedDepth(leaves, depth);
  if (shared > depth) {
    return [compact(first.path.slice(depth, shared), false), reference(node(leaves, shared))];
  }
  const children: RlpItem[] = [];
  for (let nibble = 0; nibble < 16; nibble++) {
    const below = leaves.filter(({ path }) => path[depth] === nibble);
    children.push(below.length === 0 ? NOTHING : reference(node(below, depth + 1)));
  }
  // No RLP of a position is the beginning of another one's, so no value ends at a branch.
  return [...children, NOTHING];
}

function sharedDepth(leaves: readonly Leaf[], depth: number): number {
  const [first] = leaves as readonly [Leaf];
  let shared = depth;
  while (
    shared < first.path.length &&
    leaves.every(({ path }) => path[shared] === first.path[shared])
  ) {
    shared++;
  }
  return shared;
}

/** A node of 32 bytes or more is named by its hash, a shorter one stands for itself. */
function reference(item: RlpItem): RlpItem {
  const encoded = rlp(item);
  return encoded.length < 32 ? item : keccak256(encoded);
}

/** Hex-prefix encoding of a path (yellow paper, appendix C). */
function compact(path: readonly number[], isLeaf: boolean): Uint8Array {
  const flag = (isLeaf ? 2 : 0) + (path.length % 2);
  const all = path.length % 2 === 0 ? [flag, 0, ...path] : [flag, ...path];
  const bytes = new Uint8Array(all.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = ((all[at * 2] as number) << 4) | (all[at * 2 + 1] as number);
  }
  return bytes;
}
