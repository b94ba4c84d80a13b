/** The lists of one consumer as they lie in the table: those of now by chain, and some that were. */
import type { PairingList } from "./list.ts";

/** Name of the table; its keys are consumers. */
export const listsTable = "pairing/lists";

/** Lists of one consumer. */
export interface ListShelf {
  readonly current: ReadonlyMap<string, PairingList>;
  /** Newest first. */
  readonly past: readonly PairingList[];
}

/** Lists of earlier epochs that a chain keeps. */
const KEPT_EPOCHS = 8;

/** The shelf with another list. */
export function withList(shelf: ListShelf | undefined, list: PairingList): ListShelf {
  const before = shelf?.current.get(list.chain);
  const current = new Map(shelf?.current).set(list.chain, list);
  if (before === undefined || before.epoch === list.epoch) {
    return { current, past: shelf?.past ?? [] };
  }
  const others = (shelf?.past ?? []).filter(({ chain }) => chain !== list.chain);
  const own = (shelf?.past ?? []).filter(({ chain }) => chain === list.chain);
  return { current, past: [before, ...own.slice(0, KEPT_EPOCHS - 1), ...others] };
}

/** The shelf without a chain's lists; undefined when nothing is left. */
export function withoutChain(shelf: ListShelf, chain: string): ListShelf | undefined {
  const current = new Map([...shelf.current].filter(([name]) => name !== chain));
  if (current.size === 0) return undefined;
  return { current, past: shelf.past.filter((list) => list.chain !== chain) };
}

/** The list of an epoch, the one of now when none is named. */
export function listAt(
  shelf: ListShelf | undefined,
  chain: string,
  epoch: number | undefined,
): PairingList | undefined {
  const current = shelf?.current.get(chain);
  if (epoch === undefined || current?.epoch === epoch) return current;
  return shelf?.past.find((list) => list.chain === chain && list.epoch === epoch);
}
