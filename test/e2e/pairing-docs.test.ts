/** The code blocks of docs/pairing.md, run as they stand, against a host on another port. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);
const blocks = [
  ...readFileSync(join(ROOT, "docs", "pairing.md"), "utf8").matchAll(/^```(\w+)\n(.*?)^```/gmsu),
].map(([, language = "", text = ""]) => ({ language, text }));
const textsOf = (language: string): string[] =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);

/** What differs from run to run is left out, numbers are as the page rounds them. */
const steady = (json: string): unknown =>
  JSON.parse(json, (name, value: unknown) => {
    if (name === "processingTimeUs") return undefined;
    return typeof value === "number" ? Math.round(value * 1_000) / 1_000 : value;
  });

describe("the page on pairing", () => {
  const keep = cleanupAfterAll();
  let gateway: Gateway;
  const shell = async (text: string): Promise<string> => {
    const here = text
      .replaceAll("localhost:8080", new URL(gateway.url).host)
      .replaceAll(/^paceline/gmu, `node ${join(ROOT, "bin", "paceline.mjs")}`);
    const env = { ...process.env, NO_COLOR: "1" };
    return (await run("bash", ["-c", here], { cwd: gateway.folder, env })).stdout;
  };

  beforeAll(async () => {
    gateway = keep(await Gateway.start());
  });

  it("has requests that are answered as it says", async () => {
    const [requests] = textsOf("sh").filter((text) => text.startsWith("curl"));
    const [answer = ""] = textsOf("json");
    const [loaded = "", paired = ""] = (await shell(requests ?? "")).trim().split("\n");
    expect(JSON.parse(loaded)).toMatchObject({ success: true, data: { accepted: 2 } });
    expect(steady(paired)).toEqual(steady(answer));
  });

  it("has commands that succeed", async () => {
    const lines = textsOf("sh")
      .flatMap((text) => text.split("\n"))
      .filter((line) => line.startsWith("paceline") && !line.startsWith("paceline pair demo"));
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      const stdout = await shell(line.replace("paceline pair ", "paceline pair --market lava "));
      expect(stdout, line).toMatch(/one|two/u);
    }
  });

  it("has a configuration that is valid", async () => {
    const configs = textsOf("yaml");
    expect(configs).not.toEqual([]);
    for (const text of configs) {
      writeFileSync(join(gateway.folder, "page.yaml"), `${MINIMAL}${text}`);
      await shell("paceline config validate page.yaml");
    }
  });
});

/** What a configuration needs besides. */
const MINIMAL = `chains:
  ethereum:
    chain_id: 1
    providers:
      - { id: one, url: "http://127.0.0.1:1" }
`;
