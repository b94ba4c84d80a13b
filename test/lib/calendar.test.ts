import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { periodAt } from "../../src/lib/calendar.ts";

const at = (iso: string): number => Date.parse(iso);

describe("days and months", () => {
  it.each([
    ["2026-11-28T23:59:59.999Z", "2026-11-28", "2026-11-29T00:00:00Z"],
    ["2024-02-29T12:00:00Z", "2024-02-29", "2024-03-01T00:00:00Z"],
    ["1999-12-31T00:00:00Z", "1999-12-31", "2000-01-01T00:00:00Z"],
  ])("%s is the day %s and ends at %s", (when, name, end) => {
    expect(periodAt("day", at(when))).toEqual({ name, endMs: at(end) });
  });

  it.each([
    ["2026-12-31T23:59:59Z", "2026-12", "2027-01-01T00:00:00Z"],
    ["2024-02-01T00:00:00Z", "2024-02", "2024-03-01T00:00:00Z"],
    ["2023-01-31T00:00:00Z", "2023-01", "2023-02-01T00:00:00Z"],
  ])("%s is the month %s and ends at %s", (when, name, end) => {
    expect(periodAt("month", at(when))).toEqual({ name, endMs: at(end) });
  });

  it("are those of the calendar, at any time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: at("2400-01-01T00:00:00Z") }), (wallMs) => {
        const iso = new Date(wallMs).toISOString();
        const day = periodAt("day", wallMs);
        const month = periodAt("month", wallMs);
        expect(day.name).toBe(iso.slice(0, 10));
        expect(month.name).toBe(iso.slice(0, 7));
        for (const { name, endMs } of [day, month]) {
          expect(endMs).toBeGreaterThan(wallMs);
          expect(new Date(endMs - 1).toISOString().startsWith(name)).toBe(true);
          expect(new Date(endMs).toISOString().startsWith(name)).toBe(false);
        }
      }),
    );
  });
});
