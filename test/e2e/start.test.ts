/** Starts that must fail say why, with the right exit code, and harm nobody who already runs. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AdminClient } from "../support/admin.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";
import { rpc } from "../support/rpc.ts";

const PROVIDER = `{ id: a, url: "http://127.0.0.1:9" }`;
const CHAINS = { one: { chain_id: 1, providers: [{ id: "a", url: "http://127.0.0.1:9" }] } };

describe("a start that cannot succeed", () => {
  const use = cleanupAfterEach();

  it.for([
    [
      "a misspelt key",
      `chains:\n  one:\n    chain_idd: 1\n    providers: [${PROVIDER}]\n`,
      /yaml:3:5.*chain_idd.*chain_id/su,
    ],
    [
      "a wrong type",
      `chains:\n  one:\n    chain_id: many\n    providers: [${PROVIDER}]\n`,
      /yaml:3:15.*chain_id/su,
    ],
    [
      "a duplicate provider id",
      `chains:\n  one:\n    chain_id: 1\n    providers: [${PROVIDER}, ${PROVIDER}]\n`,
      /yaml:4:.*\ba\b/su,
    ],
    [
      "a duplicate key",
      `chains:\n  one: { chain_id: 1, providers: [${PROVIDER}] }\n  one: { chain_id: 2, providers: [${PROVIDER}] }\n`,
      /yaml:3:3.*one/su,
    ],
    ["broken YAML", `chains: [\n`, /yaml:\d+:\d+/u],
    [
      "an unset variable",
      `region: "\${PACELINE_TEST_UNSET}"\nchains: { one: { chain_id: 1, providers: [${PROVIDER}] } }\n`,
      /yaml:1:.*PACELINE_TEST_UNSET/su,
    ],
  ] as const)("exits 78 for %s and names file, line and column", async ([, config, pattern]) => {
    const gateway = use(Gateway.launch({ config }));
    expect(await gateway.child.exited).toEqual({ code: 78, signal: null });
    expect(gateway.child.stderr).toMatch(pattern);
    expect(gateway.child.stdout).not.toContain("paceline ready");
  });

  it("exits 78 for a file that is not there", async () => {
    const gateway = use(Gateway.launch({ args: ["--config", "/nonexistent/paceline.yaml"] }));
    expect(await gateway.child.exited).toEqual({ code: 78, signal: null });
    expect(gateway.child.stderr).toContain("/nonexistent/paceline.yaml");
  });

  it("exits 1 when the port is taken, and names it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    const gateway = use(
      Gateway.launch({ config: { chains: CHAINS }, args: ["--port", String(port)] }),
    );
    expect(await gateway.child.exited).toEqual({ code: 1, signal: null });
    expect(gateway.child.output).toContain(String(port));
    expect(gateway.child.output).toMatch(/in use|EADDRINUSE/u);
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });

  it("exits 1 when another instance holds the admin socket, and leaves that one alone", async () => {
    const first = use(await Gateway.start({ config: { chains: CHAINS } }));
    const admin = { socket: first.socketPath };
    const second = use(Gateway.launch({ config: { chains: CHAINS, admin } }));
    expect(await second.child.exited).toEqual({ code: 1, signal: null });
    expect(second.child.output).toMatch(/already running|in use/u);
    expect((await (await first.admin()).tree()).kind).toBe("supervisor");
    expect(await rpc(`${first.url}/rpc/one`, "eth_chainId")).toBe("0x1");
  });
});

describe("the admin socket", () => {
  const use = cleanupAfterEach();

  it("lies in a folder of 0700 with mode 0600, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      const gateway = use(await Gateway.start({ config: { chains: CHAINS } }));
      expect(statSync(gateway.socketPath).mode & 0o777).toBe(0o600);
      expect(statSync(join(gateway.socketPath, "..")).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it.skipIf(process.getuid?.() !== 0)("is closed to another user of the machine", async () => {
    const gateway = use(await Gateway.start({ config: { chains: CHAINS } }));
    chmodSync(gateway.folder, 0o755);
    process.setegid?.(65_534);
    process.seteuid?.(65_534);
    try {
      await expect(AdminClient.connect(gateway.socketPath)).rejects.toMatchObject({
        code: "EACCES",
      });
    } finally {
      process.seteuid?.(0);
      process.setegid?.(0);
    }
    expect((await AdminClient.connect(gateway.socketPath)).close()).toBeUndefined();
  });

  it("replaces the socket that a killed instance left behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pl-"));
    use({ stop: () => rmSync(folder, { recursive: true, force: true }) });
    const first = use(await Gateway.start({ config: { chains: CHAINS }, folder }));
    await first.child.kill();
    expect(statSync(first.socketPath).isSocket()).toBe(true);
    const second = use(await Gateway.start({ config: { chains: CHAINS }, folder }));
    expect((await (await second.admin()).tree()).kind).toBe("supervisor");
  });

  it("refuses a folder that others may write to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pl-"));
    use({ stop: () => rmSync(folder, { recursive: true, force: true }) });
    mkdirSync(join(folder, "open"));
    writeFileSync(join(folder, "open", "keep"), "");
    chmodSync(join(folder, "open"), 0o777);
    const admin = { socket: join(folder, "open", "admin.sock") };
    const gateway = use(Gateway.launch({ config: { chains: CHAINS, admin }, folder }));
    expect((await gateway.child.exited).code).not.toBe(0);
    expect(gateway.child.output).toMatch(/written by others/u);
  });

  it("starts every connection as a viewer that may look but not kill", async () => {
    const gateway = use(await Gateway.start({ config: { chains: CHAINS } }));
    const viewer = await gateway.admin();
    const { name } = await viewer.tree();
    expect((await viewer.reply("exit", { target: name, reason: "kill" })).error.code).toBe(
      "OPS_FORBIDDEN",
    );
    expect((await viewer.reply("auth", { token: "guess" })).error).toBeDefined();
    expect((await viewer.reply("nonsense")).error.code).toBe("OPS_UNKNOWN_COMMAND");
    await viewer.raise();
    const missing = await viewer.reply("exit", { target: "rpc/nobody", reason: "kill" });
    expect(missing.error.code).toBe("OTP_NO_PROCESS");
    const another = await AdminClient.connect(gateway.socketPath);
    expect((await another.reply("exit", { target: name, reason: "kill" })).error.code).toBe(
      "OPS_FORBIDDEN",
    );
    another.close();
  });
});
