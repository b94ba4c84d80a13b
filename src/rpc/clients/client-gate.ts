/**
 * The door for clients: who may come in, by key, address, origin and profile, and what each call of
 * theirs costs. Closed to nobody and free of cost as long as nothing is configured.
 */
import type { ClientsConfig, CorsConfig, ProfileConfig } from "../../../config/schema.ts";
import type { RateBucket } from "../../lib/rate-bucket.ts";
import { AddressBuckets } from "./address-buckets.ts";
import { addressGroup, AddressRanges, clientAddress } from "../../lib/address-range.ts";
import type { Caller, CallRefusal } from "./caller.ts";
import { NO_LIMITS, REVOKED } from "./caller.ts";
import { CallerBook } from "./caller-book.ts";
import { Cors } from "./cors.ts";
import { type LimitedProfile, Profiles } from "./profiles.ts";
import { SharedLimits, type SharedScripts } from "./shared-limits.ts";
import { UnitTable } from "./units.ts";
import type { Visit } from "./visit.ts";

/** The parts of the configuration that concern clients. */
export interface GateConfig {
  readonly clients: ClientsConfig;
  readonly cors: CorsConfig;
  readonly profiles: Readonly<Record<string, ProfileConfig>>;
}

/** What the gate needs besides. */
export interface GateDeps {
  /** Wall-clock ms, for days and months. */
  readonly wallNow: () => number;
  readonly emit: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Where hosts share limits, when there is such a place. */
  readonly scripts?: SharedScripts | undefined;
}

/** Who came in; `caller` and `peer` are undefined where nothing is counted. */
export interface Entered {
  readonly ok: true;
  readonly caller: Caller | undefined;
  /** The bucket of the address. */
  readonly peer: RateBucket | undefined;
}

/** Who came in, or why not. */
export type Entry = Entered | ({ readonly ok: false } & CallRefusal);

/** The parts of a call that it is charged by. */
export interface Chargeable {
  readonly caller?: Caller | undefined;
  readonly peer?: RateBucket | undefined;
}

const UNCOUNTED: Entered = { ok: true, caller: undefined, peer: undefined };
/** How often days, months and the rare events are looked at, ms. */
const LOOK_MS = 1_000;
/** Refusals are told at most this often for each caller, ms. */
const TELL_MS = 10_000;

/** The gate of one gateway. */
export class ClientGate {
  readonly cors = new Cors();
  readonly profiles = new Profiles();
  readonly #deps: GateDeps;
  readonly #shared: SharedLimits;
  readonly #book: CallerBook;
  #units: UnitTable;
  #trusted = new AddressRanges([]);
  #addresses: AddressBuckets | undefined;
  #perIp: ClientsConfig["perIp"];
  #countsAnonymous = false;
  #wallOffsetMs = 0;
  #lookAtMs = 0;
  #tellAtMs = 0;
  #unauthorised = 0;
  readonly #told = new Map<Caller, number>();

  constructor(deps: GateDeps) {
    this.#deps = deps;
    this.#shared = new SharedLimits(deps.scripts);
    this.#book = new CallerBook(OPEN.clients, deps.wallNow());
    this.#units = new UnitTable({});
  }

  /** All callers, for those who look on. */
  get callers(): CallerBook {
    return this.#book;
  }

  /** Nobody is asked anything. */
  get isIdle(): boolean {
    return !this.#book.hasKeys && !this.#countsAnonymous && this.#addresses === undefined;
  }

  /** Takes another configuration; open connections stay, except those of keys that are gone. */
  configure({ clients, cors, profiles }: GateConfig): void {
    const { anonymous, perIp } = clients;
    this.#book.configure(clients, this.#deps.wallNow());
    this.#units = new UnitTable(clients.unitsByMethod);
    this.#trusted = new AddressRanges(clients.trustedProxies);
    const { rps, burst } = perIp ?? {};
    if (perIp === undefined) this.#addresses = undefined;
    else if (rps !== this.#perIp?.rps || burst !== this.#perIp?.burst) {
      this.#addresses = new AddressBuckets({ perSec: perIp.rps, burst: perIp.burst });
    }
    this.#perIp = perIp;
    const { perSecond, perDay, perMonth } = anonymous.units;
    this.#countsAnonymous =
      !anonymous.allowed ||
      [
        anonymous.rate,
        perSecond,
        perDay,
        perMonth,
        anonymous.concurrent,
        anonymous.connections,
        anonymous.subscriptions,
      ].some((limit) => limit !== undefined);
    this.cors.configure(cors);
    this.profiles.configure(profiles);
  }

