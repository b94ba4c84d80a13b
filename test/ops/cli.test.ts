import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { adminSocket, adminSocketKey } from "../../actors/ops/admin-socket.ts";
import { readTextFile } from "../../src/io/files.ts";
import { runCli } from "../../src/ops/cli/program.ts";
import { child, createNode, supervisor } from "../../src/otp/index.ts";
import { cardboard } from "./admin-support.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = join(root, "src", "cli.ts");
const folder = mkdtempSync(join(tmpdir(), "pl-cli-"));
const socket = join(folder, "run", "admin.sock");
const goodFile = join(folder, "good.yaml");
const badFile = join(folder, "bad.yaml");
const node = createNode();
let program = cardboard();

beforeAll(async () => {
  writeFileSync(
    goodFile,
    'chains: { e: { chain_id: 1, providers: [{ id: a, url: "https://a.example/CANARY" }] } }\n',
  );
  writeFileSync(
    badFile,
    'listne: 1\nchains: { e: { providers: [{ id: a, url: "x://CANARY" }] } }\n',
  );
  // a stable object for the socket, a fresh program behind it for each test
  const deps = new Proxy(program.deps, { get: (_, key) => Reflect.get(program.deps, key) });
  await node.start(
    supervisor("ops", {
      strategy: "one_for_one",
      children: [child(adminSocket, { path: socket, deps }, { register: adminSocketKey() })],
    }),
  );
});
beforeEach(() => {
  program = cardboard();
});
afterAll(async () => {
  await node.stop(1_000);
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, against the running socket unless `where` says otherwise. */
async function paceline(line: string, where = socket, isTty = false): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await runCli(
    line.split(" ").filter((word) => word !== ""),
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      isTty,
      env: { PACELINE__ADMIN__SOCKET: where },
      readFile: readTextFile,
    },
  );
  return { code, out, err };
}

const EVERY_VERB = [
  "start",
  "demo",
  "config",
  "config validate",
  "config dump",
  "config schema",
  "config diff",
  "tree",
  "ps",
  "inspect",
  "top",
  "reports",
  "providers",
  "leaderboard",
  "pair",
  "pair demo",
  "simulate",
  "simulate pairing",
  "races",
  "regions",
  "names",
  "explain",
  "slow",
  "limits",
  "key",
  "key new",
  "key hash",
  "cache",
  "trace",
  "restart",
  "suspend",
  "resume",
  "dump",
  "exit",
  "breaker",
  "reload",
  "drain",
  "ready",
  "bench",
  "version",
];
const SOCKET_VERBS = [
  "tree",
  "ps",
  "inspect #3",
  "top",
  "reports",
  "providers",
  "leaderboard",
  "pair",
  "races",
  "regions",
  "names",
  "explain x",
  "slow",
  "limits",
  "cache",
  "trace #3",
  "restart #3",
  "suspend #3",
  "resume #3",
  "dump",
  "exit #3",
  "breaker",
  "reload",
  "drain",
  "ready",
  "config diff",
  "config dump --running",
  "version --running",
];

