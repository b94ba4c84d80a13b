import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly code: string;
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

const walk = (dir: string): string[] =>
  readdirSync(join(root, dir)).flatMap((name) => {
    const path = `${dir}/${name}`;
    if (statSync(join(root, path)).isDirectory()) return walk(path);
    return path.endsWith(".ts") ? [path] : [];
  });

/** Without comments: a doc comment's example imports what the file itself does not. */
const uncommented = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|[^:"'`])\/\/[^\n]*/g, "$1");

/** Comments and string contents are not code: a rule about code must not trip over prose. */
const stripped = (text: string): string =>
  uncommented(text).replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');

const importPattern =
  /(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;

const read = (path: string): SourceFile => {
  const text = readFileSync(join(root, path), "utf8");
  const imports = [...uncommented(text).matchAll(importPattern)].map((match) => ({
    from: match[2] ?? match[3] ?? "",
    typeOnly: match[1] !== undefined,
  }));
  return { path, text, code: stripped(text), imports };
};

const files = ["src", "actors", "supervisors", "config"].flatMap(walk).map(read);
const inFolder = (folder: string) => files.filter((file) => file.path.startsWith(`${folder}/`));

/** The room a file of ours stands in, at the depth the import table speaks of. */
const roomOf = (path: string): string => {
  const parts = path.split("/");
  if (parts[0] === "src" || parts[0] === "actors") {
    return parts.length > 2 ? `${parts[0]}/${parts[1]}` : path;
  }
  return parts[0] ?? path;
};

const targetOf = (file: SourceFile, from: string): string | undefined =>
  from.startsWith(".")
    ? relative(root, normalize(join(root, dirname(file.path), from))).replaceAll("\\", "/")
    : undefined;

/** The host program joins everything: the entry points and the wiring behind them. */
const isHostProgram = (path: string): boolean =>
  path === "src/main.ts" || path === "src/cli.ts" || path.startsWith("src/main/");

type Rule = readonly (string | RegExp)[];

/** house.md's table; a room may always import itself. `?type` allows types only. */
const allowed: Readonly<Record<string, Rule>> = {
  "src/lib": [],
  "src/otp": ["src/lib"],
  config: ["src/lib"],
  "src/matching": ["src/lib"],
  "src/pairing": ["src/lib", "src/matching", /^config$/],
  "src/rpc": ["src/lib", "src/matching", /^config$/],
  "src/cluster": ["src/lib"],
  "src/ops": ["src/lib", "config", /^src\/\w+\/(protocol|ids)\.ts$/],
  "src/io": ["src/lib", "config"],
  "actors/rpc": ["src/otp", "src/lib", "src/matching", "src/rpc", "src/io", "config", "actors/ops"],
  "actors/pairing": ["src/otp", "src/lib", "src/matching", "src/pairing", "src/io", "config"],
  "actors/ops": ["src/otp", "src/lib", "src/matching", "src/ops", "src/io", "config", "actors/rpc"],
  "actors/cluster": ["src/otp", "src/lib", "src/cluster", "src/io", "config"],
  supervisors: [
    "actors/rpc",
    "actors/pairing",
    "actors/cluster",
    "actors/ops",
    "src/otp",
    "config",
  ],
};

const mayImport = (room: string, target: string): boolean => {
  const targetRoom = roomOf(target);
  if (targetRoom === room) return true;
  // The operator's commands start the host program, which may import anything.
  if (room === "src/ops" && target === "src/main.ts") return true;
  return (allowed[room] ?? []).some((rule) =>
    typeof rule === "string" ? rule === targetRoom : rule.test(targetRoom) || rule.test(target),
  );
};

/** Code without the arguments of ctx.task: a task's body waits for what it likes and dies with it. */
const withoutTasks = (code: string): string => {
  const at = code.search(/\bctx\.task\(/);
  if (at < 0) return code;
  let depth = 0;
  let end = code.indexOf("(", at);
  do {
    if (code[end] === "(") depth += 1;
    if (code[end] === ")") depth -= 1;
    end += 1;
  } while (depth > 0 && end < code.length);
  return code.slice(0, at) + withoutTasks(code.slice(end));
};

describe("the house", () => {
  it("sees the files it judges", () => {
    expect(files.length).toBeGreaterThan(20);
    for (const folder of ["src/lib", "src/otp", "src/rpc", "src/io", "actors", "supervisors"]) {
      expect(inFolder(folder).length, folder).toBeGreaterThan(0);
    }
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(100);
  });

  it("lets each folder import only what the table allows", () => {
    const offences = files.flatMap((file) => {
      const room = roomOf(file.path);
      if (isHostProgram(file.path)) return [];
      return file.imports.flatMap(({ from }) => {
        const target = targetOf(file, from);
        return target === undefined || mayImport(room, target) ? [] : [`${file.path} -> ${target}`];
      });
    });
    expect(offences).toEqual([]);
  });

  it("lets actors know other actors only by registry key and protocol type", () => {
    const named = /import\s+(type\s+)?\{([^}]*)\}\s+from\s+"(\.[^"]+)"/g;
    const offences = inFolder("actors").flatMap((file) =>
      [...file.text.matchAll(named)].flatMap(([, typeOnly, names = "", from = ""]) => {
        if (typeOnly !== undefined || !targetOf(file, from)?.startsWith("actors/")) return [];
        return names
          .split(",")
          .map((name) => name.trim())
          .filter((name) => name !== "" && !name.startsWith("type ") && !name.endsWith("Key"))
          .map((name) => `${file.path} -> ${name}`);
      }),
    );
    expect(offences).toEqual([]);
  });

  it("keeps drivers in src/io", () => {
    const drivers =
      /^(ws|undici|ioredis|nats|pg|viem|node:(net|http|https|fs|fs\/promises|sqlite|tls|dgram|child_process))$/;
    const offences = files
      .filter((file) => !file.path.startsWith("src/io/"))
      .filter((file) => !isHostProgram(file.path))
      // A command-line client is its own host program: it reads files and dials the admin socket.
      .filter((file) => !file.path.startsWith("src/ops/cli/"))
      .flatMap((file) =>
        file.imports
          .filter(({ from, typeOnly }) => drivers.test(from) && !typeOnly)
          .map(({ from }) => `${file.path} -> ${from}`),
      );
    expect(offences).toEqual([]);
  });

  it("keeps clock, chance, timers and the host process out of the pure folders", () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\(|\bperformance\.now\b|\bprocess\.\w|\bfetch\(|\bqueueMicrotask\(/;
    const pure = ["src/lib", "src/matching", "src/pairing", "src/rpc", "src/market", "src/cluster"];
    const offences = pure
      .flatMap(inFolder)
      .flatMap((file) =>
        file.code
          .split("\n")
          .flatMap((line) => (impure.test(line) ? [`${file.path}: ${line.trim()}`] : [])),
      );
    expect(offences).toEqual([]);
  });

  it("keeps clock, chance and timers of processes injected", () => {
    const impure =
      /\bDate\.now\b|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\(|\bperformance\.now\b/;
    const offences = ["actors", "supervisors"]
      .flatMap(inFolder)
      .flatMap((file) =>
        file.code
          .split("\n")
          .flatMap((line) => (impure.test(line) ? [`${file.path}: ${line.trim()}`] : [])),
      );
    expect(offences).toEqual([]);
  });

  it("lets processes await only what ends with them: guarded, slept, asked of others", () => {
    // Code that waits for a foreign promise goes on after its process was killed (otp.md 4.2).
    const own =
      /^(ctx\.(guard|sleep)\(|ctx\.(via|whereis)\(.*\)\??\.(call|try)\.|ctx\.supervisor\(.*\)\??\.\w+\(|supervisor\??\.\w+\()/;
    // What must be let go of, dead or alive: the server of a killed init, and ends of terminate.
    const releases = new Set([
      "actors/ops/admin-socket.ts: await listenAdminSocket",
      "actors/ops/admin-socket.ts: await server.close",
      "actors/ops/http-listener.ts: await state.listener.close",
    ]);
    const sites = inFolder("actors").flatMap(({ path, code }) => {
      const local = new Set(
        [...code.matchAll(/(?:const|function) (\w+)(?: =)? (?:async|\()/g)].map(([, name]) => name),
      );
      return [...withoutTasks(code).matchAll(/\bawait\s+((?:(?!\bawait\b)[^;])+)/g)].map(
        ([, text = ""]) => {
          const waited = text.replaceAll(/\s+/g, "");
          const callee = /^[\w.]+/.exec(waited)?.[0] ?? waited;
          // A helper of the same file that is given ctx is judged where it awaits itself.
          const isHelper = local.has(callee) && /\bctx\b/.test(waited);
          return { site: `${path}: await ${callee}`, isOwn: own.test(waited) || isHelper };
        },
      );
    });
    expect(sites.length).toBeGreaterThan(20);
    const foreign = sites.filter(({ isOwn }) => !isOwn).map(({ site }) => site);
    expect(foreign.filter((site) => !releases.has(site))).toEqual([]);
    expect([...releases].filter((site) => !foreign.includes(site))).toEqual([]);
  });

  it("keeps the runtime free of what it runs", () => {
    const foreign = inFolder("src/otp").flatMap((file) =>
      file.imports
        .filter(
          ({ from }) => !from.startsWith(".") && !from.startsWith("node:") && from !== "xstate",
        )
        .map(({ from }) => `${file.path} -> ${from}`),
    );
    expect(foreign).toEqual([]);
  });

  it("uses the runtime through its public door only, as any user does", () => {
    const door = "src/otp/index.ts";
    const others = ["bench", "test"].flatMap(walk).map(read);
    const users = [...files, ...others]
      .filter((file) => !file.path.startsWith("src/otp/"))
      // Tests of the runtime's own parts stand in the runtime's own folder.
      .filter((file) => !file.path.startsWith("test/otp/"));
    const targets = users.flatMap((file) =>
      file.imports.flatMap(({ from }) => {
        const target = targetOf(file, from);
        return target?.startsWith("src/otp/") === true ? [{ path: file.path, target }] : [];
      }),
    );
    expect(targets.length).toBeGreaterThan(20);
    expect(targets.filter(({ target }) => target !== door)).toEqual([]);
  });

  it("keeps supervisors within 60 lines, so that the tree can be read", () => {
    const long = inFolder("supervisors")
      .map((file) => ({ path: file.path, lines: file.text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > 60);
    expect(long).toEqual([]);
  });

  it("has no default exports, no grab-bag files and no silenced types", () => {
    const offences = files.flatMap((file) => [
      ...(/\bexport default\b/.test(file.code) ? [`${file.path}: default export`] : []),
      ...(/(^|\/)(utils|types|helpers|misc)\.ts$/.test(file.path)
        ? [`${file.path}: grab-bag`]
        : []),
      ...(/@ts-(ignore|expect-error|nocheck)/.test(file.text)
        ? [`${file.path}: silenced type`]
        : []),
    ]);
    expect(offences).toEqual([]);
  });

  it("opens every file with what it is", () => {
    const silent = files
      .filter((file) => !/^(#!.*\n)?\s*\/(\*\*|\/)/.test(file.text) && !/\n\/\*\*/.test(file.text))
      .map((file) => file.path);
    expect(silent).toEqual([]);
  });
});
