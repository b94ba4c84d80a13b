/** What the admin commands need of the program, joined to the processes that do it. */
import { dirname } from "node:path";
import { nanoid } from "nanoid";
import { configStoreKey } from "../../actors/ops/config-store.ts";
import type { ListenAddress } from "../../actors/ops/http-listener.ts";
import { circuitBreakerKey } from "../../actors/rpc/circuit-breaker.ts";
import { dumpConfig } from "../../config/dump.ts";
import { writeDump } from "../io/admin-files.ts";
import type { AdminDeps, ChildOrder, ChildOutcome } from "../ops/admin/ports.ts";
import type { Node } from "../otp/index.ts";
import type { Running } from "./running.ts";
import { version } from "./version.ts";

/** What the commands reach. */
export interface AdminOptions {
  readonly node: Node;
  readonly running: Running;
  readonly configFile: string | undefined;
  readonly chains: AdminDeps["chains"];
  readonly callers: AdminDeps["callers"];
  readonly address: () => ListenAddress | undefined;
  readonly reports: AdminDeps["reports"];
  readonly requests: AdminDeps["requests"];
  readonly evidence: AdminDeps["evidence"];
  readonly pairing: AdminDeps["pairing"];
  readonly cluster: AdminDeps["cluster"];
  readonly drain: () => void;
  readonly isDraining: () => boolean;
  readonly isPairingWhole: () => boolean | undefined;
}

/** Joins them. */
export const adminDeps = (options: AdminOptions): AdminDeps => {
  const { node, running, address } = options;
  return {
    host: () => ({
      version,
      region: running.config.region,
      pid: process.pid,
      configFile: options.configFile,
      url: urlIfOpen(address()),
      isDraining: options.isDraining(),
      isPairingWhole: options.isPairingWhole(),
    }),
    inspector: node.inspector,
    chains: options.chains,
    callers: options.callers,
    now: () => node.nowMs(),
    wallNow: Date.now,
    forceBreaker: async ({ chain, provider, transport, action, forMs }) => {
      const breaker = node.whereis(circuitBreakerKey(chain, provider, transport));
      return (await breaker?.try.force({ action, forMs }))?.ok === true;
    },
    reload: () => node.via(configStoreKey()).call.reload(undefined, { timeoutMs: 60_000 }),
    plan: () => node.via(configStoreKey()).call.plan(),
    config: () => dumpConfig(running.loaded.source),
    child: ({ action, supervisor, id }) => changeChild(node, action, supervisor, id),
    mayReplaceState: () => running.config.admin.allowReplaceState,
    saveDump: (text) => {
      const directory = dirname(running.config.admin.socket);
      return writeDump(directory, `dump-${nanoid(12)}.json`, text);
    },
    drain: options.drain,
    reports: options.reports,
    requests: options.requests,
    evidence: options.evidence,
    pairing: options.pairing,
    cluster: options.cluster,
    events: {
      attach: (sink) => {
        const id = `admin-${nanoid(6)}`;
        const { region } = options.running.config;
        node.telemetry.attach(id, "*", ({ name, fields }) => sink(name, { region, ...fields }));
        return () => void node.telemetry.detach(id);
      },
    },
  };
};

const changeChild = async (
  node: Node,
  action: ChildOrder["action"],
  name: string,
  id: string,
): Promise<ChildOutcome | undefined> => {
  const supervisor = node.supervisor(name);
  switch (action) {
    case "terminate":
      return supervisor?.terminateChild(id);
    case "restart":
      return supervisor?.restartChild(id);
    case "delete":
      return supervisor?.deleteChild(id);
    default:
      return action satisfies never;
  }
};

/** Where the listener can be reached. */
export const urlOf = ({ host, port }: ListenAddress): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

const urlIfOpen = (address: ListenAddress | undefined): string | undefined =>
  address === undefined ? undefined : urlOf(address);
