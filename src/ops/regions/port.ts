/** What the operator's pages and commands read of the cluster; its view lies with the host. */
import type { ClusterView, SharedBoard, SharedName } from "../../cluster/protocol.ts";

/** The cluster as this region knows it, read in place: nobody is asked. */
export interface ClusterPort {
  readonly view: () => ClusterView;
  /** What the other regions say of a chain. */
  readonly boardsOf: (chain: string) => readonly SharedBoard[];
  /** Names of this region and the others that begin with `prefix`. */
  readonly select: (
    prefix: string,
    limit: number,
    region: string | undefined,
  ) => readonly SharedName[];
}
