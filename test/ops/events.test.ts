import { readFileSync, readdirSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EVENTS, EVENT_FIELDS, eventLevel, eventSpec } from "../../src/ops/events.ts";

const root = new URL("../../", import.meta.url);

const walk = (folder: string): string[] =>
  readdirSync(new URL(folder, root)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statSync(new URL(path, root)).isDirectory()) return walk(path);
    return path.endsWith(".ts") ? [path] : [];
  });

const sources = ["actors", "src", "supervisors"]
  .flatMap(walk)
  .filter((path) => !path.startsWith("src/ops/"))
  .map((path) => ({ path, code: withoutComments(readFileSync(new URL(path, root), "utf8")) }));

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|[\s;{}(,])\/\/[^\n]*/g, "$1");
}

const NAME =
  /"((?:pairing|matching|write|filters|otp|rpc|circuit_breaker|provider|aggregation|head|subs|websocket|quorum|cache|config|getlogs|redis|cluster|telemetry)(?:\.[a-z_]+)+)"/g;

/** The arguments of a call whose opening parenthesis is at `open`, split at the top level. */
function argumentsAt(code: string, open: number): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = open + 1;
  let quote = "";
  for (let at = open; at < code.length; at++) {
    const character = code[at] ?? "";
    if (quote !== "") {
      if (character === "\\") at++;
      else if (character === quote) quote = "";
      continue;
    }
    if (`"'\``.includes(character)) quote = character;
    else if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) depth--;
    if ((character === "," && depth === 1) || depth === 0) {
      parts.push(code.slice(from, at).trim());
      from = at + 1;
      if (depth === 0) return parts;
    }
  }
  return parts;
}

/** Names of the properties of an object literal; what is spread into it stays unknown. */
const keysOf = (literal: string): readonly string[] =>
  literal.startsWith("{")
    ? argumentsAt(literal, 0).flatMap((part) => /^(\w+)\s*(?::|$)/.exec(part)?.[1] ?? [])
    : [];

interface Emission {
  readonly path: string;
  readonly names: readonly string[];
  readonly keys: readonly string[];
}

const emissions: readonly Emission[] = sources.flatMap(({ path, code }) =>
  [...code.matchAll(/\b(?:emit|event)\(/g)].flatMap((match) => {
    const parts = argumentsAt(code, match.index + match[0].length - 1);
    const names = [...(parts[0] ?? "").matchAll(NAME)].map(([, name]) => name ?? "");
    const literal = parts.slice(1).find((part) => part.startsWith("{")) ?? "";
    return names.length === 0 ? [] : [{ path, names, keys: keysOf(literal) }];
  }),
);

const spelled = new Set(
  sources.flatMap(({ code }) => [...code.matchAll(NAME)].map(([, name]) => name ?? "")),
);

describe("the event table", () => {
  it("sees the emitters that it judges", () => {
    expect(emissions.length).toBeGreaterThan(15);
    expect(emissions.some(({ keys }) => keys.length > 2)).toBe(true);
  });

  it("lists every event that is emitted anywhere", () => {
    const strangers = emissions.flatMap(({ path, names }) =>
      names.filter((name) => eventSpec(name) === undefined).map((name) => `${path}: ${name}`),
    );
    expect(strangers).toEqual([]);
  });

  it("lists every field that an emitter spells out", () => {
    const strangers = emissions.flatMap(({ path, names, keys }) =>
      names.flatMap((name) => {
        const spec = eventSpec(name);
        const known: readonly string[] = [...(spec?.fields ?? []), ...(spec?.optional ?? [])];
        return keys.filter((key) => !known.includes(key)).map((key) => `${path}: ${name}.${key}`);
      }),
    );
    expect(strangers).toEqual([]);
  });

  it("has the runtime emit its own events only where the compiler checks their fields", () => {
    // Ctx.emit is open: an application's events have fields of their own.
    const open = sources.filter(({ code }) =>
      /\bctx\??\.emit\(\s*["'`](?:otp|telemetry)\./.test(code),
    );
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  it("has no event that nobody emits", () => {
    expect(Object.keys(EVENTS).filter((name) => !spelled.has(name))).toEqual([]);
  });

  it("has no field that no event carries, and names a field once per event", () => {
    const specs = Object.keys(EVENTS).flatMap((name) => eventSpec(name) ?? []);
    const used = new Set(specs.flatMap(({ fields, optional }) => [...fields, ...(optional ?? [])]));
    expect(Object.keys(EVENT_FIELDS).filter((field) => !used.has(field as never))).toEqual([]);
    for (const { fields, optional } of specs) {
      const all = [...fields, ...(optional ?? [])];
      expect(new Set(all).size).toBe(all.length);
    }
  });

  it("tells how loud an event is", () => {
    expect(eventLevel("circuit_breaker.open", {})).toBe("warn");
    expect(eventLevel("otp.report", { context: "child_terminated" })).toBe("debug");
    expect(eventLevel("otp.report", { context: "shutdown" })).toBe("error");
    expect(eventLevel("otp.crash", { reason: "Error: x" })).toBe("error");
    expect(eventLevel("otp.crash", { reason: "killed" })).toBe("debug");
    expect(eventLevel("otp.crash", { reason: "timeout" }, "rpc/probe/task/ask")).toBe("debug");
    expect(eventLevel("toString", {})).toBe("debug");
  });
});
