/**
 * A message as it travels: layout, signature, JSON.
 *
 * The signature is an HMAC-SHA256 by a key made from the cluster's secret; the channel enters it, so
 * that what was said in one installation means nothing in another. It is checked before anything is
 * parsed. A Redis that others write into can thus withhold messages, but not make one.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isCount } from "../lib/count.ts";
import { secretKey } from "../lib/secret-key.ts";
import { isName } from "./checks.ts";
import { type Heard, KINDS, type Message, type MessageKind, type Refusal } from "./protocol.ts";

/** Changes whenever regions of an older layout could not read a message. */
const LAYOUT = "PLR1";
/** What every layout begins with. */
const LAYOUT_FAMILY = "PLR";
const MAC_BYTES = 32;
const HEAD_BYTES = LAYOUT.length + MAC_BYTES;
/** Heavier messages are not looked at. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** Regions that one message may speak of. */
export const MAX_HEARD = 256;
/** Messages of our own that are known when they come back. */
const MAX_ECHOES = 64;

/** What was found in a message's bytes. */
export type Opened =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly refusal: Refusal; readonly detail: string };

/** Signs and opens the messages of one cluster on one channel. */
export class Envelopes {
  readonly #key: Buffer;
  readonly #channel: string;
  /** Signatures of what was sealed last; oldest first. */
  readonly #echoes = new Set<string>();

  constructor(secret: string, channel: string) {
    this.#key = secretKey("cluster 1", secret);
    this.#channel = channel;
  }

  seal(message: Message): Buffer {
    const heard = message.heard.map((one) => [
      one.region,
      one.instance,
      one.incarnation,
      one.sequence,
      one.names,
      one.boards,
    ]);
    const { region: r, instance: i, incarnation: n, sequence: s, kind: k, payload: p } = message;
    const body = Buffer.from(JSON.stringify({ r, i, n, s, k, h: heard, p }));
    const bytes = Buffer.concat([Buffer.from(LAYOUT), this.#mac(body), body]);
    this.#echoes.add(macOf(bytes));
    const [oldest] = this.#echoes;
    if (this.#echoes.size > MAX_ECHOES && oldest !== undefined) this.#echoes.delete(oldest);
    return bytes;
  }

  /** One of the last messages of our own has come back: a third of all that is heard, told at a glance. */
  isEcho(bytes: Buffer): boolean {
    return this.#echoes.has(macOf(bytes));
  }

  open(bytes: Buffer): Opened {
    if (bytes.length > MAX_MESSAGE_BYTES) return refused("oversized", `${bytes.length} bytes`);
    const layout = bytes.toString("latin1", 0, LAYOUT.length);
    if (layout !== LAYOUT) {
      const isOurs = layout.startsWith(LAYOUT_FAMILY);
      return refused("foreign", isOurs ? `layout ${layout.slice(3)}` : "not a message of ours");
    }
    const body = bytes.subarray(HEAD_BYTES);
    const mac = bytes.subarray(LAYOUT.length, HEAD_BYTES);
    if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, this.#mac(body))) {
      return refused("unsigned", "the signature is not that of this cluster's secret");
    }
    const message = messageOf(body.toString("utf8"));
    return message === undefined ? refused("malformed", "its members") : { ok: true, message };
  }

  #mac(body: Buffer): Buffer {
    return createHmac("sha256", this.#key)
      .update(this.#channel)
      .update(`\0${LAYOUT}`)
      .update(body)
      .digest();
  }
}

const macOf = (bytes: Buffer): string => bytes.toString("latin1", LAYOUT.length, HEAD_BYTES);

const refused = (refusal: Refusal, detail: string): Opened => ({ ok: false, refusal, detail });

const messageOf = (json: string): Message | undefined => {
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof body !== "object" || body === null) return undefined;
  const {
    r: region,
    i: instance,
    n: incarnation,
    s: sequence,
    k,
    h,
    p: payload,
  } = body as Record<string, unknown>;
  const kind = KINDS.find((one): one is MessageKind => one === k);
  const heard = heardOf(h);
  const isRead =
    isName(region) &&
    isName(instance) &&
    isCount(incarnation) &&
    isCount(sequence) &&
    kind !== undefined &&
    heard !== undefined;
  return isRead ? { region, instance, incarnation, sequence, kind, heard, payload } : undefined;
};

const heardOf = (rows: unknown): readonly Heard[] | undefined => {
  if (!Array.isArray(rows) || rows.length > MAX_HEARD) return undefined;
  const heard: Heard[] = [];
  for (const row of rows as readonly unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [region, instance, incarnation, sequence, names, boards] = row as readonly unknown[];
    const isRead =
      isName(region) &&
      isName(instance) &&
      isCount(incarnation) &&
      isCount(sequence) &&
      isCount(names) &&
      isCount(boards);
    if (!isRead) return undefined;
    heard.push({ region, instance, incarnation, sequence, names, boards });
  }
  return heard;
};
