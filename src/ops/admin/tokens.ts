/** Who a token makes of a connection. */
import { createHash, timingSafeEqual } from "node:crypto";
import { tokenId } from "./audit.ts";
import type { Role } from "./protocol.ts";

/** The tokens of this start, one per role above viewer. */
export class Tokens {
  readonly #known: readonly { readonly role: Role; readonly id: string; readonly hash: Buffer }[];

  constructor(byRole: Readonly<Partial<Record<Role, string>>>) {
    this.#known = (Object.entries(byRole) as [Role, string][]).map(([role, token]) => ({
      role,
      id: tokenId(token),
      hash: hashOf(token),
    }));
  }

  /** The role of a token; every known token is compared, each in constant time. */
  roleOf(token: string): { readonly role: Role; readonly id: string } | undefined {
    const hash = hashOf(token);
    const matches = this.#known.filter((known) => timingSafeEqual(known.hash, hash));
    return matches[0];
  }
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
