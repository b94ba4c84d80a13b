/**
 * What of a caller's wishes makes its answer, or its failure, another one than that of an equal call:
 * calls share an attempt only where all of it is the same. How the answer is sent does not matter,
 * nor does time: who has more of it than the flight does not join.
 */
import { PLAIN_OPTIONS, type CallOptions } from "../call.ts";

/** The part of a flight's key that its caller's wishes make; nearly every caller has none. */
export function viewKey(options: CallOptions): string {
  if (options === PLAIN_OPTIONS) return "";
  // Options are made anew for many calls: a memory of them, even a weak one, costs more than this.
  for (const name of NAMES) {
    if (options[name] !== PLAIN_OPTIONS[name] && name !== "paired") return spell(options);
  }
  return options.paired?.key ?? "";
}

function spell(options: CallOptions): string {
  const words = NAMES.map((name) => [name, wordOf(options, name)] as const);
  const differing = words.filter(([name, word]) => word !== wordOf(PLAIN_OPTIONS, name));
  return differing.map(([name, word]) => `${name}=${word}`).join("&");
}

/**
 * A profile is known by its name; what is left in its bucket changes with every call. A list is known
 * by its members: consumers who are paired alike share what they ask.
 */
function wordOf(options: CallOptions, name: Shared): string | undefined {
  if (name === "paired") return options.paired?.key;
  return JSON.stringify(name === "profile" ? options.profile?.name : options[name]);
}

/** Options that leave the answer what it is. */
type Unshared =
  | "isDirected"
  | "timeoutMs"
  | "meta"
  | "noCache"
  | "asksAll"
  | "clientRequestId"
  | "session";
type Shared = Exclude<keyof CallOptions, Unshared>;

/** Every other option, so that a new one must be sorted in to compile. */
const VIEW: Readonly<Record<Shared, true>> = {
  strategy: true,
  provider: true,
  transport: true,
  failover: true,
  leavesProvider: true,
  maxAttempts: true,
  noHedge: true,
  hedgeMs: true,
  quorum: true,
  prefer: true,
  consistency: true,
  maxCost: true,
  exclude: true,
  profile: true,
  paired: true,
  // A flight that waits for another region must not be joined by what that region has passed on.
  isHelped: true,
};
const NAMES = Object.keys(VIEW) as Shared[];