describe("the command line", () => {
  it.each<[string, number, RegExp, RegExp]>([
    // reading verbs
    ["tree", 0, /└── chains {2}#2/, /^$/],
    ["tree", 0, /head-tracker {2}#3 {2}running {2}restarted 2x {2}last exit: killed/, /^$/],
    ["tree", 0, /application {2}#1 {2}running {2}one_for_one {2}restarts 1\/3 in 60 s/, /^$/],
    ["tree --root chains --depth 0", 0, /^chains/, /^$/],
    ["tree --root nowhere", 1, /^$/, /OTP_NO_PROCESS: no process answers to "nowhere"/],
    ["ps", 0, /PID +NAME +STATUS/, /^$/],
    // for another region
    ["tree --region us --json", 0, /"cmd": "tree",\n {2}"role": "viewer"/, /^$/],
    ["exit #3 --region us --json", 0, /"cmd": "exit",\n {2}"role": "admin"/, /^$/],
    ["exit #3 --region us --role viewer", 77, /^$/, /OPS_FORBIDDEN: exit needs the role admin/],
    ["version --region us --json", 0, /"cmd": "version"/, /^$/],
    ["ps --region mars", 64, /^$/, /OPS_NO_REGION: no region "mars"/],
    ["names --region us", 0, /^REGION +NAME +PID\nus +head-tracker +#3\n$/, /^$/],
    ["ps --sort name --limit 1", 0, /1 of 3 processes; --limit shows more/, /^$/],
    ["ps --sort size", 64, /^$/, /argument "sort": expected one of/],
    ["inspect #3", 0, /tip: 100/, /^$/],
    ["inspect #4", 1, /^$/, /OTP_NO_PROCESS/],
    ["top", 0, /^paceline 1\.2\.3 {2}test {2}pid 42\nprocesses 3 {2}turns 99 /, /^$/],
    ["top", 0, /worst budget application 1\/3\n\nPID +NAME/, /^$/],
    ["top --sort size", 64, /^$/, /argument "sort": expected one of/],
    ["explain good-one", 0, /eth_call on ethereum: ok, answered by a in /, /^$/],
    ["explain slow-one", 0, /a {8}http {2}primary {2}timeout/, /^$/],
    ["explain bad-one", 0, /error \(exhausted\), answered by nobody/, /^$/],
    ["explain eth_call --chain eth --provider a", 0, /would be served by a\n/, /^$/],
    ["explain eth_call --chain eth --provider a", 0, /b {8}any {3}not_requested {2}a/, /^$/],
    ["explain eth_call --chain eth --params {", 64, /^$/, /--params is not JSON/],
    ["explain nothing", 64, /^$/, /no request "nothing" among the last ones/],
    ["slow", 0, /^1 .* slow {2}ethereum eth_call {2}2500 ms {2}ok {2}a=primary:timeout/, /^$/],
    ["slow --limit 1", 0, /1 of 2 requests; --limit shows more/, /^$/],
    ["reports", 0, /^no reports\n$/, /^$/],
    ["reports --since yesterday", 64, /^$/, /a seq, or a duration such as 30s/],
    ["reports --limit 201", 64, /^$/, /a whole number from 1 to 200/],
    ["providers", 0, /alpha +hare +degraded +primary +1 +0\.900/, /^$/],
    ["providers ls", 0, /left_out/, /^$/],
    ["providers", 0, /no trace_block, 2000 blocks of eth_getLogs, state from 17000000, \+1/, /^$/],
    ["cache", 0, /CHAIN +HITS +RATIO[^\n]*\nalpha +30 +75\.0 % +4 +20 +1\.0 MiB +5 +2/, /^$/],
    ["cache nowhere", 64, /^$/, /no chain "nowhere"/],
    [
      "leaderboard",
      0,
      /CHAIN +RANK[^\n]*\nalpha +1 +hare +degraded +0\.900 +0\.840 +1\.000 +10 +10/,
      /^$/,
    ],
    ["leaderboard first --by pace", 0, /alpha +1 +hare/, /^$/],
    ["leaderboard --by speed", 64, /^$/, /Allowed choices are rank, pace, livechain/],
    ["pair --policy {}", 0, /1 +one +0\.500 +7 +US +0\.500/, /^$/],
    ["pair --policy {", 64, /^$/, /--policy is not JSON/],
    ["leaderboard nowhere", 64, /^$/, /no chain "nowhere"/],
    ["leaderboard --since 1h", 0, /alpha +2026-01-01T00:00:00\.000Z +1 +hare/, /^$/],
    ["regions", 0, /eu +joined +1\.2\.3 +http:\/\/10\.0\.0\.2:8545 +1 +4\/5 +3 +7 +3/, /^$/],
    [
      "regions",
      0,
      /us +suspected +4\.2 s ago[^\n]*\nmessages refused: 1 foreign, 2 unsigned/,
      /^$/,
    ],
    ["names rpc/", 0, /REGION +NAME +PID\neu +rpc\/head-tracker +#3\nus +rpc/, /^$/],
    ["names rpc/ --region us", 0, /PID\nus +rpc\/head-tracker +#3\n$/, /^$/],
    ["names --limit 0", 64, /^$/, /a whole number from 1 to 5000/],
    ["leaderboard --since 2d", 64, /^$/, /argument "sinceMs"/],
    ["races", 0, /^2 .*\n(.*\n)*21 .* logs {2}away {2}absent\n$/, /^$/],
    [
      "races alpha --limit 1 --since 3",
      0,
      /^4 .*newHeads {2}tortoise {2}loss {2}50\.123 ms late\n17 more; --since 4 goes on/,
      /^$/,
    ],
    ["races --provider nobody", 0, /no races/, /^$/],
    ["races nowhere", 64, /^$/, /no chain "nowhere"/],
    ["races --limit 1001", 64, /^$/, /a whole number from 1 to 1000/],
    ["providers nowhere", 64, /^$/, /no chain "nowhere"/],
    ["limits", 0, /dapp +12 +240 +1 +50 % +240 of 1000 \(24 %\) +3 rate/, /^$/],
    ["limits", 0, /alpha\/hare +50\/s +25 % +950 of 1000 \(95 %\)/, /^$/],
    [
      "key new --id app",
      0,
      /key {3}pace_[\w-]{43}\n[^]*id: app, hash: "sha256:[0-9a-f]{64}"/,
      /^$/,
    ],
    ["breaker", 0, /alpha\/hare\/ws +open +4\.0 s/, /^$/],
    ["breaker ls alpha/hare", 0, /alpha\/hare\/http +closed/, /^$/],
    ["ready", 0, /ready \(alpha: 1 usable\)/, /^$/],
    ["ready --min 2", 1, /not ready/, /^$/],
    ["version", 0, /^paceline \d/, /^$/],
    ["version --running", 0, /version: 1\.2\.3/, /^$/],
    ["config dump --running", 0, /chain_id: 31001/, /^$/],
    ["config diff", 0, /nothing changed/, /^$/],
    // acting verbs
    ["restart #3", 0, /restarted rpc\/chain\/alpha\/head-tracker: #3 is now #9/, /^$/],
    ["restart #99", 1, /^$/, /OTP_NO_PROCESS/],
    ["restart #3 --role viewer", 77, /^$/, /restart needs the role operator/],
    ["suspend #3 --for 5s", 0, /suspended rpc\/chain\/alpha\/head-tracker #3 for 5 s/, /^$/],
    ["suspend #3 --for 1h", 64, /^$/, /a duration in milliseconds or such as 2s/],
    ["suspend #1", 64, /^$/, /is a supervisor/],
    ["resume #3", 0, /resumed rpc\/chain\/alpha\/head-tracker #3/, /^$/],
    ["dump", 0, /1 processes in \/run\/dump\.json/, /^$/],
    ["trace #3 --max 0", 64, /^$/, /a whole number from 1 to 1000/],
    ["trace #3 --for 2m", 1, /^$/, /OPS_LIMIT: a trace needs an end: forMs from 1 to 60000/],
    ["trace #3 --role viewer", 77, /^$/, /trace needs the role operator/],
    ["trace #3 --direction up", 64, /^$/, /expected one of in, out/],
    ["exit #3", 0, /sent kill to rpc\/chain\/alpha\/head-tracker #3/, /^$/],
    ["exit #3 shutdown", 0, /sent shutdown/, /^$/],
    ["exit #99", 1, /^$/, /OTP_NO_PROCESS/],
    ["exit #3 --role viewer", 77, /^$/, /OPS_FORBIDDEN: exit needs the role admin/],
    ["exit #3 --role operator", 77, /^$/, /this connection is operator/],
    ["breaker open alpha/hare --for 5m", 0, /open: alpha\/hare\/http, alpha\/hare\/ws/, /^$/],
    ["breaker open alpha/hare --role viewer", 77, /^$/, /breaker needs the role operator/],
    ["breaker open", 64, /^$/, /which one\?/],
    ["breaker opne alpha/hare", 64, /^$/, /did you mean "open"\?/],
    ["breaker open alpha/hair/ws", 64, /^$/, /did you mean alpha\/hare\/ws\?/],
    ["breaker open alpha/hare --for soon", 64, /^$/, /a duration such as 2s/],
    ["reload", 0, /patch {3}alpha {2}strategy/, /^$/],
    ["drain", 0, /draining/, /^$/],
    // files
    [`config validate ${goodFile}`, 0, /is valid: 1 chains, 1 providers, 0 warnings/, /^$/],
    [`config validate ${badFile}`, 78, /bad\.yaml:1:1: error CONFIG_UNKNOWN_KEY/, /^$/],
    [
      `config validate ${badFile} --format github`,
      78,
      /::error file=.*,line=1,col=1::listne/,
      /^$/,
    ],
    [`config validate ${badFile} --format xml`, 64, /^$/, /unknown format "xml"/],
    ["config validate /nowhere.yaml", 78, /^$/, /cannot read \/nowhere\.yaml \(ENOENT\)/],
    [`config dump ${goodFile} --origin`, 0, /chain_id: 1 # .*good\.yaml:1:26/, /^$/],
    [`config dump ${badFile}`, 78, /^$/, /CONFIG_UNKNOWN_KEY/],
    ["config schema", 0, /json-schema\.org/, /^$/],
    // usage
    ["", 64, /^$/, /Usage: paceline/],
    ["--help", 0, /Usage: paceline/, /^$/],
    ["tre", 64, /^$/, /unknown command 'tre'[\s\S]*Did you mean tree\?/],
    ["tpo", 64, /^$/, /unknown command 'tpo'/],
    ["tree --jsn", 64, /^$/, /unknown option '--jsn'[\s\S]*--json/],
    ["tree extra", 64, /^$/, /too many arguments/],
    ["inspect", 64, /^$/, /missing required argument 'process'/],
    ["ps --limit 0", 64, /^$/, /a whole number from 1 to 200/],
    ["tree --watch 1ms", 64, /^$/, /at least 100ms/],
    ["start --port http", 64, /^$/, /a whole number from 0 to 65535/],
    ["exit #3 --role root", 64, /^$/, /viewer, operator or admin/],
    ["config valdate", 64, /^$/, /unknown command 'valdate'/],
  ])("%j ends with %d", async (line, code, out, err) => {
    const ran = await paceline(line);
    expect(ran.err).toMatch(err);
    expect(ran.out).toMatch(out);
    expect(ran.code).toBe(code);
    expect(ran.out + ran.err).not.toContain("CANARY");
  });

  it.each(SOCKET_VERBS)("%s ends with 69 when nobody is there", async (verb) => {
    const ran = await paceline(verb, join(folder, "no", "admin.sock"));
    expect(ran).toMatchObject({ code: 69, out: "" });
    expect(ran.err).toMatch(/no instance reached on .*: there is no such socket/);
  });

  it("says so when a socket is left over from a dead instance", async () => {
    const stale = join(folder, "stale.sock");
    const script = `require("node:net").createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    const ran = await paceline("tree", stale);
    expect(ran).toMatchObject({ code: 69 });
    expect(ran.err).toContain("left over from a stopped instance");
  });

  it("ends with 77 when the token file cannot be read", async () => {
    const token = join(folder, "run", "admin.token");
    const text = readFileSync(token);
    unlinkSync(token);
    try {
      expect(await paceline("exit #3")).toMatchObject({ code: 77 });
    } finally {
      writeFileSync(token, text, { mode: 0o600 });
    }
  });

  it("reports a reload that was refused: 78 for a bad file, 1 for a change that needs a new host", async () => {
    const refuse = (code: string): void => {
      program.reload = async () => ({ ok: false, code, errors: ["paceline.yaml:1:1: why"] });
    };
    refuse("CONFIG_INVALID");
    const bad = await paceline("reload");
    expect(bad).toMatchObject({ code: 78 });
    expect(bad.out).toContain("the running configuration is kept");
    expect(bad.out).toContain("paceline.yaml:1:1: why");
    refuse("CONFIG_NEEDS_RESTART");
    expect(await paceline("reload --json")).toMatchObject({ code: 1 });
  });

  it("prints traced messages as they come, and why it ended", async () => {
    const feed = setInterval(() => {
      const [trace] = program.traces;
      trace?.sink({
        atMs: 1_500,
        process: "a\u001Bb",
        pid: "#3",
        direction: "in",
        kind: "cast",
        type: "tick",
        peer: "#4",
        bytes: 9,
      });
      trace?.end("rate");
      if (trace !== undefined) clearInterval(feed);
    }, 10);
    const text = await paceline("trace #3 --match t*");
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toBe("1.500  a b  #3  <-  #4  cast  tick  9 B\n1 messages; ended by rate\n");
    expect(program.touched[0]).toContain('"type":"t*"');
    program = cardboard();
    const again = setInterval(() => {
      program.traces[0]?.sink({ type: "tick" });
      program.traces[0]?.end("count");
      if (program.traces.length > 0) clearInterval(again);
    }, 10);
    const { out } = await paceline("trace #3 --json");
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([{ type: "tick" }, { end: "count", traced: 1 }]);
  });

  it("prints the last reports a line each, after a seq or a time, and says when there are more", async () => {
    const crash = (reason: string, atMs: number): void =>
      program.report({ atMs, fields: { pid: "#3", reason, handler: "tick", mailbox: 1 } });
    crash("Error: key CANARY\u001B", 10_000);
    crash("Error: two", 50_000);
    crash("Error: three", 59_000);
    const lines = async (options: string): Promise<string[]> => {
      const { code, err, out } = await paceline(`reports ${options}`);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      return out.trimEnd().split("\n");
    };
    expect(await lines("")).toEqual([
      "1  1970-01-01T00:01:00.000Z  crash  a/b: crashed in tick: Error: key ***  (lost with its mailbox: 1)",
      "2  1970-01-01T00:01:00.000Z  crash  a/b: crashed in tick: Error: two (lost with its mailbox: 1)",
      "3  1970-01-01T00:01:00.000Z  crash  a/b: crashed in tick: Error: three (lost with its mailbox: 1)",
    ]);
    expect((await lines("--since 1")).map((line) => line[0])).toEqual(["2", "3"]);
    expect((await lines("--since 5s")).map((line) => line[0])).toEqual(["3"]);
    expect(await lines("--limit 1")).toEqual([
      expect.stringMatching(/^3 /),
      "1 of 3 reports; --limit shows more",
    ]);
    expect(JSON.parse((await lines("--json --since 2")).join("\n"))).toEqual({
      total: 1,
      reports: [
        {
          seq: 3,
          at: "1970-01-01T00:01:00.000Z",
          at_ms: 59_000,
          kind: "crash",
          process: "a/b",
          pid: "#3",
          text: "a/b: crashed in tick: Error: three (lost with its mailbox: 1)",
        },
      ],
    });
  });

  it("waits for readiness, and for the end of a drain", async () => {
    program.isDraining = true;
    setTimeout(() => {
      program.isDraining = false;
    }, 150);
    expect(await paceline("ready --wait 3s")).toMatchObject({ code: 0 });
    expect(await paceline("drain --wait 100ms")).toMatchObject({ code: 3 });
    expect(program.drains).toBe(1);
  });

  it.each([
    "tree",
    "ps",
    "inspect #3",
    "top",
    "reports",
    "restart #3",
    "suspend #3",
    "resume #3",
    "dump",
    "providers",
    "leaderboard",
    "leaderboard --since 1h",
    "races alpha",
    "regions",
    "names rpc/",
    "limits",
    "key new",
    "cache",
    "breaker ls",
    "ready",
    "version",
    "version --running",
    "config dump --running",
    "config diff",
    "reload",
    "drain",
    `config validate ${goodFile}`,
    `config dump ${goodFile}`,
  ])("%s has the same as JSON", async (verb) => {
    const { out, code } = await paceline(`${verb} --json`);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toBeTypeOf("object");
  });

  it.each(EVERY_VERB)("%s --help has three examples", async (verb) => {
    const { out, code } = await paceline(`${verb} --help`);
    expect(code).toBe(0);
    const [, examples = ""] = out.split("Examples:\n");
    expect(examples.trim().split("\n")).toHaveLength(3);
  });

  it.each(EVERY_VERB)("%s takes --region where it asks an instance", async (verb) => {
    const { out } = await paceline(`${verb} --help`);
    const asksInstance = out.includes("--socket <path>") && !["start", "demo"].includes(verb);
    expect(out.includes("--region <name>")).toBe(asksInstance);
  });

  it("lists every verb that works, and no other", async () => {
    const { out } = await paceline("--help");
    const [, list = ""] = /Commands:\n([\s\S]*?)\n\n/.exec(out) ?? [];
    const verbs = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, verb = ""]) => verb);
    const top = EVERY_VERB.filter((verb) => !verb.includes(" "));
    expect(verbs.sort()).toEqual([...top, "help"].sort());
  });

  it("colours a terminal only, and not with NO_COLOR", async () => {
    const colour = "\u001B[";
    expect((await paceline("tree")).out).not.toContain(colour);
    expect((await paceline("tree", socket, true)).out).toContain(colour);
    expect((await paceline("tree --json", socket, true)).out).not.toContain(colour);
  });

  it("lets no control character of a name or reason reach the terminal", async () => {
    program.tree = () => ({
      name: "evil\u001B]0;title\u0007",
      pid: "#1",
      kind: "worker",
      status: "running",
      restarts: { count: 0, intensity: 1, period_ms: 1_000 },
      last_exit: "a\nb",
      children: [],
    });
    const { out } = await paceline("tree");
    // oxlint-disable-next-line no-control-regex -- that is the claim
    expect(out.trimEnd()).not.toMatch(/[\u0000-\u001F]/);
  });
});

describe("the program", () => {
  /** Not the synchronous spawn: the instance that it talks to lives in this very process. */
  const run = (args: readonly string[], flags: readonly string[] = []): Promise<Ran> =>
    new Promise((done) => {
      const running = spawn(process.execPath, [...flags, cli, ...args], { cwd: folder });
      let out = "";
      let err = "";
      running.stdout.on("data", (chunk) => {
        out += String(chunk);
      });
      running.stderr.on("data", (chunk) => {
        err += String(chunk);
      });
      running.once("close", (code) => done({ code: code ?? -1, out, err }));
    });

  it("finds the socket of the folder it is started in, and ends", async () => {
    expect(await run(["version", "--running"])).toMatchObject({ code: 0, err: "" });
    expect(await run(["tree", "--socket", "elsewhere.sock"])).toMatchObject({ code: 69, out: "" });
    expect(await run(["tre"])).toMatchObject({ code: 64, out: "" });
    expect(await run(["config", "validate", "bad.yaml"])).toMatchObject({ code: 78, err: "" });
  });

  it("repeats with --watch, one JSON line each, until it is interrupted", async () => {
    const watcher = spawn(process.execPath, [cli, "tree", "--watch", "100ms", "--json"], {
      cwd: folder,
    });
    const lines = await new Promise<string[]>((done) => {
      let text = "";
      watcher.stdout.on("data", (chunk) => {
        text += String(chunk);
        const whole = text.split("\n").slice(0, -1);
        if (whole.length >= 3) done(whole);
      });
    });
    watcher.kill("SIGINT");
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(lines.map(() => "application"));
  });

  it("goes on with new reports under --watch, each once, and counts those it missed", async () => {
    const crash = (): void =>
      program.report({ fields: { reason: "boom", handler: "", mailbox: 0 } });
    for (let n = 0; n < 3; n += 1) crash();
    const watcher = spawn(
      process.execPath,
      [cli, "reports", "--since", "1", "--watch", "100ms", "--json"],
      {
        cwd: folder,
      },
    );
    let told = "";
    watcher.stderr.on("data", (chunk) => {
      told += String(chunk);
    });
    const seen = await new Promise<number[]>((done) => {
      let text = "";
      watcher.stdout.on("data", (chunk) => {
        const before = text.split("\n").length - 1;
        text += String(chunk);
        const whole = text.split("\n").slice(0, -1);
        if (before < 2 && whole.length >= 2) for (let n = 0; n < 205; n += 1) crash();
        if (whole.length >= 202) done(whole.map((line) => JSON.parse(line).seq));
      });
    });
    watcher.kill("SIGINT");
    await new Promise((done) => watcher.once("close", done));
    // 3 were there, 205 came at once, of which the book keeps 200.
    expect(seen).toEqual([2, 3, ...Array.from({ length: 200 }, (_, n) => n + 9)]);
    expect(told).toBe("5 reports are gone: too many to keep up\n");
  });

  it("ends quietly when its reader leaves", () => {
    const ran = spawnSync("sh", ["-c", `"${process.execPath}" "${cli}" config schema | head -1`], {
      encoding: "utf8",
      cwd: folder,
    });
    expect(ran).toMatchObject({ status: 0, stderr: "" });
  });

  it("spends on --help a few times what an empty program spends", async () => {
    // Wall time would measure the other tests that share the cores; the machine's speed is on both sides.
    const meter = `data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();
      process.stderr.write(String((user+system)/1000))})`;
    const empty = (): Promise<number> =>
      new Promise((resolve) => {
        execFile(process.execPath, ["--import", meter, "-e", ""], (_error, _out, err) => {
          resolve(Number(err));
        });
      });
    const helps: number[] = [];
    const empties: number[] = [];
    for (let at = 0; at < 5; at++) {
      helps.push(Number((await run(["--help"], ["--import", meter])).err));
      empties.push(await empty());
    }
    expect(Math.min(...empties)).toBeGreaterThan(1);
    expect(Math.min(...helps)).toBeLessThan(8 * Math.min(...empties));
  });

  it("loads no driver for help and socket-only verbs", () => {
    const verbs = ["processes", "top", "reports", "trace", "gateway", "control", "version"].map(
      (verb) => `verbs/${verb}.ts`,
    );
    const start = ["program.ts", ...verbs].map((file) => join(root, "src/ops/cli", file));
    const outside = [...importsOf(start)].filter((name) => !name.startsWith("/"));
    expect(outside.sort()).toEqual(["commander", "node:fs", "node:net", "node:path"]);
  });
});

/** Everything reached by static imports of values: files as paths, packages by name. */
function importsOf(files: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    if (!file.startsWith("/")) continue;
    const statements = readFileSync(file, "utf8").matchAll(
      /^import (type )?[^;]*?from "([^"]+)";/gm,
    );
    for (const [, isType, from = ""] of statements) {
      if (isType === undefined)
        open.push(from.startsWith(".") ? resolve(dirname(file), from) : from);
    }
  }
  return seen;
}
