/** The embedded demo: starts the fake providers and turns config/demo.yml into a configuration. */
import { fileURLToPath } from "node:url";
import { startFakeServer } from "../io/fake-provider.ts";
import { startDemoWorld, type DemoWorld } from "../rpc/fake/demo-world.ts";

/** The demo's configuration file. */
export const demoFile = fileURLToPath(new URL("../../config/demo.yml", import.meta.url));

/** Starts the demo's providers on loopback ports; the same seed gives the same schedule. */
export const startDemo = (seed: number): Promise<DemoWorld> =>
  startDemoWorld({
    seed,
    now: Date.now,
    startServer: (mind, now) => startFakeServer(mind, now),
  });
