/**
 * The channel on which regions talk: messages go out over the link that the host has anyway, and come
 * in over a connection of their own, for a connection that listens may do nothing else.
 */
import type { RedisChange, RedisLink } from "./link.ts";

/** Joins the two connections. */
export class RedisChannel {
  readonly #link: RedisLink;
  readonly #listener: RedisLink;
  readonly #name: string;

  /** `listener` is a link that listens to the channel `name`. */
  constructor(link: RedisLink, listener: RedisLink, name: string) {
    this.#link = link;
    this.#listener = listener;
    this.#name = name;
  }

  /** Messages are heard, and can be said. */
  get isUp(): boolean {
    return this.#link.isUp && this.#listener.isUp;
  }

  /** Callbacks are the caller's from now on; the link's own changes are told to its keeper. */
  adopt(changed: (change: RedisChange) => void, heard: (bytes: Buffer) => void): void {
    this.#listener.adopt({ changed, heard });
  }

  open(): void {
    this.#listener.open();
  }

  close(): void {
    this.#listener.close();
  }

  /** Lost without a word when the link is down or full. */
  publish(bytes: Buffer): void {
    this.#link.publish(this.#name, bytes);
  }

  /** Makes a dead connection show it: one that only listens is never answered. */
  probe(): void {
    this.#listener.ping();
  }

  /** Listens elsewhere: nothing is heard here, though everything seems to be well. */
  renew(): void {
    this.#listener.renew("no message comes back");
  }
}
