/**
 * Tables (ETS): shared rows with an owner. Reads are synchronous and never enter a mailbox.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, supervisor, Table } from "paceline/otp";
 *
 * const scores = defineActor({
 *   name: "demo/scores",
 *   init: (_args: undefined, ctx) =>
 *     Table.open<number>(ctx, "scores", { kind: "ordered_set", maxRows: 1_000, ttlMs: 60_000 }),
 *   casts: {
 *     won: (table, who: string) => {
 *       table.updateCounter(who, 1);
 *       return table;
 *     },
 *   },
 * });
 * const scoresKey = keyFor(scores);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(scores, undefined, { register: scoresKey() })] }),
 * );
 * for (const who of ["zoe", "adam", "zoe"]) node.via(scoresKey()).cast.won(who);
 * await node.settle();
 * const table = node.table<number>("scores");
 * console.log(table?.get("zoe"), table?.version, [...(table?.entries() ?? [])]);
 * try {
 *   table?.put("adam", 99);
 * } catch (error) {
 *   console.log(String(error));
 * }
 * await node.advance(60_000);
 * console.log(table?.get("zoe"));
 * await node.stop();
 * console.log(table?.isAlive);
 * ```
 *
 * ```text
 * 2 3 [ [ 'adam', 1 ], [ 'zoe', 2 ] ]
 * OtpError: put on table scores by code outside any process: only its owner demo/scores may write
 * undefined
 * false
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `kind` | `set` one value a key, `ordered_set` iterates by key, `bag` many values a key | set |
 * | `access` | writers and readers: `protected` owner, anyone; `public` anyone, anyone; `private` owner, owner | protected |
 * | `heir` | ref or key that gets the table when the owner dies | none: dropped |
 * | `heirData` | goes along in the heir's message | undefined |
 * | `maxRows` | keys; beyond it the oldest goes, event `otp.table.evicted` | 1 000 000 rows |
 * | `ttlMs` | age at which a row is gone, ms; it leaves when it is next looked for, event `otp.table.evicted` | none |
 *
 * When the owner dies its table goes to the heir with one info message (TableTransfer), or is dropped:
 * readers then get undefined and `isAlive` is false; nothing throws at them. put, delete and swap are
 * the only mutations (insertNew and updateCounter are made of them; a row that ages or gives way is a
 * delete), and each carries a version, so that followers can replicate. Values are shared, not copied: keep them immutable.
 *
 * Errors: `OTP_TABLE_EXISTS` (open under a taken name), `OTP_TABLE_ACCESS` (not yours to write or
 * read), `OTP_TABLE_GONE` (write after the owner's death).
 */
