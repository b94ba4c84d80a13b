/** What a start does not load: each of these costs every start tens of milliseconds and some megabytes. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";

const HOOK = join(import.meta.dirname, "..", "support", "tell-loaded.mjs");

describe("a start that finds its files in the compile cache", () => {
  const use = cleanupAfterEach();

  const loadedByStart = async (): Promise<readonly string[]> => {
    const gateway = use(
      await Gateway.start({
        env: { NODE_OPTIONS: `--import=${HOOK}` },
        args: ["--log-level", "warn"],
      }),
    );
    gateway.child.signal("SIGTERM");
    await gateway.child.exited;
    const line = gateway.child.stderr.split("\n").find((each) => each.startsWith("LOADED "));
    return JSON.parse((line ?? "LOADED []").slice("LOADED ".length)) as string[];
  };

  it("loads neither the compiler of types nor what our packages have besides the parts in use", async () => {
    await loadedByStart();
    const loaded = await loadedByStart();
    const among = (part: string): string[] => loaded.filter((each) => each.includes(part));
    expect(among("undici/lib/dispatcher/client.js")).toHaveLength(1);
    expect(among("prom-client/lib/registry.js")).toHaveLength(1);
    for (const part of [
      "internal/deps/amaro",
      "internal/deps/undici",
      "undici/index.js",
      "prom-client/index.js",
      "@opentelemetry",
    ])
      expect(among(part)).toEqual([]);
  });
});
