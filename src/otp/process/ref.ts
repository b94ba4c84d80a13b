/**
 * References: what user code holds instead of a process.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   calls: { get: (state) => reply(state, state) },
 *   on: (state, info) => (info.type === "info" ? state + 1 : state),
 * });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey() })] }),
 * );
 * const pid = node.whereis(partKey());
 * const key = node.via(partKey());
 * pid?.send("anything");
 * console.log(pid?.id, await pid?.call.get());
 * node.inspector.exit("demo/part", "kill");
 * await node.settle();
 * console.log(pid?.isAlive, key.isAlive, String(key));
 * await node.stop();
 * ```
 *
 * ```text
 * #2 1
 * false true demo/part(#3)
 * ```
 *
 * A ref from a start or from `whereis` is a pid and goes stale; a ref made by `via` resolves its key at
 * send time. Sending to the dead never throws: casts and `send` are dropped and counted
 * (`otp.dead_letter`), calls fail with `noproc`. `send` may be called from anywhere, driver callbacks
 * included; it only enqueues. The call, try and cast facets get one method per handler when the actor
 * is defined, so that sending costs no reflection.
 */
import { CALL_TIMEOUT_MS, type CallOptions, placeCall } from "./calls.ts";
import type { Kernel } from "./kernel.ts";
import { CastType, Envelope, Kind } from "./message.ts";
import type { Process } from "./process.ts";
import { isZombie } from "./scope.ts";

/** Any process, without its protocol. */
export interface ProcessRef {
  /** The pid, such as "#12"; "#0" for a key that nobody holds now. */
  readonly id: string;
  /** Registered name or what it runs. */
  readonly name: string;
  /** False for a pid that has ended and for a key that nobody holds. */
  readonly isAlive: boolean;
  /** Mails `{ type: "info", payload }`; callable from driver callbacks; dropped and counted when dead. */
  send(payload: unknown): void;
}

/** Methods of one protocol; made once per definition. */
export interface Facets {
  readonly call: FacetClass;
  readonly try: FacetClass;
  readonly cast: FacetClass;
}

type FacetClass = new (ref: RefImpl) => object;

const NO_PROCESS = "#0";

/** Implementation of every ref. */
export class RefImpl implements ProcessRef {
  private readonly kernel: Kernel;
  private readonly process: Process | undefined;
  readonly key: string | undefined;
  private readonly facets: Facets;
  private callFacet: object | undefined = undefined;
  private tryFacet: object | undefined = undefined;
  private castFacet: object | undefined = undefined;

  constructor(
    kernel: Kernel,
    process: Process | undefined,
    key: string | undefined,
    facets: Facets,
  ) {
    this.kernel = kernel;
    this.process = process;
    this.key = key;
    this.facets = facets;
  }

  get id(): string {
    return this.resolve()?.pid ?? NO_PROCESS;
  }

  get name(): string {
    return this.key ?? this.process?.label ?? NO_PROCESS;
  }

  get isAlive(): boolean {
    return this.resolve()?.alive === true;
  }

  get call(): object {
    this.callFacet ??= new this.facets.call(this);
    return this.callFacet;
  }

  get try(): object {
    this.tryFacet ??= new this.facets.try(this);
    return this.tryFacet;
  }

  get cast(): object {
    this.castFacet ??= new this.facets.cast(this);
    return this.castFacet;
  }

  send(payload: unknown): void {
    if (isZombie("send")) return;
    this.post(new Envelope(Kind.info, "info", { type: "info", payload }, undefined));
  }

  resolve(): Process | undefined {
    return this.key === undefined ? this.process : this.kernel.registry.get(this.key);
  }

  postCast(cast: CastType, arg: unknown): void {
    if (isZombie("cast")) return;
    const target = this.resolve();
    if (target === undefined) this.kernel.deadLetter(this.name, cast.envelope(arg));
    else this.kernel.cast(target, cast, arg);
  }

  post(envelope: Envelope): void {
    const target = this.resolve();
    if (target === undefined) this.kernel.deadLetter(this.name, envelope);
    else this.kernel.send(target, envelope);
  }

  toString(): string {
    return `${this.name}(${this.id})`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Process behind a ref made by this runtime. */
export function processOf(ref: ProcessRef): Process | undefined {
  return ref instanceof RefImpl ? ref.resolve() : undefined;
}

/** Builds the facets of a protocol. */
export function makeFacets(calls: readonly string[], casts: readonly string[]): Facets {
  return {
    call: facetOf(calls, (type) => requestMethod(type, false)),
    try: facetOf(calls, (type) => requestMethod(type, true)),
    cast: facetOf(casts, castMethod),
  };
}

class Facet {
  readonly $ref: RefImpl;

  constructor(ref: RefImpl) {
    this.$ref = ref;
  }
}

type Method = (this: Facet, arg: unknown, options?: CallOptions) => unknown;

function facetOf(names: readonly string[], make: (type: string) => Method): FacetClass {
  class ProtocolFacet extends Facet {}
  for (const name of names) {
    Object.defineProperty(ProtocolFacet.prototype, name, { value: make(name), enumerable: true });
  }
  return ProtocolFacet;
}

/** A request by the name `type`; `this` is a facet. */
export function requestMethod(type: string, isTry: boolean): Method {
  return function request(this: Facet, arg, options) {
    const timeoutMs = options?.timeoutMs ?? CALL_TIMEOUT_MS;
    const ref = this.$ref;
    const target = ref.resolve();
    return placeCall(target, ref.name, Kind.call, type, arg, timeoutMs, isTry);
  };
}

/** A one-way message by the name `type`; `this` is a facet. */
export function castMethod(type: string): Method {
  const message = new CastType(type);
  return function cast(this: Facet, arg) {
    this.$ref.postCast(message, arg);
  };
}

/** Facets of a process that has no protocol of its own. */
export const noFacets: Facets = makeFacets([], []);
