/**
 * Typed registry keys: a name that remembers the protocol of whoever holds it.
 */
import type { AnyDef } from "../actor/definition.ts";
import type { Facets } from "../process/ref.ts";

declare const protocol: unique symbol;

/** A registry name whose holder speaks the protocol of `D`. */
export interface Key<D extends AnyDef = AnyDef> {
  readonly name: string;
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
