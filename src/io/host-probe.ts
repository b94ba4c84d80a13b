/**
 * Facts about the host process: CPU, memory, event loop, garbage collection, open descriptors.
 *
 * prom-client's `collectDefaultMetrics` lists /proc/self/fd and all active handles on every scrape:
 * 0.5 ms idle, 32 ms with 16,000 descriptors. Here descriptors are counted asynchronously and
 * seldom, and everything else costs microseconds.
 */
import { readdir } from "node:fs/promises";
import {
  PerformanceObserver,
  constants,
  monitorEventLoopDelay,
  performance,
  type EventLoopUtilization,
} from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

const LOOP_RESOLUTION_MS = 10;

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weak_callbacks",
};

/** What the probe found. */
export interface HostSample {
  readonly uptimeMs: number;
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly heapLimitBytes: number;
  readonly externalBytes: number;
  readonly loopLagP50Ms: number;
  readonly loopLagP99Ms: number;
  readonly loopLagMaxMs: number;
  readonly loopUtilization: number;
  readonly gc: readonly {
    readonly kind: string;
    readonly count: number;
    readonly durationMs: number;
  }[];
  readonly openFds: number;
}

/** Watches the host process from its construction until `close`. */
export class HostProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #gc = new Map<string, { count: number; durationMs: number }>();
  readonly #observer: PerformanceObserver;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #window = { p50Ms: 0, p99Ms: 0, maxMs: 0, utilization: 0 };
  #openFds = -1;

  constructor() {
    this.#delay.enable();
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { kind } = (entry as { readonly detail?: { readonly kind?: number } }).detail ?? {};
        const name = GC_KINDS[kind ?? -1] ?? "other";
        const cell = this.#gc.get(name) ?? { count: 0, durationMs: 0 };
        cell.count += 1;
        cell.durationMs += entry.duration;
        this.#gc.set(name, cell);
      }
    });
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  /** What is so now; loop figures are those of the last finished window. */
  sample(): HostSample {
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    return {
      uptimeMs: process.uptime() * 1_000,
      cpuUserMs: cpu.user / 1_000,
      cpuSystemMs: cpu.system / 1_000,
      rssBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      externalBytes: memory.external,
      loopLagP50Ms: this.#window.p50Ms,
      loopLagP99Ms: this.#window.p99Ms,
      loopLagMaxMs: this.#window.maxMs,
      loopUtilization: this.#window.utilization,
      gc: [...this.#gc].map(([kind, cell]) => ({ kind, ...cell })),
      openFds: this.#openFds,
    };
  }

  /** Ends the window of the loop figures and begins the next; every 15 s is a good rhythm. */
  roll(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    this.#window = {
      p50Ms: lagOf(this.#delay.percentile(50)),
      p99Ms: lagOf(this.#delay.percentile(99)),
      maxMs: lagOf(this.#delay.max),
      utilization: Number.isFinite(utilization) ? utilization : 0,
    };
    this.#delay.reset();
  }

  /** Counts the open descriptors; stays at -1 where there is no /proc. */
  async countDescriptors(): Promise<void> {
    try {
      const names = await readdir("/proc/self/fd");
      this.#openFds = names.length;
    } catch {
      this.#openFds = -1;
    }
  }

  close(): void {
    this.#delay.disable();
    this.#observer.disconnect();
  }
}

/** The monitor measures the whole interval between its ticks; the lag is what exceeds it. */
const lagOf = (intervalNs: number): number =>
  Number.isFinite(intervalNs) ? Math.max(0, intervalNs / 1e6 - LOOP_RESOLUTION_MS) : 0;
