import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IdBytes, idAt } from "../../src/matching/index/id-bytes.ts";
import { IdTable } from "../../src/matching/index/id-table.ts";
import { SHARED_MEMORY } from "../../src/matching/index/memory.ts";

/** A table that grows as a market does, with the rows that are free. */
class Rows {
  readonly table = new IdTable(SHARED_MEMORY, 2);
  readonly free: number[] = [];
  capacity = 2;

  put(id: string): number {
    const row = this.free.pop() ?? this.table.ids.length;
    if (row >= this.capacity) this.table.grow((this.capacity *= 2));
    this.table.put(id, row);
    return row;
  }

  remove(row: number): void {
    this.table.remove(row);
    this.free.push(row);
  }
}

describe("the table of ids", () => {
  it("finds what a Map finds, whatever comes and goes while it grows", () => {
    const name = fc.oneof(
      fc.nat(400).map((n) => `p${n}`),
      fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
    );
    const step = fc.record({ id: name, isGone: fc.boolean() });
    const steps = fc.array(step, { maxLength: 1_200, size: "max" });
    const run = fc.property(steps, (all) => {
      const rows = new Rows();
      const known = new Map<string, number>();
      for (const { id, isGone } of all) {
        const row = known.get(id);
        expect(rows.table.rowOf(id)).toBe(row);
        if (row === undefined) known.set(id, rows.put(id));
        else if (isGone) {
          rows.remove(row);
          known.delete(id);
        }
      }
      for (const [id, row] of known) {
        expect(rows.table.rowOf(id)).toBe(row);
        expect(idAt(rows.table.shared as IdBytes, row)).toBe(id);
      }
    });
    fc.assert(run, { numRuns: 100 });
  });

  it("lays out a large market anew a few slots with every id that comes", () => {
    const rows = new Rows();
    let [most, waits] = [0, 0];
    for (let i = 0; i < 40_000; i++) {
      const before = rows.table.unmoved;
      rows.put(`p${i}`);
      const done = before - rows.table.unmoved;
      if (done > 0) most = Math.max(most, done);
      else if (rows.table.unmoved > 0) waits++;
    }
    expect(most).toBe(32);
    expect(waits).toBeGreaterThan(0);
    expect(rows.table.rowOf("p0")).toBe(0);
    expect(rows.table.rowOf("p39999")).toBe(39_999);
  });

  it("keeps the bytes of ids that come and go where they are", () => {
    const rows = new Rows();
    for (let i = 0; i < 1_000; i++) rows.put(`provider-${i}`.padEnd(20));
    const { bytes } = rows.table.shared as IdBytes;
    for (let i = 0; i < 100_000; i++) {
      const row = i % 1_000;
      rows.remove(row);
      rows.put(`other-${i}`.padEnd(20));
    }
    expect((rows.table.shared as IdBytes).bytes).toBe(bytes);
  });

  it("lays the bytes of ids out anew a few rows with every id that comes, when most are gone", () => {
    const rows = new Rows();
    const ids = new Map<string, number>();
    const put = (id: string): void => void ids.set(id, rows.put(id));
    for (let i = 0; i < 30_000; i++) put(`provider-${i}`.padEnd(20));
    for (const [id, row] of [...ids].slice(0, 25_000)) {
      rows.remove(row);
      ids.delete(id);
    }
    let [most, begun] = [0, 0];
    for (let i = 0; i < 25_000; i++) {
      const shared = rows.table.shared as IdBytes;
      const before = shared.unmoved;
      // Longer than what has gone, so that no hole will do; some of them leave again meanwhile.
      put(`another-provider-${i}-é€`.padEnd(40));
      if (before > 0) most = Math.max(most, before - shared.unmoved);
      else if (shared.unmoved > 0) begun++;
      const left = `another-provider-${i - 50}-é€`.padEnd(40);
      const row = ids.get(left);
      if (i % 3 === 0 && row !== undefined) {
        rows.remove(row);
        ids.delete(left);
      }
    }
    expect(begun).toBeGreaterThan(0);
    expect(most).toBe(64);
    for (const [id, row] of ids) expect(idAt(rows.table.shared as IdBytes, row)).toBe(id);
  });
});
