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

  it("takes what fits into the holes of rows that are still to be moved", () => {
    const rows = new Rows();
    const put = (id: string): number => rows.put(id);
    const first = Array.from({ length: 3_270 }, (_, i) => put(`first-${i}`.padEnd(20)));
    for (const row of first) rows.remove(row);
    const ids = new Map([["longer".padEnd(22), put("longer".padEnd(22))]]);
    for (let i = 0; i < 3_000; i++) {
      const id = `second-${i}`.padEnd(20);
      ids.set(id, put(id));
    }
    for (const [id, row] of ids) expect(idAt(rows.table.shared as IdBytes, row)).toBe(id);
  });

  it("keeps every id whole while its bytes are laid out anew, whatever lengths come and go", () => {
    const round = fc.record({
      // Almost everybody leaves, and the first to come fits nowhere: that begins it.
      staying: fc.nat({ max: 30 }),
      longer: fc.integer({ min: 1, max: 9 }),
      shorter: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 4 }),
      // One of so many of them leaves at once, and another comes.
      again: fc.integer({ min: 2, max: 60 }),
    });
    const run = fc.property(
      fc.integer({ min: 16, max: 60 }),
      fc.double({ min: 0.75, max: 1, noNaN: true }),
      fc.array(round, { minLength: 1, maxLength: 3 }),
      (length, share, rounds) => {
        const rows = new Rows();
        const known = new Map<string, number>();
        const count = Math.floor((65_536 * share) / length);
        let named = 0;
        const put = (size: number): string => {
          const id = `${named++}${named % 7 === 0 ? "é" : ""}`.padEnd(size);
          known.set(id, rows.put(id));
          return id;
        };
        const remove = (id: string): void => {
          rows.remove(known.get(id) as number);
          known.delete(id);
        };
        for (let i = 0; i < count; i++) put(length);
        for (const { staying, longer, shorter, again } of rounds) {
          const leaving = [...known.keys()].slice(staying);
          for (const id of leaving) remove(id);
          put(length + longer);
          for (let i = 1; i < leaving.length; i++) {
            const id = put(length - (shorter[i % shorter.length] as number));
            if (i % again === 0) remove(id);
            if (i % again === 0) put(length - 4);
          }
          for (const [id, row] of known) {
            if (idAt(rows.table.shared as IdBytes, row) !== id) expect.fail(id);
          }
        }
      },
    );
    fc.assert(run, { seed: 31, numRuns: 150 });
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
