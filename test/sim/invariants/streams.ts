/** A subscriber is told one true story. */
import type { StreamRecord } from "../load/subscriber.ts";
import { wrong, type Invariant } from "./invariant.ts";

const BLOCK_MS = 1_000;
/** How far behind the chain a subscriber may be at the end, after healing. */
const BEHIND_MS = 5_000;

/** The first thing that is wrong in a sequence of heads. */
const brokenLink = ({ heads }: StreamRecord): string | undefined => {
  const known = new Set<string>();
  for (const [index, head] of heads.entries()) {
    const last = heads[index - 1];
    if (last !== undefined) {
      if (head.hash === last.hash) return `double of ${head.number}`;
      if (head.number > last.number + 1) return `jump from ${last.number} to ${head.number}`;
      // A reorganisation goes back to a block the client knows; it never jumps ahead of it.
      const isLinked = head.parentHash === last.hash || known.has(head.parentHash);
      if (!isLinked && head.number > last.number) return `hole before ${head.number}`;
    }
    known.add(head.hash);
  }
  return undefined;
};

/** Too few heads for the time it listened. */
const starved = ({ heads, openedAtMs, untilMs, closedWith, subscriptionIds }: StreamRecord) => {
  if (closedWith !== undefined || subscriptionIds.length === 0 || heads.length === 0) return false;
  const told =
    (heads.at(-1) as { number: number }).number - (heads[0] as { number: number }).number;
  return (told + 1) * BLOCK_MS < untilMs - openedAtMs - BEHIND_MS;
};

/** Whoever was connected when the records were lost is told so. */
const isTold = ({ closedWith, untilMs }: StreamRecord, losses: readonly number[]): boolean =>
  closedWith?.includes("were lost") === true && losses.some((atMs) => atMs <= untilMs);

/** Heads linked, none missing, none twice; logs neither twice nor retracted unsent; one id. */
export const streams: Invariant = {
  name: "streams",
  claim:
    "subscribers see linked heads without hole or double under one id, which lead to the chain as it is, and no log twice; only slow ones are closed, those of a removed chain, and those told of a gap that no good provider could fill",
  judge: ({ streams: all, losses }) =>
    wrong(all, (stream) => {
      const { client, chain, mayClose, closedWith, subscriptionIds, logFaults } = stream;
      const who = `subscriber ${client} of ${chain}`;
      const isExplained = mayClose || isTold(stream, losses);
      if (closedWith !== undefined && !isExplained) return `${who} was closed: ${closedWith}`;
      if (subscriptionIds.length > 1) return `${who} saw ids ${subscriptionIds.join(", ")}`;
      if (subscriptionIds.length === 0 && !mayClose) return `${who} never got its subscription`;
      if (logFaults[0] !== undefined) return `${who}: ${logFaults[0]}`;
      if (stream.headFaults[0] !== undefined) return `${who}: ${stream.headFaults[0]}`;
      const fault = brokenLink(stream);
      if (fault !== undefined) return `${who}: ${fault}`;
      return starved(stream) ? `${who} got only ${stream.heads.length} heads` : undefined;
    }),
};
