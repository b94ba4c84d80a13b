/** The README's code blocks, run as they stand, against a demo on another port. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { Child } from "../support/child.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);
const blocks = [
  ...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^```(\w+)\n(.*?)^```/gmsu),
].map(([, language = "", text = ""]) => ({ language, text }));

function commands(start: string): string[] {
  return blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
    .filter((line) => line.startsWith(start));
}

describe("the README", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let gateway: Gateway;
  const here = (text: string): string =>
    text
      .replaceAll("127.0.0.1:8080", new URL(gateway.url).host)
      .replaceAll("npx paceline", `node ${join(ROOT, "bin", "paceline.mjs")}`);
  const shell = (line: string) =>
    run("bash", ["-c", here(line)], {
      cwd: gateway.folder,
      env: { ...process.env, ALCHEMY_KEY: "k", NO_COLOR: "1" },
    });

  beforeAll(async () => {
    gateway = keep(await Gateway.start());
  });

  it("names the two commands", () => {
    expect(commands("npm start")).not.toEqual([]);
    expect(commands("npm test")).not.toEqual([]);
  });

  it("has a curl that is answered with a result", async () => {
    const lines = commands("curl");
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      const { stdout } = await shell(line);
      expect(JSON.parse(stdout).result, line).toBeDefined();
    }
  });

  it("has a WebSocket program that prints blocks", async () => {
    const scripts = blocks.filter(
      ({ language, text }) => language === "js" && text.includes("ws://"),
    );
    expect(scripts).not.toEqual([]);
    for (const { text } of scripts) {
      const child = new Child(
        process.execPath,
        ["--input-type=module", "-e", here(text)],
        {},
        ROOT,
      );
      use({ stop: () => child.kill() });
      await child.waitFor(/block \d+ 0x[0-9a-f]{64}\s[^]*block \d+ 0x/u);
    }
  });

  it("has operator's commands that succeed", async () => {
    const lines = commands("npx paceline").filter((line) => !line.includes("config"));
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      const { stdout } = await shell(line);
      expect(stdout.length, line).toBeGreaterThan(0);
    }
  });

  it("has configurations that are valid", async () => {
    const configs = blocks.filter(
      ({ language, text }) => language === "yaml" && text.includes("chains:"),
    );
    expect(configs).not.toEqual([]);
    for (const { text } of configs) {
      writeFileSync(join(gateway.folder, "readme.yaml"), text);
      await shell("npx paceline config validate readme.yaml");
    }
  });
});
