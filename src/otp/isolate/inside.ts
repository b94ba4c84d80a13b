/**
 * What runs inside a worker thread: a node of its own, joined to the outer one, that starts the
 * subtree it is told to, and tells what operators want to know of it.
 */
import * as hostModules from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { createNode, kernelOf, type Node } from "../node/node.ts";
import { processOf } from "../process/ref.ts";
import { ExitError, reasonOfThrown, type Reason } from "../reason.ts";
import { Bridge } from "./bridge.ts";
import { decodeReason, encodeReason } from "./codec.ts";
import type { ControlFrame, Frame, Origin, Port } from "./frames.ts";
import { loadSpec } from "./load.ts";
import { RateLimit } from "./rate-limit.ts";
import type { ThreadData } from "./thread.ts";
import type { View } from "./view.ts";

/** Not there before Node 22.10, as the cache itself is not before 22.1. */
const { flushCompileCache } = hostModules as Partial<typeof hostModules>;

/** Events and log records of one name that cross in a second. */
const PER_SECOND = 200;
/** Time between two views, ms. */
const VIEW_EVERY_MS = 100;
const MAX_ROWS = 200;
/** After which something in the tree has another face. */
const CHANGES = ["otp.init", "otp.exit", "otp.restart", "otp.report", "otp.terminate"];

/** Called once by the thread's first module. */
export function runInside(): void {
  if (parentPort === null) throw new Error("runInside belongs inside a worker thread");
  const thread = parentPort;
  const port: Port = {
    post: (frames, transfers) => thread.postMessage(frames, transfers),
    onFrames: (take) => void thread.on("message", (frames: Frame[]) => take(frames)),
  };
  const limit = new RateLimit(PER_SECOND, () => performance.now());
  const end = (reason: Reason): void => {
    bridge.post(["ended", encodeReason(reason)]);
    bridge.flush();
  };
  const node = createNode({
    profile: (workerData as ThreadData).profile,
    log: (level, fields, message) => {
      if (!limit.allows(`log ${level}`)) return;
      bridge.post(["log", level, encodeReason(fields), message]);
    },
    // Nobody inside owns it: the whole thread is in doubt.
    onStray: (error) => end(reasonOfThrown(error)),
  });
  const bridge: Bridge = new Bridge(kernelOf(node), {
    id: "main",
    port,
    isOuter: false,
    onControl: (frame) => {
      obey(frame).catch((error: unknown) => end(reasonOfThrown(error)));
    },
  });
  const obey = async (frame: ControlFrame): Promise<void> => {
    if (frame[0] === "warm") await import(frame[1]);
    else if (frame[0] === "stop") await node.stop(undefined, decodeReason(frame[1]));
    else if (frame[0] === "start") await start(node, bridge, frame[1]);
  };
  tapEvents(node, bridge, limit);
  void node.ended.then(end);
}

async function start(node: Node, bridge: Bridge, origin: Origin): Promise<void> {
  const spec = await loadSpec(origin);
  if (!("id" in spec)) {
    bridge.post(["failed", encodeReason(spec.reason)]);
    return;
  }
  try {
    const root = processOf(await node.start(spec));
    if (root === undefined) throw new Error("the subtree ended while it started");
    showTree(node, bridge);
    bridge.post(["up", bridge.handleOf(root)]);
    // For the next thread; an exit would lose it.
    flushCompileCache?.();
  } catch (error) {
    const reason = error instanceof ExitError ? error.reason : reasonOfThrown(error);
    bridge.post(["failed", encodeReason(reason)]);
  }
}

/** Events inside are events outside, so many a second of each name. */
function tapEvents(node: Node, bridge: Bridge, limit: RateLimit): void {
  node.telemetry.attach("otp/isolate", "*", ({ name, process, fields }) => {
    if (!limit.allows(name)) return;
    bridge.post(["event", name, process, encodeReason(fields)]);
  });
}

/** Sends what operators see, soon after it changed. */
function showTree(node: Node, bridge: Bridge): void {
  let isDue = false;
  const show = (): void => {
    isDue = false;
    const tree = node.inspector.tree();
    if (tree === undefined) return;
    const view: View = { tree, rows: node.inspector.processes().slice(0, MAX_ROWS) };
    bridge.post(["view", view]);
  };
  const changed = (): void => {
    if (isDue) return;
    isDue = true;
    kernelOf(node).wakeAt(VIEW_EVERY_MS, show);
  };
  node.telemetry.attach("otp/isolate/view", CHANGES, changed);
  show();
}
