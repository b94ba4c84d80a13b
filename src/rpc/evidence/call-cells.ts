/**
 * Call evidence of one chain: cells by provider x transport x method, all bounded.
 *
 * 64 methods have cells of their own, the rest share `_OTHER`; 1,024 cells at most, each with a
 * latency sketch, besides those of a provider's whole traffic. A method earns its place by a success, so that invented names cannot fill it.
 */
import type { DecayClock } from "../../lib/decay-clock.ts";
import { LatencySketch, latencyBucket, latencyWindowMs } from "../../lib/latency-sketch.ts";
import type { ProviderId, Transport } from "../ids.ts";
import { CallCell, type CallResult } from "./call-cell.ts";
import { Codes } from "./codes.ts";
import type { SnapshotCallCell } from "./evidence-snapshot.ts";

/** Name of the cell of all methods that have none of their own. */
export const otherMethods = "_OTHER";

const maxMethods = 64;
const otherCode = maxMethods;
const maxCells = 1_024;

interface TransportCells {
  /** All methods together. */
  readonly all: CallCell;
  /** By method code. */
  readonly methods: (CallCell | undefined)[];
}

interface ProviderCells {
  readonly http: TransportCells;
  readonly ws: TransportCells;
}

/** One cell with its names; `method` undefined is the cell of all methods. */
export interface NamedCell {
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly method: string | undefined;
  readonly cell: CallCell;
}

/** Holds the cells of one chain. */
export class CallCells {
  readonly #clock: DecayClock;
  readonly #providers = new Map<ProviderId, ProviderCells>();
  readonly methods = new Codes(maxMethods);
  #cellCount = 0;
  #sketchCount = 0;

  constructor(clock: DecayClock) {
    this.#clock = clock;
  }

  /** Counts one outcome; returns the method's code for the raw row. */
  record(
    provider: ProviderId,
    transport: Transport,
    method: string,
    result: CallResult,
    durationMs: number,
    nowMs: number,
  ): number {
    const cells = this.#cellsOf(provider)[transport];
    const code = this.#codeOf(method, result);
    const cell = this.#methodCell(cells, code);
    const weight = this.#clock.weightAt(nowMs);
    cell.count(result, weight, durationMs);
    cells.all.count(result, weight, durationMs);
    if (result === "ok") {
      const bucket = latencyBucket(durationMs);
      cell.time(durationMs, bucket, nowMs);
      cells.all.time(durationMs, bucket, nowMs);
    }
    return code;
  }

  /** Adds a latency sample without an outcome. */
  recordCensored(
    provider: ProviderId,
    transport: Transport,
    method: string,
    elapsedMs: number,
    nowMs: number,
  ): void {
    const cells = this.#cellsOf(provider)[transport];
    const bucket = latencyBucket(elapsedMs);
    this.#methodCell(cells, this.#codeOf(method, "neutral")).time(elapsedMs, bucket, nowMs);
    cells.all.time(elapsedMs, bucket, nowMs);
  }

  /** The cell of a method (`undefined`: of all methods), if there is one. */
  find(
    provider: ProviderId,
    transport: Transport,
    method: string | undefined,
  ): CallCell | undefined {
    const cells = this.#providers.get(provider)?.[transport];
    if (cells === undefined || method === undefined) return cells?.all;
    const code = this.methods.known(method);
    return code < 0 ? undefined : cells.methods[code];
  }

  /** All cells as of `nowMs`, for a snapshot. */
  toSnapshot(nowMs: number): readonly SnapshotCallCell[] {
    return [...this.cells()].map(({ provider, transport, method, cell }) => ({
      provider,
      transport,
      method: method ?? null,
      ...cell.counts(this.#clock, nowMs),
      timeoutLimitMs: cell.timeoutLimitMs,
      sketch: cell.sketch?.toPairs(nowMs) ?? [],
    }));
  }

  /** Adds cells that are `ageMs` old; `factor` turns their counts into counted weight. */
  restore(saved: readonly SnapshotCallCell[], factor: number, ageMs: number, nowMs: number): void {
    for (const { provider, transport, method, sketch, ...counts } of saved) {
      const cells = this.#cellsOf(provider)[transport];
      const cell =
        method === null ? cells.all : this.#methodCell(cells, this.#codeOf(method, "ok"));
      cell.restore(counts, factor, counts.timeoutLimitMs);
      // Latencies are of the last minutes only.
      if (ageMs < latencyWindowMs) cell.restoreLatencies(sketch, nowMs);
    }
  }

  /** All cells, those of a transport's whole traffic first. */
  *cells(): Generator<NamedCell> {
    for (const [provider, byTransport] of this.#providers) {
      for (const transport of ["http", "ws"] as const) {
        const { all, methods } = byTransport[transport];
        yield { provider, transport, method: undefined, cell: all };
        for (const [code, cell] of methods.entries()) {
          if (cell === undefined) continue;
          yield { provider, transport, method: this.methodName(code), cell };
        }
      }
    }
  }

  /** The name behind a method code of a raw row. */
  methodName(code: number): string {
    return this.methods.name(code) ?? otherMethods;
  }

  /** Forgets a provider that left the chain. */
  forget(provider: ProviderId): void {
    const cells = this.#providers.get(provider);
    if (cells === undefined) return;
    this.#providers.delete(provider);
    for (const { all, methods } of [cells.http, cells.ws]) {
      for (const cell of [all, ...methods]) {
        if (cell === undefined) continue;
        if (cell !== all) this.#cellCount--;
        if (cell.sketch !== undefined) this.#sketchCount--;
      }
    }
  }

  /** Method cells now. */
  get size(): number {
    return this.#cellCount;
  }

  /** Providers that were ever called. */
  providers(): ProviderId[] {
    return [...this.#providers.keys()];
  }

  /** Bytes of the sketches now. */
  get sizeBytes(): number {
    return this.#sketchCount * LatencySketch.sizeBytes;
  }

  #codeOf(method: string, result: CallResult): number {
    const known = this.methods.known(method);
    if (known >= 0) return known;
    if (result !== "ok" || method === otherMethods) return otherCode;
    const code = this.methods.of(method);
    return code < 0 ? otherCode : code;
  }

  #cellsOf(provider: ProviderId): ProviderCells {
    const known = this.#providers.get(provider);
    if (known !== undefined) return known;
    const made = { http: this.#transportCells(), ws: this.#transportCells() };
    this.#providers.set(provider, made);
    return made;
  }

  #transportCells(): TransportCells {
    return { all: this.#makeCell(), methods: [] };
  }

  #methodCell(cells: TransportCells, code: number): CallCell {
    const known = cells.methods[code];
    if (known !== undefined) return known;
    if (code !== otherCode && this.#cellCount >= maxCells)
      return this.#methodCell(cells, otherCode);
    while (cells.methods.length < code) cells.methods.push(undefined);
    this.#cellCount++;
    const made = this.#makeCell();
    cells.methods[code] = made;
    return made;
  }

  #makeCell(): CallCell {
    return new CallCell(() => {
      this.#sketchCount++;
      return new LatencySketch();
    });
  }
}
