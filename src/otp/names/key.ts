/**
 * Typed registry keys: a name that remembers the protocol of whoever holds it.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const cache = defineActor({
 *   name: "rpc/cache",
 *   init: (_args: undefined) => new Map<string, string>(),
 *   calls: { get: (state, key: string) => reply(state, state.get(key)) },
 *   casts: {
 *     put: (state, row: { readonly key: string; readonly value: string }) =>
 *       state.set(row.key, row.value),
 *   },
 * });
 * const cacheKey = keyFor(cache, "chain");
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(cache, undefined, { register: cacheKey("eth") })] }),
 * );
 * console.log(cacheKey("eth").name);
 * const ref = node.via(cacheKey("eth"));
 * ref.cast.put({ key: "tip", value: "0x10" });
 * console.log(await ref.call.get("tip"));
 * console.log(node.whereis(cacheKey("btc")));
 * await node.stop();
 * ```
 *
 * ```text
 * rpc/chain/eth/cache
 * 0x10
 * undefined
 * ```
 *
 * A key costs nothing to make and may be made before its holder lives. Three ways to use it: `register`
 * in a child spec holds it from before init until death; `whereis(key)` gives the ref of the present
 * holder, a pid that goes stale; `via(key)` gives a ref that looks the holder up at every send, so that
 * restarts are transparent. The number of parts is checked by the compiler, and a key of another
 * protocol is not accepted where a definition is expected.
 *
 * A name that is taken fails the start of the second process with `["already_started", pid]`.
 */
import type { AnyDef } from "../actor/definition.ts";
import type { Facets } from "../process/ref.ts";

declare const protocol: unique symbol;

/** A registry name whose holder speaks the protocol of `D`. */
export interface Key<D extends AnyDef = AnyDef> {
  /** The registered name. */
  readonly name: string;
  /** For the runtime: methods of the protocol. */
  readonly facets: Facets;
  readonly [protocol]?: D;
}

/**
 * Makes the key function of a definition: `keyFor(def, "chain", "provider")("eth", "a").name` is
 * `rpc/chain/eth/provider/a/ws-connection` for the definition `rpc/ws-connection`.
 */
export function keyFor<D extends AnyDef, const P extends readonly string[]>(
  def: D,
  ...parts: P
): (...values: { readonly [I in keyof P]: string }) => Key<D> {
  const slash = def.name.lastIndexOf("/");
  const domain = def.name.slice(0, slash + 1);
  const base = def.name.slice(slash + 1);
  return (...values) => {
    let name = domain;
    for (const [index, part] of parts.entries()) name += `${part}/${String(values[index])}/`;
    return { name: name + base, facets: def.facets };
  };
}
