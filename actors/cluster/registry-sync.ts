/**
 * Shares the registered names of this region, and takes in those of the others.
 *
 * Both lie in the host's `Cluster`; a restart reads the registry anew. Permanent. Names change seldom,
 * so what changes within a moment goes out together.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Message } from "../../src/cluster/protocol.ts";
import { refusalsTold, tellMalformed } from "../../src/cluster/refusals.ts";
import type { Seldom } from "../../src/lib/seldom.ts";
import { defineActor, keyFor } from "../../src/otp/index.ts";

/** The names of this region. */
export interface NamesPort {
  listen(
    listener: (change: "register" | "unregister", name: string, pid: string) => void,
  ): () => void;
  select(prefix: string): readonly { readonly name: string; readonly pid: string }[];
}

/** What the process joins. */
export interface RegistrySyncArgs {
  readonly cluster: Cluster;
  readonly names: NamesPort;
  readonly channel: { readonly isUp: boolean; publish(bytes: Buffer): void };
}

interface State extends RegistrySyncArgs {
  readonly told: Seldom;
}

/** How long changes are gathered, ms. */
const FLUSH_MS = 200;

/** The sharing of names. */
export const registrySync = defineActor({
  name: "cluster/registry-sync",
  mailbox: { max: 2_000, overflow: "drop-oldest" },
  init: (args: RegistrySyncArgs, ctx): State => {
    const { own } = args.cluster.names;
    // Called wherever a name changes: it only notes the change.
    const release = args.names.listen((change, name, pid) => {
      if (change === "register") own.set(name, pid);
      else own.delete(name);
    });
    ctx.signal.addEventListener("abort", release, { once: true });
    const held = new Map(args.names.select("").map(({ name, pid }) => [name, pid]));
    for (const name of own.keys()) if (!held.has(name)) own.delete(name);
    for (const [name, pid] of held) if (own.get(name) !== pid) own.set(name, pid);
    ctx.every(FLUSH_MS, "flush");
    return { ...args, told: refusalsTold() };
  },
  casts: {
    take: (state, message: Message, ctx) => {
      if (!state.cluster.takeNews("names", message)) {
        tellMalformed(state.told, message, ctx);
      }
      return state;
    },
  },
  on: (state, info, ctx) => {
    const { cluster, channel } = state;
    if (info.type !== "timer" || !channel.isUp || cluster.membership.state !== "joined")
      return state;
    for (const bytes of cluster.news("names", ctx.now())) channel.publish(bytes);
    return state;
  },
  formatState: ({ cluster: { names } }) => ({
    names: names.own.size,
    dropped: names.own.dropped,
    regions: names.regions().map((region) => ({ region, names: names.sizeOf(region) })),
  }),
});

/** Finds the sharing of names. */
export const registrySyncKey = keyFor(registrySync);
