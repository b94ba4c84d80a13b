/**
 * Decides which calls read one block: the calls of a batch, all that a client asks in a session, or
 * none (`consistency`, json-rpc reference 8).
 */
import type { Call, CallOptions } from "../proxy/call.ts";
import type { ChainView } from "../proxy/ports.ts";
import { addNote } from "../explain/record.ts";
import { pinCall, readsMovingBlock } from "./pin.ts";
import { PinNote } from "./pin-note.ts";
import { ServedHeights } from "./served-heights.ts";
import { Sessions } from "./sessions.ts";
import { BatchPins, ProviderPins, type SessionPins, type TagPins, TipPins } from "./tag-pins.ts";

/** The pins of one gateway. */
export class Pinning {
  readonly served = new ServedHeights();
  readonly sessions = new Sessions(this.served);

  /**
   * What the tags of a client's calls stand for; `undefined` leaves them to whoever serves.
   * `connection` keeps the pins of a client that stays connected.
   */
  ofClient(
    chain: ChainView,
    options: CallOptions,
    nowMs: number,
    connection?: ConnectionPins,
  ): TagPins | undefined {
    const { session, consistency } = options;
    if (session === undefined && connection === undefined) return undefined;
    // Who names a session asks for it in so many words.
    const isNamed = session !== undefined && consistency === undefined;
    if (!isNamed && (consistency ?? chain.consistency) !== "session") return undefined;
    if (options.provider !== undefined) return new ProviderPins(chain, options.provider);
    return session === undefined
      ? connection?.of(chain, this.sessions)
      : this.sessions.of(chain, session, nowMs);
  }

  /** The calls of a batch, pinned when two or more of them read a block that moves. */
  ofBatch(calls: readonly Call[]): readonly Call[] {
    const [first] = calls;
    if (first === undefined || !this.#mayPin(first)) return calls;
    let readers = 0;
    for (const { body, envelope } of calls) {
      if (readsMovingBlock(body, envelope) && ++readers === 2) break;
    }
    if (readers < 2) return calls;
    const pins = new BatchPins(first.pins ?? this.#base(first));
    return calls.map((call) => ({ ...call, pins }));
  }

  /** Tags as they stand now for whoever the call may be served by. */
  #base({ chain, options }: Call): TagPins {
    return options.provider === undefined
      ? new TipPins(chain, this.served)
      : new ProviderPins(chain, options.provider);
  }

  #mayPin({ chain, options, pins }: Call): boolean {
    return pins !== undefined || (options.consistency ?? chain.consistency ?? "batch") !== "off";
  }
}

/** The call with the numbers of `pins` for its tags; itself when it has none, or one not known. */
export const pinned = (call: Call, pins: TagPins): Call => {
  const made = pinCall(call.body, call.envelope, (tag) => pins.numberOf(tag));
  if (made === undefined) return call;
  const known: Call = { ...call, ...made };
  addNote(known, new PinNote(made.pin));
  return known;
};

/** The session that a connection is, made at its first use. */
export class ConnectionPins {
  #chain: ChainView | undefined;
  #pins: SessionPins | undefined;
  #hearsHeads = false;

  /** The client has subscribed to heads: what it was told of, its calls must find. */
  hearHeads(): void {
    this.#hearsHeads = true;
    if (this.#pins !== undefined) this.#pins.hearsHeads = true;
  }

  of(chain: ChainView, sessions: Sessions): SessionPins {
    if (this.#pins === undefined || this.#chain !== chain) {
      this.#chain = chain;
      this.#pins = sessions.open(chain);
      this.#pins.hearsHeads = this.#hearsHeads;
    }
    return this.#pins;
  }
}
