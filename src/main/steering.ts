/** Joins commands between regions to this host: what carries them out here, and what sends them. */
import type { Grant } from "../../config/schema.ts";
import { adminSocketKey } from "../../actors/ops/admin-socket.ts";
import { regionCommandsKey } from "../../actors/cluster/region-commands.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { Steering } from "../cluster/steering/steering.ts";
import { startHostTimer } from "../io/admin-socket.ts";
import type { AdminDeps } from "../ops/admin/ports.ts";
import { carryOut } from "../ops/regions/carry-out.ts";
import type { ClusterPort } from "../ops/regions/port.ts";
import type { Node } from "../otp/index.ts";

/** What commands between regions are made of. */
export interface SteeringSources {
  readonly node: Node;
  /** What commands reach here. */
  readonly admin: () => AdminDeps;
  /** The most that other regions may do here now. */
  readonly grants: () => Grant;
}

/** What this region asks of others and they of it. */
export const makeSteering = (
  cluster: Cluster,
  { node, admin, grants }: SteeringSources,
): { readonly steering: Steering; readonly command: ClusterPort["command"] } => {
  const nudge = (): void => node.via(regionCommandsKey()).cast.say();
  const steering = new Steering(cluster, (order, door, settle) =>
    carryOut(
      order,
      door,
      (outcome) => {
        settle(outcome);
        nudge();
      },
      {
        deps: admin(),
        audit: (entry) => node.via(adminSocketKey()).cast.audit(entry),
        after: startHostTimer,
        grants,
        tell: (fields) => node.emit("cluster.command", fields),
      },
    ),
  );
  return {
    steering,
    command: ({ region, ...question }, answered) => {
      steering.ask(region, question, node.nowMs(), answered);
      nudge();
    },
  };
};

/** Where nothing is shared there is nobody to ask. */
export const askNobody: ClusterPort["command"] = ({ region }, answered) =>
  answered({
    ok: false,
    error: {
      code: "OPS_NO_REGION",
      message: `no region "${region}": this one shares with no others`,
      hint: "set redis.url and cluster.secret; paceline regions says more",
    },
  });
