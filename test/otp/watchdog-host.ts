/** A host program of its own for watchdog.test.ts: blocks its main loop in the way it is told to. */
import { execFileSync } from "node:child_process";
import { child, createNode, defineActor, keyFor, supervisor } from "../../src/otp/index.ts";

const [, , way = "handler", forMs = "800", exitAfterMs = "0"] = process.argv;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const tell = (record: object): void => {
  process.stdout.write(`${JSON.stringify(record)}\n`);
};

function spinTheWheel(): void {
  tell({ beginMs: Date.now() });
  const endMs = performance.now() + Number(forMs);
  while (performance.now() < endMs);
  tell({ endMs: Date.now() });
}

function sinkDeep(depth: number): void {
  if (depth === 0) spinTheWheel();
  else sinkDeep(depth - 1);
}

/** Ways to block inside a handler. */
const ways: Readonly<Record<string, () => unknown>> = {
  handler: spinTheWheel,
  "deep recursion": () => sinkDeep(100),
  "native call": () => {
    tell({ beginMs: Date.now() });
    execFileSync("sleep", [String(Number(forMs) / 1_000)]);
    tell({ endMs: Date.now() });
  },
  "after an await": async () => {
    await Promise.resolve();
    spinTheWheel();
  },
  "timer of a process": () => void setTimeout(spinTheWheel, 1),
};

const blocker = defineActor({
  name: "test/blocker",
  init: (args: { readonly name: string }) => args,
  casts: {
    block: async (state, kind: string) => {
      await ways[kind]?.();
      return state;
    },
    blockAtOnce: (state, kind: string) => {
      ways[kind]?.();
      return state;
    },
  },
});
const blockerKey = keyFor(blocker, "n");

const node = createNode({
  watchdog: { exitAfterMs: Number(exitAfterMs), fields: { region: "test" } },
});
const isTold = Promise.withResolvers<void>();
node.telemetry.attach("tell", "otp.turn.long", ({ process: label, fields }) => {
  tell({ event: label, ...fields });
  isTold.resolve();
});
await node.start(
  supervisor("top", {
    children: ["quiet", "busy"].map((name) =>
      child(blocker, { name }, { register: blockerKey(name) }),
    ),
  }),
);
await wait(200);
tell({ isReady: true });
const busy = node.via(blockerKey("busy"));
if (way === "nothing") await wait(Number(forMs));
else if (way === "timer of nobody") setTimeout(spinTheWheel, 1);
else if (way === "after an await") busy.cast.block(way);
else busy.cast.blockAtOnce(way);
await Promise.race([isTold.promise, wait(Number(forMs) + 1_500)]);
// A second report of the same block would come now.
await wait(100);
await node.stop();
tell({ isStopped: true });
