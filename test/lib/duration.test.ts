import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/lib/duration.ts";
import { formatSize, parseSize } from "../../src/lib/size.ts";

describe("durations", () => {
  it.each([
    ["500ms", 500],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["1.1s", 1_100],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["250", 250],
    [250, 250],
    [0, 0],
  ])("reads %j as %d ms", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each([
    "",
    "s",
    "2 s",
    "2S",
    "-1s",
    "1m30s",
    "0.5ms",
    "1e3",
    "soon",
    -1,
    1.5,
    NaN,
    null,
    true,
    {},
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("spells every duration so that it reads back", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000_000), (durationMs) => {
        return parseDuration(formatDuration(durationMs)) === durationMs;
      }),
    );
  });
});

describe("sizes", () => {
  it.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["64 KiB", 65_536],
    ["1.5MiB", 1_572_864],
    ["2GiB", 2_147_483_648],
  ])("reads %j as %d bytes", (text, sizeBytes) => {
    expect(parseSize(text)).toBe(sizeBytes);
  });

  it.each(["5", 5, "5MB", "5mib", "-1B", "0.3B", "", null])("refuses %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it("spells every size so that it reads back", () => {
    fc.assert(fc.property(fc.nat(), (sizeBytes) => parseSize(formatSize(sizeBytes)) === sizeBytes));
  });
});
