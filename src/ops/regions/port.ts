/** What the operator's pages and commands read of the cluster; its view lies with the host. */
import type { ClusterView, SharedBoard, SharedName } from "../../cluster/protocol.ts";
import type { Stream } from "../admin/command.ts";
import type { Role } from "../admin/protocol.ts";

/** A command for another region. */
export interface RegionOrder {
  readonly region: string;
  readonly cmd: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The rights of who asks here. */
  readonly role: Role;
  /** How long it may run there, ms. */
  readonly limitMs: number;
}

/** What came of it; with `feed` it has opened a stream there. */
export type RegionAnswer =
  | {
      readonly ok: true;
      readonly reply: unknown;
      readonly feed:
        | { readonly watch: (stream: Stream) => void; readonly stop: () => void }
        | undefined;
    }
  | {
      readonly ok: false;
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly hint?: string | undefined;
      };
    };

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
  /** Has another region carry out a command; `answered` is called once. */
  readonly command: (order: RegionOrder, answered: (answer: RegionAnswer) => void) => void;
}