  /** Judges whoever stands at the door; `peerAddress` is the other end of the connection. */
  enter(visit: Visit, peerAddress: string): Entry {
    if (this.isIdle) return UNCOUNTED;
    const { key, origin, forwardedFor } = visit;
    let caller: Caller | undefined;
    if (key !== undefined && this.#book.hasKeys) {
      caller = this.#book.find(key);
      if (caller === undefined) return this.#refused(REVOKED);
    } else if (!this.#book.isAnonymousAllowed) return this.#refused(KEY_NEEDED);
    else if (this.#countsAnonymous) caller = this.#book.anonymous;
    if (caller?.mayComeFrom(origin) === false) {
      return this.#refused({
        reason: "not_allowed",
        message: `${caller.id} may not be used from this origin`,
      });
    }
    const peer = this.#addresses?.of(
      addressGroup(clientAddress(peerAddress, forwardedFor, this.#trusted)),
    );
    return { ok: true, caller, peer };
  }

  /** The profile of a call: that of the path, else that of the caller's key. */
  profileOf(
    named: string | undefined,
    caller: Caller | undefined,
  ): LimitedProfile | CallRefusal | undefined {
    const name = named ?? caller?.profile;
    if (name === undefined) return undefined;
    if (caller?.mayUseProfile(named) === false) {
      return { reason: "not_allowed", message: `${caller.id} may not use this profile` };
    }
    return this.profiles.get(name);
  }

  /** Charges one call to its caller, its address and its profile, or says why it is not served. */
  charge(
    { caller, peer }: Chargeable,
    profile: LimitedProfile | undefined,
    chain: string,
    method: string,
    nowMs: number,
  ): CallRefusal | undefined {
    const waitMs = Math.max(peer?.waitMs(nowMs) ?? 0, profile?.bucket.waitMs(nowMs) ?? 0);
    if (waitMs > 0) {
      const whose = peer?.has(nowMs) === false ? "this address" : `profile ${profile?.name}`;
      const message = `${whose} is over its rate`;
      return { reason: "rate_limited", message, retryAfterMs: Math.ceil(waitMs) };
    }
    if (caller !== undefined) {
      if (!caller.mayUseChain(chain)) {
        caller.refused.denied++;
        return { reason: "not_allowed", message: `${caller.id} may not use ${chain}` };
      }
      const units = this.#units.of(method);
      const refusal = caller.charge(method, units, nowMs, nowMs + this.#wallOffsetMs);
      if (refusal !== undefined) return refusal;
    }
    peer?.spend(nowMs);
    profile?.bucket.spend(nowMs);
    return undefined;
  }

  /** Shares what was used, turns days and months, tells of refusals; call it every few ms. */
  tick(nowMs: number): void {
    if (nowMs >= this.#lookAtMs) {
      this.#lookAtMs = nowMs + LOOK_MS;
      const wallMs = this.#deps.wallNow();
      this.#wallOffsetMs = wallMs - nowMs;
      this.#book.turn(wallMs);
      if (nowMs >= this.#tellAtMs) this.#tell(nowMs);
    }
    if (!this.isIdle) this.#shared.tick(this.#book, nowMs);
  }

  #refused(refusal: CallRefusal): Entry {
    this.#unauthorised++;
    return { ok: false, ...refusal };
  }

  #tell(nowMs: number): void {
    this.#tellAtMs = nowMs + TELL_MS;
    const { emit } = this.#deps;
    if (this.#unauthorised > 0) emit("rpc.client.unauthorised", { count: this.#unauthorised });
    this.#unauthorised = 0;
    for (const caller of this.#book.all) {
      const { rate, quota, concurrent, denied, held } = caller.refused;
      const sum = rate + quota + concurrent + denied + held;
      const count = sum - (this.#told.get(caller) ?? 0);
      if (count === 0) continue;
      emit("rpc.client.refused", { key: caller.id, count });
      this.#told.set(caller, sum);
    }
    for (const caller of this.#told.keys()) if (caller.isRevoked) this.#told.delete(caller);
  }
}

const KEY_NEEDED: CallRefusal = {
  reason: "unauthorised",
  message: "an API key is needed: send it as X-Paceline-Key",
};

const OPEN: Pick<GateConfig, "clients"> = {
  clients: {
    keys: [],
    anonymous: { allowed: true, ...NO_LIMITS },
    perIp: undefined,
    trustedProxies: [],
    unitsByMethod: {},
  },
};
