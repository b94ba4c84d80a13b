/** What is shipped to deploy with: it can be read, and says the same as the program. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { formatDiagnostic } from "../../config/diagnostic.ts";
import { pairingFamilies } from "../../src/ops/metrics/families/pairing.ts";
import { type MetricDef, METRICS } from "../../src/ops/metrics/table.ts";
import { load } from "./support.ts";

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const root = join(import.meta.dirname, "..", "..");
const folder = join(root, "config/deploy/two-regions");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("two regions by compose", () => {
  const text = read("compose.yml");
  const { services, volumes } = parse(text, { merge: true }) as Compose;
  const regions = Object.entries(services).filter(
    ([, { environment }]) => environment?.["PACELINE_REGION"] !== undefined,
  );

  const configOf = ({ command = [], environment = {} }: Service) => {
    const file = command[command.indexOf("--config") + 1] ?? "";
    const given = Object.keys(environment).map((name) => [name, "CANARY-a-long-secret"]);
    const env = { ...Object.fromEntries(given), PACELINE_REGION: environment["PACELINE_REGION"] };
    return load(readFileSync(join(root, file), "utf8"), { env });
  };

  it("has two regions that the program's own reader takes without a warning", () => {
    expect(regions.map(([name]) => name)).toEqual(["eu", "us"]);
    for (const [name, service] of regions) {
      const result = configOf(service);
      expect(result.ok ? [] : result.errors.map(formatDiagnostic)).toEqual([]);
      expect(result.warnings.map(formatDiagnostic)).toEqual([]);
      if (!result.ok) continue;
      expect(result.config.region).toBe(name);
      expect(result.config.cluster.secret?.reveal()).toContain("CANARY");
    }
  });

  it("joins what belongs together: Redis, ports, health, time to drain", () => {
    for (const [, service] of regions) {
      const result = configOf(service);
      if (!result.ok) throw new Error("not read");
      const { redis, listen, drain } = result.config;
      expect(Object.keys(services)).toContain(new URL(redis.url?.reveal() ?? "").hostname);
      expect(service.ports?.[0]?.split(":").at(-1)).toBe(String(listen.port));
      expect(service.healthcheck?.test.join(" ")).toContain(`:${listen.port}/livez`);
      const graceMs = Number.parseInt(service.stop_grace_period ?? "0", 10) * 1_000;
      expect(graceMs).toBeGreaterThan(drain.preDelayMs + drain.timeoutMs);
    }
    const ports = Object.values(services).flatMap((one) => one.ports ?? []);
    expect(new Set(ports.map((port) => port.split(":")[1])).size).toBe(ports.length);
  });

  it("names files, volumes and services that are there", () => {
    for (const { volumes: mounts = [], depends_on: others = [] } of Object.values(services)) {
      for (const mount of mounts) {
        const [source = ""] = mount.split(":");
        const isThere = source.startsWith(".")
          ? existsSync(join(folder, source))
          : source in volumes;
        expect(isThere, mount).toBe(true);
      }
      for (const other of others) expect(Object.keys(services)).toContain(other);
    }
    const upstreams = [...read("nginx.conf").matchAll(/^\s+server (\w+):(\d+)/gm)];
    expect(upstreams.map(([, host, port]) => `${host}:${port}`)).toEqual(["eu:8545", "us:8545"]);
    for (const [, file = ""] of text.matchAll(/^#.* -f (\S+)/gm)) {
      expect(existsSync(join(root, file)), file).toBe(true);
      expect(dirname(join(root, file))).toBe(folder);
    }
  });

  it("holds no secret of its own", () => {
    const asked = [...text.matchAll(/\$\{(\w+)(:\?)?/g)];
    expect(asked.length).toBeGreaterThan(2);
    for (const [, name, mustBeSet] of asked) expect(mustBeSet, name).toBe(":?");
    expect(read("region.yml")).not.toMatch(/(secret|password): (?!"?\$\{)/i);
  });
});

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

describe("the dashboard of pairing", () => {
  const { panels } = JSON.parse(
    readFileSync(join(root, "config/deploy/grafana/pairing.json"), "utf8"),
  ) as Dashboard;
  const targets = panels.flatMap((panel) => panel.targets);
  const familyOf = (name: string): MetricDef | undefined =>
    METRICS.find((one) =>
      one.type === "histogram"
        ? [`${one.name}_bucket`, `${one.name}_count`, `${one.name}_sum`].includes(name)
        : one.name === name,
    );
  const asked = targets.flatMap(({ expr, legendFormat }) => {
    const names = [...expr.matchAll(/paceline_\w+/g)].map(([name]) => name);
    const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? "");
    return names.map((name) => ({ name, labels, expr }));
  });

  it("asks for metrics that there are, by labels that they have", () => {
    for (const { name, labels, expr } of asked) {
      expect(familyOf(name), name).toBeDefined();
      for (const label of labels) {
        expect(familyOf(name)?.labels, name).toContain(label);
        expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
      }
    }
  });

  it("shows every family of pairing", () => {
    const shown = new Set(asked.map(({ name }) => familyOf(name)?.name));
    const missing = pairingFamilies.filter(({ name }) => !shown.has(name));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it("has panels of their own number, none over another", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.map(({ gridPos: { x, y } }) => `${x},${y}`);
    expect(new Set(places).size).toBe(panels.length);
    for (const { gridPos } of panels) {
      expect([gridPos.x % gridPos.w, gridPos.y % gridPos.h]).toEqual([0, 0]);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
  });
});
