/** Two virtual nodes joined by a port, for claims about what crosses it. */
import type { Kernel } from "../../../src/otp/process/kernel.ts";
import {
  type ChildSpec,
  createVirtualNode,
  supervisor,
  type VirtualNode,
} from "../../../src/otp/index.ts";
import { Bridge } from "../../../src/otp/isolate/bridge.ts";
import type { Frame, Port } from "../../../src/otp/isolate/frames.ts";

/** One end of a pair: what is posted is cloned, as between threads, and taken a microtask later. */
class PairedPort implements Port {
  peer: PairedPort | undefined = undefined;
  /** While held nothing is taken: what was posted waits. */
  isHeld = false;
  private takeFrames: ((frames: readonly Frame[]) => void) | undefined = undefined;
  private readonly waiting: Frame[][] = [];

  post(frames: readonly Frame[], transfers: readonly ArrayBuffer[]): void {
    const copy = structuredClone(frames as Frame[], { transfer: [...transfers] });
    this.peer?.arrive(copy);
  }

  onFrames(take: (frames: readonly Frame[]) => void): void {
    this.takeFrames = take;
  }

  release(): void {
    this.isHeld = false;
    this.pump();
  }

  private arrive(frames: Frame[]): void {
    this.waiting.push(frames);
    queueMicrotask(() => this.pump());
  }

  private pump(): void {
    if (this.isHeld) return;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.takeFrames?.(next);
    }
  }
}

/** Two joined nodes. */
export interface Pair extends Joint {
  readonly outer: VirtualNode;
  readonly inner: VirtualNode;
  /** Lets both run until neither has anything to do. */
  settle(): Promise<void>;
  /** Lets the same time pass on both. */
  advance(ms: number): Promise<void>;
}

/** Kernel of a node, for what no public door shows. */
export function kernelOf(node: VirtualNode): Kernel {
  return (node as unknown as { readonly kernel: Kernel }).kernel;
}

/** Both ends of a bridge between two nodes. */
export interface Joint {
  readonly outerBridge: Bridge;
  readonly innerBridge: Bridge;
  readonly outerPort: PairedPort;
  readonly innerPort: PairedPort;
}

/** Opens a bridge between two nodes; the inner one is called `id` outside. */
export function connect(
  outer: VirtualNode,
  inner: VirtualNode,
  id = "w1",
  options: { readonly maxInFlight?: number } = {},
): Joint {
  const [outerPort, innerPort] = [new PairedPort(), new PairedPort()];
  outerPort.peer = innerPort;
  innerPort.peer = outerPort;
  const onControl = (): void => {
    throw new Error("nobody starts anything over this bridge");
  };
  return {
    outerPort,
    innerPort,
    outerBridge: new Bridge(kernelOf(outer), {
      id,
      port: outerPort,
      isOuter: true,
      onControl,
      ...options,
    }),
    innerBridge: new Bridge(kernelOf(inner), {
      id: "main",
      port: innerPort,
      isOuter: false,
      onControl,
      ...options,
    }),
  };
}

/** Lets nodes run until none of them has anything to do. */
export async function settleAll(...nodes: readonly VirtualNode[]): Promise<void> {
  for (let round = 0; round < 4; round += 1) for (const node of nodes) await node.settle();
}

/** Joins an outer and an inner node, each with these children under a supervisor. */
export async function joined(
  outside: readonly ChildSpec[],
  inside: readonly ChildSpec[],
  options: { readonly maxInFlight?: number } = {},
): Promise<Pair> {
  const [outer, inner] = [createVirtualNode(), createVirtualNode()];
  await outer.start(supervisor("top", { intensity: 10_000, children: outside }));
  const settle = (): Promise<void> => settleAll(outer, inner);
  const joint = connect(outer, inner, "w1", options);
  await settle();
  await inner.start(supervisor("inside", { intensity: 10_000, children: inside }));
  await settle();
  return {
    outer,
    inner,
    ...joint,
    settle,
    async advance(ms) {
      await settle();
      await outer.advance(ms);
      await inner.advance(ms);
      await settle();
    },
  };
}
