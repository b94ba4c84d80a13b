/** What a run saw of the tree: restarts, ends and errors, as plain data for the judges. */
import type { TelemetryEvent } from "../../../src/otp/index.ts";
import { eventLevel, eventSpec } from "../../../src/ops/events.ts";
import type { FaultName } from "../faults/kind.ts";
import { POISON } from "../faults/poison.ts";
import type { Tally } from "./tally.ts";

/** One restart that a supervisor told of. */
export interface RestartRecord {
  readonly supervisor: string;
  readonly pid: string;
  readonly child: string;
  readonly atMs: number;
  /** The supervisor's own count, and what it allows. */
  readonly inWindow: number;
  readonly intensity: number;
  readonly delayMs: number;
}

/** A supervisor that used up its budget. */
export interface GiveUpRecord {
  readonly supervisor: string;
  readonly pid: string;
  readonly atMs: number;
}

/** A process that was killed, and when it was back. */
export interface RecoveryRecord {
  readonly process: string;
  readonly cause: FaultName;
  readonly diedAtMs: number;
  backAtMs: number | undefined;
  /** Why a long absence is nobody's fault. */
  excuse: string | undefined;
}

/** An error that the product logged or announced. */
export interface ErrorRecord {
  readonly atMs: number;
  readonly what: string;
  readonly detail: string;
}

/** The deepest reorganisation of the everyday kind, in blocks. */
const SHALLOW_BLOCKS = 3;

/** Takes every event of the node. */
export class Record {
  readonly restarts: RestartRecord[] = [];
  readonly giveUps: GiveUpRecord[] = [];
  readonly recoveries: RecoveryRecord[] = [];
  readonly errors: ErrorRecord[] = [];
  /** Reason of every end by pid. */
  readonly exits = new Map<string, string>();
  /** Time of every end by pid, ms. */
  readonly exitedAt = new Map<string, number>();
  /** Events in the name of a process that had ended. */
  readonly afterlife: string[] = [];
  zombies = 0;
  /** When the live records of the chains were lost, keeper and heir being dead at once, ms. */
  readonly losses: number[] = [];
  readonly #tally: Tally;
  readonly #hasRecords: () => boolean;
  #hadRecords = false;
  readonly #missing = new Map<string, RecoveryRecord[]>();
  readonly #ancestors = new Map<string, Set<string>>();

  /** `hasRecords` tells whether the table of live records is there. */
  constructor(tally: Tally, hasRecords: () => boolean) {
    this.#tally = tally;
    this.#hasRecords = hasRecords;
  }

  /** A process is about to be killed; its ancestors by name excuse it when they fall as well. */
  struck(process: string, ancestors: readonly string[], cause: FaultName, atMs: number): void {
    const one = { process, cause, diedAtMs: atMs, backAtMs: undefined, excuse: undefined };
    this.recoveries.push(one);
    const waiting = this.#missing.get(process) ?? [];
    this.#missing.set(process, [...waiting, one]);
    for (const ancestor of ancestors) this.#under(ancestor).add(process);
  }

  event(event: TelemetryEvent): void {
    const { name, atMs, process = "", fields } = event;
    this.#tally.count(name);
    if (eventSpec(name) === undefined) this.#error(atMs, "an event outside the table", name);
    switch (name) {
      case "head.reorg":
        if (Number(fields["depth"]) > SHALLOW_BLOCKS) this.#tally.count("reorg.deep");
        return;
      case "otp.init":
        if (fields["result"] === "ok") this.#born(process, atMs);
        return;
      case "otp.exit":
        this.#ended(process, String(fields["pid"]), fields["reason"], atMs);
        return;
      case "otp.restart":
        this.#restarted(event);
        return;
      case "otp.zombie":
        this.zombies += 1;
        return;
      case "otp.crash":
        if (String(fields["reason"]).includes(POISON)) this.#tally.count("crashed.poison");
        break;
      case "otp.report":
        if (fields["context"] === "shutdown") this.#gaveUp(event);
        break;
      default:
        this.#checkAlive(event);
    }
    if (eventLevel(name, fields, event.process) === "error") {
      this.#error(atMs, `${name} ${process}`.trim(), JSON.stringify(fields, errorText));
    }
  }

  /** A line of the product's log. */
  logged(
    level: string,
    message: string,
    fields: Readonly<{ [key: string]: unknown }>,
    atMs: number,
  ): void {
    this.#tally.count(`log.${level}`);
    if (level === "error") {
      this.#error(atMs, `log: ${message}`, JSON.stringify(fields, errorText));
    }
  }

  #error(atMs: number, what: string, detail: string): void {
    this.errors.push({ atMs, what, detail });
  }

  #born(process: string, atMs: number): void {
    const waiting = this.#missing.get(process);
    if (waiting === undefined) return;
    this.#missing.delete(process);
    for (const one of waiting) {
      one.backAtMs = atMs;
      this.#tally.count(`back.${one.cause}`);
    }
  }

  #ended(process: string, pid: string, reason: unknown, atMs: number): void {
    this.exitedAt.set(pid, atMs);
    const hasRecords = this.#hasRecords();
    if (this.#hadRecords && !hasRecords) {
      this.losses.push(atMs);
      this.#tally.count("records.lost");
    }
    this.#hadRecords = hasRecords;
    this.exits.set(pid, typeof reason === "string" ? reason : JSON.stringify(reason, errorText));
    for (const below of this.#ancestors.get(process) ?? []) {
      this.#excuse(below, `${process} ended as well`);
    }
  }

  #restarted({ process = "", atMs, fields }: TelemetryEvent): void {
    const child = String(fields["child"]);
    const delayMs = Number(fields["delayMs"]);
    if (delayMs > 0) {
      // A child's name may be longer than its id, which is the last part of it.
      for (const missing of this.#missing.keys()) {
        if (missing === child || missing.endsWith(`/${child}`)) this.#excuse(missing, "backoff");
      }
    }
    this.restarts.push({
      supervisor: process,
      pid: String(fields["pid"]),
      child,
      atMs,
      inWindow: Number(fields["inWindow"]),
      intensity: Number(fields["intensity"]),
      delayMs,
    });
  }

  #gaveUp({ process = "", atMs, fields }: TelemetryEvent): void {
    this.giveUps.push({ supervisor: process, pid: String(fields["pid"]), atMs });
    this.#tally.count("gave-up");
  }

  #checkAlive({ name, fields, atMs }: TelemetryEvent): void {
    const { pid } = fields;
    if (typeof pid !== "string" || !this.exits.has(pid)) return;
    if (name !== "otp.unknown") this.afterlife.push(`${name} of ${pid} at ${atMs}`);
  }

  /** Gives a missing process an excuse; one that is there needs none. */
  excuseAll(reason: string): void {
    for (const process of this.#missing.keys()) this.#excuse(process, reason);
  }

  #excuse(process: string, reason: string): void {
    for (const one of this.#missing.get(process) ?? []) one.excuse ??= reason;
  }

  #under(ancestor: string): Set<string> {
    const below = this.#ancestors.get(ancestor) ?? new Set();
    this.#ancestors.set(ancestor, below);
    return below;
  }
}

const errorText = (_key: string, value: unknown): unknown =>
  value instanceof Error ? value.message : value;
