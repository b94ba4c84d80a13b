/**
 * What travels beside a call that one region passes on to another: who asks whom, for which chain, and
 * the proof that both are of one cluster. It holds for one body, one target and one moment.
 *
 * The signature is an HMAC-SHA256 by a key made from the cluster's secret, over the ticket and the hash
 * of the body; the channel enters it as it does in messages. No clock does: the moment is the target's
 * last message that the sender has heard, as in `envelope.ts`.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { isCount } from "../../lib/count.ts";
import { secretKey } from "../../lib/secret-key.ts";
import { isName } from "../checks.ts";

/** The claims of a ticket. */
export interface Ticket {
  /** Who passes the call on. */
  readonly region: string;
  readonly instance: string;
  /** Counts the tickets of that instance from 1. */
  readonly number: number;
  /** Who shall serve it. */
  readonly to: string;
  readonly toInstance: string;
  /** Number of the last message of `toInstance` that was heard. */
  readonly heard: number;
  readonly chain: string;
  readonly chainId: number;
  /** Regions that the call has passed, this one included; never more than one. */
  readonly hops: number;
  /** Time that is left for it, ms. */
  readonly timeoutMs: number;
}

/** What was found in a ticket's text. */
export type OpenedTicket =
  | { readonly ok: true; readonly ticket: Ticket }
  | { readonly ok: false; readonly refusal: "malformed" | "unsigned" };

/** Changes whenever regions of an older layout could not read a ticket. */
const LAYOUT = "PLH1";
const MAC_BYTES = 32;
/** Longer texts are not looked at. */
const MAX_CHARS = 2_048;

/** Signs and opens the tickets of one cluster. */
export class Tickets {
  readonly #key: Buffer;
  readonly #channel: string;

  constructor(secret: string, channel: string) {
    this.#key = secretKey("help 1", secret);
    this.#channel = channel;
  }

  /** The text of a ticket for a call. */
  seal(ticket: Ticket, body: Buffer): string {
    const claims = [
      ticket.region,
      ticket.instance,
      ticket.number,
      ticket.to,
      ticket.toInstance,
      ticket.heard,
      ticket.chain,
      ticket.chainId,
      ticket.hops,
      ticket.timeoutMs,
    ];
    const text = Buffer.from(JSON.stringify(claims)).toString("base64url");
    return `${text}.${this.#mac(text, body).toString("base64url")}`;
  }

  /** Reads a ticket; its signature is checked before anything is parsed. */
  open(text: string, body: Buffer): OpenedTicket {
    const dot = text.indexOf(".");
    if (dot < 0 || text.length > MAX_CHARS) return { ok: false, refusal: "malformed" };
    const claims = text.slice(0, dot);
    const mac = Buffer.from(text.slice(dot + 1), "base64url");
    if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, this.#mac(claims, body))) {
      return { ok: false, refusal: "unsigned" };
    }
    const ticket = ticketOf(Buffer.from(claims, "base64url").toString("utf8"));
    return ticket === undefined ? { ok: false, refusal: "malformed" } : { ok: true, ticket };
  }

  #mac(claims: string, body: Buffer): Buffer {
    return createHmac("sha256", this.#key)
      .update(this.#channel)
      .update(`\0${LAYOUT}\0${claims}\0`)
      .update(createHash("sha256").update(body).digest())
      .digest();
  }
}

const ticketOf = (json: string): Ticket | undefined => {
  let claims: unknown;
  try {
    claims = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(claims)) return undefined;
  const [region, instance, number, to, toInstance, heard, chain, chainId, hops, timeoutMs] =
    claims as readonly unknown[];
  const isRead =
    isName(region) &&
    isName(instance) &&
    isCount(number) &&
    isName(to) &&
    isName(toInstance) &&
    isCount(heard) &&
    isName(chain) &&
    isCount(chainId) &&
    isCount(hops) &&
    isCount(timeoutMs);
  return isRead
    ? { region, instance, number, to, toInstance, heard, chain, chainId, hops, timeoutMs }
    : undefined;
};
