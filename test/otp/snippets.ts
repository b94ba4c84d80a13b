/**
 * Runs the TypeScript that stands in documentation: extracts it, type-checks it, runs it, and gives
 * back what it printed.
 *
 * A ```ts block is a program; ```ts more goes on with the program before it. A ```text block after
 * it is what the program prints; without one it prints nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One program of a page. */
export interface Snippet {
  /** Page and line, as a file name. */
  readonly name: string;
  /** Code at the lines it has in its page, so that a message of the compiler names them. */
  readonly code: string;
  readonly prints: string;
}

/** What one program did. */
export interface Outcome {
  readonly printed: string;
  readonly error: string | undefined;
}

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const DOOR = "src/otp/index.ts";
const BLOCK_TIMEOUT_MS = 10_000;

/** Programs of a Markdown text. */
export function snippetsOf(page: string, text: string): Snippet[] {
  const found: { name: string; lines: string[]; prints: string[] }[] = [];
  let fence: string | undefined;
  let body: string[] = [];
  let before = "";
  for (const [index, line] of text.split("\n").entries()) {
    const mark = /^```(.*)$/.exec(line);
    if (mark === null) {
      body.push(line);
      continue;
    }
    if (fence === undefined) {
      fence = mark[1] as string;
      body = [];
      continue;
    }
    const start = index - body.length;
    // What is printed stands directly after its program; other texts are just texts.
    const isAnswer = fence === "text" && before.startsWith("ts");
    if (fence === "ts") found.push({ name: `${page}.${start}`, lines: [], prints: [] });
    const last = found.at(-1);
    if (last !== undefined && (fence === "ts" || fence === "ts more")) {
      while (last.lines.length < start) last.lines.push("");
      last.lines.push(...body);
    }
    if (last !== undefined && isAnswer) last.prints.push(...body);
    before = fence;
    fence = undefined;
  }
  return found.map(({ name, lines, prints }) => ({
    name,
    code: `${lines.join("\n")}\nexport {};\n`,
    prints: prints.join("\n"),
  }));
}

/** Doc comments of a source file as text; every line stays where it is. */
export function docTextOf(source: string): string {
  let isInside = false;
  return source
    .split("\n")
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) isInside = true;
      const text = isInside ? line.replace(/^\s*(?:\/\*\*|\*\/|\*) ?/, "") : "";
      if (line.includes("*/")) isInside = false;
      return text;
    })
    .join("\n");
}

/** Source files that the door re-exports from, the door included. */
export function doorFiles(): string[] {
  const door = readFileSync(join(root, DOOR), "utf8");
  const files = [...door.matchAll(/ from "\.\/([^"]+)"/g)].map((match) =>
    join(dirname(DOOR), match[1] as string),
  );
  return [DOOR, ...new Set(files)];
}

/** A folder outside the repository in which `paceline/otp` is the source. */
export class Workshop {
  readonly dir = mkdtempSync(join(realpathSync(tmpdir()), "paceline-docs-"));
  private readonly snippets: readonly Snippet[];

  constructor(snippets: readonly Snippet[]) {
    this.snippets = snippets;
    const modules = join(this.dir, "node_modules");
    mkdirSync(modules);
    symlinkSync(root, join(modules, "paceline"));
    for (const name of ["xstate", "@types"]) {
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    this.write("package.json", JSON.stringify({ type: "module" }));
    this.write("tsconfig.json", JSON.stringify(TSCONFIG));
    this.write("run.mjs", RUNNER);
    for (const { name, code } of snippets) this.write(`${name}.ts`, code);
  }

  /** Complaints of the compiler, one a line; empty when there are none. */
  typeCheck(): string {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", "."], {
      cwd: this.dir,
      encoding: "utf8",
    });
    return stdout;
  }

  /** Runs all programs, one after the other, in one child. */
  run(): ReadonlyMap<string, Outcome> {
    const names = this.snippets.map(({ name }) => name);
    const stdout = execFileSync(process.execPath, ["run.mjs", ...names], {
      cwd: this.dir,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return new Map(JSON.parse(stdout) as [string, Outcome][]);
  }

  close(): void {
    rmSync(this.dir, { recursive: true });
  }

  private write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: "esnext",
    lib: ["esnext"],
    module: "nodenext",
    types: ["node"],
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    skipLibCheck: true,
  },
  include: ["*.ts"],
};

const RUNNER = `
import { format } from "node:util";
const outcomes = [];
const lateness = (name) =>
  new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(name + " did not end")), ${BLOCK_TIMEOUT_MS}).unref();
  });
for (const name of process.argv.slice(2)) {
  const lines = [];
  let error;
  console.log = (...args) => void lines.push(format(...args));
  try {
    await Promise.race([import("./" + name + ".ts"), lateness(name)]);
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown);
  }
  outcomes.push([name, { printed: lines.join("\\n"), error }]);
}
process.stdout.write(JSON.stringify(outcomes));
process.exit(0);
`;
