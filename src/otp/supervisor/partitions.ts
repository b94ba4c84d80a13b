/**
 * Partition supervisors: one process split into several alike, each with its share of the keys.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, partitionSupervisor, reply } from "paceline/otp";
 *
 * const tally = defineActor({
 *   name: "demo/tally",
 *   init: (_partition: number) => [] as string[],
 *   calls: { seen: (state) => reply(state, state) },
 *   casts: { saw: (state, who: string) => [...state, who] },
 * });
 * const tallies = partitionSupervisor("demo/tallies", {
 *   partitions: 2,
 *   child: (partition) => child(tally, partition, { id: "tally" }),
 * });
 *
 * const node = createVirtualNode();
 * await node.start(tallies); // a spec like any other: a root, or somebody's child
 * for (const who of ["ann", "bob", "ann", "eve"]) node.via(tallies.keyOf(who)).cast.saw(who);
 * for (let at = 0; at < tallies.partitions; at += 1) {
 *   console.log(at, await node.via(tallies.keyAt(at)).call.seen());
 * }
 * await node.stop();
 * ```
 *
 * ```text
 * 0 [ 'ann', 'bob', 'ann' ]
 * 1 [ 'eve' ]
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `child` | spec of partition 0, 1, ..; its id becomes the number | required |
 * | `partitions` | how many, 1 to 1024; else `OTP_BAD_OPTION` is thrown | cores of the host |
 * | `strategy` and flags | as of any supervisor | one_for_one |
 *
 * Integers go by their remainder, text by a stable hash (FNV-1a, 32 bits). Each child has a name of
 * its own, `id/number` unless it registers another, so that a routed message finds its partition
 * across restarts. The number of partitions is part of the routing: changing it moves keys.
 */
import { availableParallelism } from "node:os";
import { fnv32 } from "../../lib/fnv32.ts";
import type { AnyDef } from "../actor/definition.ts";
import type { Key } from "../names/key.ts";
import { noFacets } from "../process/ref.ts";
import { OtpError } from "../reason.ts";
import {
  type ChildPolicy,
  type ChildSpec,
  type RestartStrategy,
  supervisor,
  type SupervisorFlags,
  type SupervisorSpec,
} from "./spec.ts";

/** What `partitionSupervisor` takes beside supervisor flags. */
export interface PartitionOptions<D extends AnyDef> extends SupervisorFlags, ChildPolicy {
  /** 1 to 1024; default: as many as the host has cores. */
  readonly partitions?: number;
  /** Default one_for_one. */
  readonly strategy?: RestartStrategy;
  /** Spec of partition 0, 1, ..; its id becomes the number, its name defaults to `id/number`. */
  readonly child: (partition: number) => ChildSpec<D>;
}

/** A partition supervisor's spec, which also knows the way to the partitions. */
export interface PartitionSpec<D extends AnyDef> extends SupervisorSpec {
  readonly partitions: number;
  /** Key of the partition that is responsible for `routing`; integers go by modulo, text by hash. */
  keyOf(routing: string | number | bigint): Key<D>;
  /** Key of one partition, 0 to partitions - 1. */
  keyAt(partition: number): Key<D>;
}

const MAX_PARTITIONS = 1024;

/** Supervisor of `partitions` children that are alike. */
export function partitionSupervisor<D extends AnyDef>(
  id: string,
  options: PartitionOptions<D>,
): PartitionSpec<D> {
  const { partitions = availableParallelism(), child, ...flags } = options;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new OtpError(
      "OTP_BAD_OPTION",
      `partitions ${partitions} of ${id} is no integer from 1 to ${MAX_PARTITIONS}`,
    );
  }
  const children: ChildSpec[] = [];
  const keys: Key<D>[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const spec = child(partition);
    const name = spec.name ?? `${id}/${partition}`;
    const { behaviour } = spec.start;
    children.push({ ...spec, id: partition, name });
    keys.push({ name, facets: ("facets" in behaviour && behaviour.facets) || noFacets });
  }
  const keyAt = (partition: number): Key<D> => {
    const key = keys[partition];
    if (key !== undefined) return key;
    throw new OtpError("OTP_BAD_OPTION", `${id} has no partition ${partition} of ${partitions}`);
  };
  return {
    ...supervisor(id, { ...flags, children }),
    partitions,
    keyAt,
    keyOf: (routing) => keyAt(partitionOf(routing, partitions)),
  };
}

/** Partition of a routing key: stable over processes, hosts and versions of this runtime. */
export function partitionOf(routing: string | number | bigint, partitions: number): number {
  if (typeof routing === "bigint") {
    return Number((routing < 0n ? -routing : routing) % BigInt(partitions));
  }
  if (Number.isSafeInteger(routing)) return Math.abs(routing as number) % partitions;
  return fnv32(String(routing)) % partitions;
}