import { Ctx } from "../actor/context.ts";
import type { Key } from "./key.ts";
import type { RuntimeEvents } from "../node/events.ts";
import { mustLive } from "../process/late.ts";
import { Envelope, Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { processOf, type ProcessRef, RefImpl } from "../process/ref.ts";
import { currentProcess, isZombie } from "../process/scope.ts";
import { OtpError } from "../reason.ts";

/** Row key. */
export type RowKey = string | number;

/** Options of a table. */
export interface TableOptions {
  /** One of set (default), ordered_set (iterates by key) or bag (many values a key, in order). */
  readonly kind?: "set" | "ordered_set" | "bag";
  /** protected (default): owner writes, anyone reads; public: anyone writes; private: owner only. */
  readonly access?: "protected" | "public" | "private";
  /** Gets the table when the owner dies; default none: the table is dropped. */
  readonly heir?: ProcessRef | Key;
  /** Goes along in the heir's message; default undefined. */
  readonly heirData?: unknown;
  /** Rows beyond this evict the oldest; default 1 000 000 rows. */
  readonly maxRows?: number;
  /** Rows older than this many ms are gone; default none. */
  readonly ttlMs?: number;
}

/** One mutation, as followers see it. */
export interface TableChange<V> {
  readonly version: number;
  readonly op: "put" | "delete" | "swap";
  readonly key: RowKey | undefined;
  readonly value: V | undefined;
}

/** Payload of the info message that tells of a transferred table. */
export interface TableTransfer {
  readonly type: "table_transfer";
  readonly table: string;
  readonly from: string;
  readonly data: unknown;
}

interface Row<V> {
  readonly values: V[];
  readonly expiresAtMs: number;
}

const DEFAULT_MAX_ROWS = 1_000_000;

/** A table; see the module. */
export class Table<V> {
  readonly name: string;
  /** Grows by one with every mutation. */
  version = 0;
  private owner: Process | undefined;
  private readonly options: TableOptions;
  private rows = new Map<RowKey, Row<V>>();
  private order: RowKey[] | undefined = undefined;
  private readonly followers = new Set<(change: TableChange<V>) => void>();
  private readonly maxRows: number;

  /** Opens a table owned by the process of `ctx`; a taken name throws OTP_TABLE_EXISTS. */
  static open<V>(ctx: Ctx, name: string, options: TableOptions = {}): Table<V> {
    const owner = Ctx.processOf(ctx);
    mustLive(owner, "table");
    return new Table<V>(owner, name, options);
  }

  constructor(owner: Process, name: string, options: TableOptions) {
    const { tables } = owner.kernel;
    if (tables.has(name)) throw new OtpError("OTP_TABLE_EXISTS", `table ${name} is already open`);
    this.name = name;
    this.owner = owner;
    this.options = options;
    this.maxRows = options.maxRows ?? DEFAULT_MAX_ROWS;
    tables.set(name, this as Table<unknown>);
    adopt(owner, this);
  }

  /** False once the table is dropped. */
  get isAlive(): boolean {
    return this.owner !== undefined;
  }

  /** Pid of the owner; undefined once the table is dropped. */
  get ownerPid(): string | undefined {
    return this.owner?.pid;
  }

  /** Number of keys. */
  get size(): number {
    return this.rows.size;
  }

  /** Value of a key, of a bag the first; undefined when there is none. */
  get(key: RowKey): V | undefined {
    return this.row(key)?.values[0];
  }

  /** All values of a key; more than one only in a bag. */
  getAll(key: RowKey): readonly V[] {
    return this.row(key)?.values ?? [];
  }

  /** True while the key has a row that is not too old. */
  has(key: RowKey): boolean {
    return this.row(key) !== undefined;
  }

  /** Writes a row; in a bag it adds a value. Throws OTP_TABLE_ACCESS, OTP_TABLE_GONE. */
  put(key: RowKey, value: V): void {
    this.mayWrite("put");
    const isBag = this.options.kind === "bag";
    const old = isBag ? this.row(key) : undefined;
    const isNew = !this.rows.has(key);
    const values = old === undefined ? [value] : [...old.values, value];
    const { ttlMs } = this.options;
    const expiresAtMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : this.nowMs() + ttlMs;
    this.rows.set(key, { values, expiresAtMs });
    if (isNew) {
      this.order = undefined;
      if (this.rows.size > this.maxRows) this.evict();
    }
    this.changed("put", key, value);
  }

  /** Puts only when the key is free; false otherwise. */
  insertNew(key: RowKey, value: V): boolean {
    this.mayWrite("insertNew");
    if (this.has(key)) return false;
    this.put(key, value);
    return true;
  }

  /** Removes a row; false when there is none. */
  delete(key: RowKey): boolean {
    this.mayWrite("delete");
    if (!this.rows.delete(key)) return false;
    this.order = undefined;
    this.changed("delete", key, undefined);
    return true;
  }

  /** Replaces the value only when it is still `expected`; for immutable snapshots. */
  swap(key: RowKey, expected: V | undefined, value: V): boolean {
    this.mayWrite("swap");
    if (this.get(key) !== expected) return false;
    if (this.rows.has(key)) {
      const row = this.rows.get(key) as Row<V>;
      this.rows.set(key, { values: [value], expiresAtMs: row.expiresAtMs });
      this.changed("swap", key, value);
    } else this.put(key, value);
    return true;
  }

  /** Adds `delta` to a numeric row (0 when missing) and returns the sum. */
  updateCounter(this: Table<number>, key: RowKey, delta: number): number {
    const sum = (this.get(key) ?? 0) + delta;
    this.put(key, sum);
    return sum;
  }

  /** Rows whose key is in [from, to], in key order. */
  *range(from: RowKey, to: RowKey): Generator<readonly [RowKey, V], void, undefined> {
    for (const key of this.sortedKeys()) {
      if (compareKeys(key, from) < 0) continue;
      if (compareKeys(key, to) > 0) return;
      yield* this.rowsOf(key);
    }
  }

  /** Rows whose key begins with `prefix`, in key order. */
  *prefix(prefix: string): Generator<readonly [RowKey, V], void, undefined> {
    for (const key of this.sortedKeys()) {
      if (typeof key === "string" && key.startsWith(prefix)) yield* this.rowsOf(key);
    }
  }

  /** All rows: in key order for ordered_set, else in insertion order. */
  *entries(): Generator<readonly [RowKey, V], void, undefined> {
    const isOrdered = this.options.kind === "ordered_set";
    for (const key of isOrdered ? this.sortedKeys() : [...this.rows.keys()]) {
      yield* this.rowsOf(key);
    }
  }

  /** Calls `follower` after every mutation until the returned function is called. */
  follow(follower: (change: TableChange<V>) => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  /** Hands the table to another process, with one info message. */
  giveAway(to: ProcessRef, data?: unknown): boolean {
    this.mayWrite("giveAway");
    const next = processOf(to);
    if (next === undefined || !next.alive) return false;
    this.moveTo(next, data);
    return true;
  }

  /** For the runtime: the owner is gone. */
  ownerDied(): void {
    const { heir, heirData } = this.options;
    const kernel = this.owner?.kernel;
    if (kernel === undefined) return;
    const next =
      heir === undefined
        ? undefined
        : heir instanceof RefImpl
          ? heir.resolve()
          : kernel.registry.get(heir.name);
    if (next?.alive === true && next !== this.owner) {
      this.moveTo(next, heirData);
      return;
    }
    this.owner = undefined;
    this.rows = new Map();
    this.order = undefined;
    this.followers.clear();
    kernel.tables.delete(this.name);
  }

  private moveTo(next: Process, data: unknown): void {
    const before = this.owner as Process;
    before.extras?.tables?.delete(this);
    this.owner = next;
    adopt(next, this);
    const payload: TableTransfer = {
      type: "table_transfer",
      table: this.name,
      from: before.pid,
      data,
    };
    next.kernel.send(next, new Envelope(Kind.internal, "info", { type: "info", payload }, before));
  }

  private row(key: RowKey): Row<V> | undefined {
    if (this.options.access === "private" && currentProcess() !== this.owner) {
      throw new OtpError("OTP_TABLE_ACCESS", `table ${this.name} is private to its owner`);
    }
    const row = this.rows.get(key);
    if (row === undefined) return undefined;
    const { ttlMs } = this.options;
    if (ttlMs !== undefined && row.expiresAtMs <= this.nowMs()) {
      this.drop(key, { ttlMs });
      return undefined;
    }
    return row;
  }

  private *rowsOf(key: RowKey): Generator<readonly [RowKey, V], void, undefined> {
    for (const value of this.row(key)?.values ?? []) yield [key, value];
  }

  private sortedKeys(): readonly RowKey[] {
    this.order ??= [...this.rows.keys()].sort(compareKeys);
    return this.order;
  }

  private mayWrite(op: string): void {
    const { owner } = this;
    if (isZombie("table")) {
      throw new OtpError(
        "OTP_DEAD_PROCESS",
        `${op} on table ${this.name} after its writer's death`,
      );
    }
    if (owner === undefined) {
      throw new OtpError("OTP_TABLE_GONE", `${op} on table ${this.name}: its owner is dead`);
    }
    if (this.options.access === "public" || currentProcess() === owner) return;
    const writer = currentProcess()?.label ?? "code outside any process";
    throw new OtpError(
      "OTP_TABLE_ACCESS",
      `${op} on table ${this.name} by ${writer}: only its owner ${owner.label} may write`,
    );
  }

  private evict(): void {
    const oldest = this.rows.keys().next().value;
    if (oldest !== undefined) this.drop(oldest, { maxRows: this.maxRows });
  }

  /** A row that no one deleted goes all the same: followers must lose it too. */
  private drop(key: RowKey, why: Omit<RuntimeEvents["otp.table.evicted"], "table">): void {
    this.rows.delete(key);
    this.order = undefined;
    const { kernel } = this.owner as Process;
    if (kernel.telemetry.hears("otp.table.evicted")) {
      kernel.telemetry.emit("otp.table.evicted", { table: this.name, ...why });
    }
    this.changed("delete", key, undefined);
  }

  private changed(op: "put" | "delete" | "swap", key: RowKey, value: V | undefined): void {
    this.version += 1;
    if (this.followers.size === 0) return;
    const change: TableChange<V> = { version: this.version, op, key, value };
    for (const follower of this.followers) {
      try {
        follower(change);
      } catch (error) {
        // A broken replica must not crash the writer.
        this.followers.delete(follower);
        this.owner?.kernel.telemetry.emit("otp.table.follower_failed", { table: this.name, error });
      }
    }
  }

  private nowMs(): number {
    return (this.owner as Process).kernel.now();
  }
}

function adopt(owner: Process, table: { ownerDied(): void }): void {
  const more = owner.more();
  more.tables ??= new Set();
  more.tables.add(table);
}

/** Numbers before strings, each in their own order, as Erlang terms. */
function compareKeys(a: RowKey, b: RowKey): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
