/** The request path's door to the hub of a chain: calls with typed faults, never a rejection. */
import type { ClientSink, HubPort, SubscribeReply, SubscriptionKind } from "../proxy/ports.ts";

/** A subscribe as the hub receives it. */
export interface SubscribeRequest {
  readonly sink: ClientSink;
  readonly kind: SubscriptionKind;
  /** Unchecked. */
  readonly filter: unknown;
  /** The last event the client saw, where it goes on; unchecked. */
  readonly resume: unknown;
}

/** A client who comes back with the id of a subscription that it had. */
export interface ResumeRequest {
  readonly sink: ClientSink;
  readonly id: string;
  /** Unchecked. */
  readonly cursor: unknown;
}

/** One subscription of one client. */
export interface SubscriptionId {
  readonly sinkId: number;
  readonly id: string;
}

type Outcome<T> = Promise<
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: unknown }
>;

interface CallTime {
  readonly timeoutMs: number;
}

/** A client who comes back waits for what it missed; the hub gives up earlier. */
const RESUMING: CallTime = { timeoutMs: 15_000 };

/** A hub process as the port needs it. */
export interface HubRef {
  readonly try: {
    subscribe(request: SubscribeRequest, options?: CallTime): Outcome<SubscribeReply>;
    resume(request: ResumeRequest, options?: CallTime): Outcome<SubscribeReply>;
    unsubscribe(subscription: SubscriptionId): Outcome<boolean>;
  };
  readonly cast: { drop(sinkId: number): void };
}

/** Makes the port; a hub that is being restarted refuses with -32002, which clients may retry. */
export const createHubPort = (hub: HubRef): HubPort => ({
  subscribe: async (sink, kind, filter, resume) => {
    const time = resume === undefined ? undefined : RESUMING;
    const result = await hub.try.subscribe({ sink, kind, filter, resume }, time);
    return result.ok ? result.value : restarting;
  },
  resume: async (sink, id, cursor) => {
    const result = await hub.try.resume({ sink, id, cursor }, RESUMING);
    return result.ok ? result.value : restarting;
  },
  unsubscribe: async (sink, id) => {
    const result = await hub.try.unsubscribe({ sinkId: sink.id, id });
    return result.ok && result.value;
  },
  drop: (sink) => hub.cast.drop(sink.id),
});

const restarting: SubscribeReply = {
  ok: false,
  code: -32002,
  message: "subscriptions are being restarted, try again",
  data: { reason: "overloaded" },
};
