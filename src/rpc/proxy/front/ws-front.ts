/** The WebSocket face of the gateway: which handshakes are taken, and the session behind each. */
import { OWN_ERRORS } from "../../errors/codes.ts";
import type { ChainName } from "../../ids.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import type { Entered } from "../../clients/client-gate.ts";
import { originOf } from "../../clients/visit.ts";
import type { Engine } from "../engine.ts";
import { chainFault, enter, FREE, optionsFault, optionsOf } from "./entrance.ts";
import { readHeaders } from "./headers.ts";
import type { SessionSink } from "../ports.ts";
import type { Route, RouteFault } from "./route.ts";
import { readRoute } from "./route.ts";
import { WsSession } from "./ws-session.ts";

/** What becomes of a handshake. */
export type Admission =
  | { readonly ok: true; readonly route: Route; readonly entered: Guest }
  /** Refused with this HTTP status and JSON body. */
  | { readonly ok: false; readonly status: number; readonly body: string };

/** Who came in, and the consumer whose lists hold for the connection. */
export interface Guest extends Entered {
  readonly consumer?: string | undefined;
}

/** Takes WebSocket clients. */
export class WsFront {
  readonly #engine: Engine;
  readonly #sessions = new Set<WsSession>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Clients that are connected. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Calls of all clients that wait for their answer. */
  get inFlight(): number {
    let count = 0;
    for (const session of this.#sessions) count += session.inFlight;
    return count;
  }

  /** Subscriptions of all clients together. */
  get subscriptionCount(): number {
    let count = 0;
    for (const session of this.#sessions) count += session.subscriptionCount;
    return count;
  }

  /**
   * Closes every client that believes in a subscription to `chain` which nobody serves; answers how
   * many. The sessions know them also when the processes and tables of the chain are gone.
   */
  closeSubscribers(chain: ChainName, reason: string): number {
    const sessions = [...this.#sessions];
    return sessions.filter((session) => session.closeSubscriber(chain, reason)).length;
  }

  /** Closes the clients whose API key is gone; answers how many. */
  closeRevoked(): number {
    return [...this.#sessions].filter((session) => session.closeRevoked()).length;
  }

  /**
   * Judges a handshake by its sender, its path and its headers, whose directives hold for the whole
   * connection; an unknown chain never gets a default.
   */
  admit(url: string, rawHeaders: readonly string[], remoteAddress?: string): Admission {
    const { deps, gate } = this.#engine;
    if (deps.isDraining()) {
      return refused({ reason: "draining", message: "this instance is shutting down" });
    }
    const read = readRoute(url);
    if (!read.ok) return refused(read.fault);
    const entered = enter(this.#engine, { url, rawHeaders, remoteAddress });
    if (!entered.ok) return refused(entered);
    // No browser asks before it opens a socket: a page that may not read answers is told here.
    const origin = gate.cors.isOn ? originOf(rawHeaders) : undefined;
    if (origin !== undefined && !gate.cors.allows(origin)) {
      return refused({ reason: "not_allowed", message: "this origin may not connect" });
    }
    const { caller } = entered;
    const options = optionsOf(this.#engine, read.route, caller);
    if ("reason" in options) return refused(options);
    const chain = deps.chains.find(read.route.chainKey);
    if (chain === undefined) return refused(chainFault(read.route));
    if (caller?.mayUseChain(chain.name) === false) {
      const message = `${caller.id} may not use ${chain.name}`;
      return refused({ reason: "not_allowed", message });
    }
    const directed = readHeaders(rawHeaders, url, options, false, caller?.mayDirect);
    if ("reason" in directed) return refused(directed);
    // An id of the handshake names none of the requests on it.
    const route = { ...read.route, options: { ...directed, clientRequestId: undefined } };
    const missing = optionsFault(chain, route, route.options);
    if (missing !== undefined) return refused(missing);
    const { paired } = this.#engine;
    const consumer = paired?.consumerOf(caller, rawHeaders);
    const listed = paired?.optionsOf(route.options, consumer, chain.name);
    if (listed !== undefined && "reason" in listed) return refused(listed);
    const crowded = caller?.crowded("connections");
    if (crowded !== undefined) return refused(crowded);
    return {
      ok: true,
      route,
      entered: consumer === undefined ? entered : { ...entered, consumer },
    };
  }

  /** Starts the session of an admitted client; the driver calls its `onMessage` and `onClose`. */
  open(route: Route, sink: SessionSink, url: string, entered: Guest = FREE): ClientSession {
    const session = new WsSession(this.#engine, route, entered, sink, () => url);
    this.#sessions.add(session);
    const { caller } = entered;
    caller?.take("connections");
    return {
      onMessage: (body) => session.onMessage(body),
      get inFlight() {
        return session.inFlight;
      },
      onClose: () => {
        if (this.#sessions.delete(session)) caller?.give("connections");
        session.onClose();
      },
    };
  }
}

/** What the driver tells a client's session. */
export interface ClientSession {
  onMessage(body: Buffer): void;
  onClose(): void;
  /** Calls and batches that wait for an answer. */
  readonly inFlight: number;
}

function refused({ reason, message }: RouteFault): Admission {
  const { code, status } = OWN_ERRORS[reason];
  return { ok: false, status, body: errorText("null", code, message, { reason }) };
}
