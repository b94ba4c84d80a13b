/**
 * What isolation in a worker thread costs: start, restart, calls by what they carry, one-way messages.
 *
 * Calls go one after the other; the lane beside is the same call to the same actor in this thread.
 * Best of the rounds, since the machine is shared; the restart has the bar of otp.md 4.6.
 */
import {
  child,
  createNode,
  type Ref,
  supervisor,
  type SupervisorSpec,
  transfer,
} from "../src/otp/index.ts";
import { echo, echoKey } from "./lanes/isolated.ts";
import { median, report } from "./support/report.ts";

const ROUNDS = 5;
const RESTART_BAR_MS = 100;
/** Time a spare thread has to boot before it is needed. */
const SPARE_MS = 1500;
const MODULE = new URL("./lanes/isolated.ts", import.meta.url);

const isolated = (name: string, spare: boolean): SupervisorSpec =>
  supervisor(name, {
    isolate: "worker",
    from: { module: MODULE, args: name },
    spare,
    shutdown: 100,
  });

const node = createNode({ maxWorkers: 4 });
const top = await node.start(
  supervisor("bench", {
    intensity: 1_000_000,
    children: [child(echo, undefined, { register: echoKey("here") })],
  }),
);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

await measureStart();
await measureRestart("cold", false);
await measureRestart("spare", true);
await top.startChild(isolated("echo", false));
await measureCalls();
await measureBurst();
await node.stop();

/** From startChild to its answer: a thread, the runtime, the module, the subtree. */
async function measureStart(): Promise<void> {
  const tookMs: number[] = [];
  for (let round = 0; round < ROUNDS + 1; round += 1) {
    const startMs = performance.now();
    const started = await top.startChild(isolated("start", false));
    if (!started.ok) throw new Error(JSON.stringify(started.reason));
    // The first fills the compile cache.
    if (round > 0) tookMs.push(performance.now() - startMs);
    await top.terminateChild("start");
    await top.deleteChild("start");
  }
  report({ bench: "isolate", case: "start", value: median(tookMs), unit: "ms" });
}

/** From the kill of a subtree in an endless loop to the answer of its successor. */
async function measureRestart(name: string, spare: boolean): Promise<void> {
  await top.startChild(isolated(name, spare));
  const ref = node.via(echoKey(name));
  const tookMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await sleep(SPARE_MS);
    ref.cast.spin();
    await sleep(5);
    const { id } = ref;
    const startMs = performance.now();
    node.inspector.exit(name, "kill");
    while (!ref.isAlive || ref.id === id) await sleep(0);
    await ref.call.count();
    tookMs.push(performance.now() - startMs);
  }
  await top.terminateChild(name);
  report({
    bench: "isolate",
    case: spare ? "kill amid a loop to answer, spare thread" : "kill amid a loop to answer, cold",
    value: median(tookMs),
    unit: "ms",
    ...(spare
      ? { bar: `< ${RESTART_BAR_MS} ms each`, ok: Math.max(...tookMs) < RESTART_BAR_MS }
      : {}),
  });
}

async function measureCalls(): Promise<void> {
  const record = Object.fromEntries(
    Array.from({ length: 32 }, (_, i) => [`field${i}`, "x".repeat(16)]),
  );
  const rows = Array.from({ length: 100 }, () => ({ ...record }));
  const text = "x".repeat(100_000);
  const [there, here] = [node.via(echoKey("echo")), node.via(echoKey("here"))];
  const plain = (value: unknown) => (ref: Ref<typeof echo>) => ref.call.echo(value);
  await row("number", 5_000, there, here, plain(7));
  await row("1 KB object", 3_000, there, here, plain(record));
  await row("100 KB object", 200, there, here, plain(rows));
  await row("100 KB string", 2_000, there, here, plain(text));
  let bytes: Uint8Array = new Uint8Array(100_000);
  await row("100 KB buffer, moved there and back", 3_000, there, here, async (ref) => {
    bytes = await ref.call.bounce(transfer(bytes));
  });
}

async function row(
  name: string,
  count: number,
  there: Ref<typeof echo>,
  here: Ref<typeof echo>,
  call: (ref: Ref<typeof echo>) => Promise<unknown>,
): Promise<void> {
  const [value, baseline] = [
    await usPerCall(there, count, call),
    await usPerCall(here, count, call),
  ];
  report({
    bench: "isolate",
    case: `call with ${name}`,
    value,
    unit: "us",
    baseline,
    ratio: value / baseline,
  });
}

async function usPerCall(
  ref: Ref<typeof echo>,
  count: number,
  call: (ref: Ref<typeof echo>) => Promise<unknown>,
): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    for (let i = 0; i < count; i += 1) await call(ref);
    best = Math.min(best, ((performance.now() - startMs) * 1000) / count);
  }
  return best;
}

/** Casts in batches, each awaited by one call, so that nothing meets the bound of the port. */
async function measureBurst(): Promise<void> {
  const [value, baseline] = [await castsPerSec("echo"), await castsPerSec("here")];
  const shape = { bench: "isolate", case: "one-way messages", unit: "msg/s" };
  report({ ...shape, value, baseline, ratio: value / baseline });
}

async function castsPerSec(name: string): Promise<number> {
  const ref = node.via(echoKey(name));
  const [total, batch] = [400_000, 8_000];
  let best = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await ref.call.count();
    const startMs = performance.now();
    for (let sent = 0; sent < total; sent += batch) {
      for (let i = 0; i < batch; i += 1) ref.cast.add(1);
      await ref.call.count();
    }
    const after = await ref.call.count();
    if (after - before !== total) throw new Error(`lost ${total - (after - before)} messages`);
    best = Math.max(best, total / ((performance.now() - startMs) / 1000));
  }
  return best;
}
