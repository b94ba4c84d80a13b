/**
 * Profiles: the defaults of every extension to OTP, for a whole node (otp.md 1.17).
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, dynamicSupervisor } from "paceline/otp";
 *
 * const part = defineActor({ name: "demo/part", init: (_args: undefined) => 0 });
 * const parts = dynamicSupervisor("parts", {
 *   template: (id: number) => child(part, undefined, { id }),
 * });
 *
 * for (const profile of ["paceline", "otp"] as const) {
 *   const node = createVirtualNode({ profile });
 *   const top = await node.start(parts);
 *   for (let id = 0; id < 10_000; id += 1) await top.startChild(id);
 *   const oneMore = await top.startChild(10_000);
 *   console.log(profile, oneMore.ok || oneMore.reason);
 *   await node.stop();
 * }
 * ```
 *
 * ```text
 * paceline max_children
 * otp true
 * ```
 *
 * | what a spec leaves open | "paceline" (default) | "otp" |
 * |---|---|---|
 * | `orphans` of a supervisor | wait | ignore |
 * | `startTimeoutMs` of a worker | 30 000 ms | Infinity |
 * | `maxChildren` of a dynamic supervisor | 10 000 children | no bound |
 * | `mailbox.max` of an actor | 10 000 messages | no bound |
 *
 * A profile only fills in what a spec or a definition leaves open: an option that is written down
 * holds in both.
 */

/** "otp": as Erlang, no extension is on unless a spec asks for it; "paceline": bounded throughout. */
export type ProfileName = "otp" | "paceline";

/** What one profile fills in. */
export interface Profile {
  readonly name: ProfileName;
  /** Whether the replacement of a killed supervisor waits for what ran under it. */
  readonly orphans: "wait" | "ignore";
  /** An init of a worker that takes longer is killed, ms. */
  readonly startTimeoutMs: number;
  /** Children of one dynamic supervisor. */
  readonly maxChildren: number;
  /** User messages that may wait in one actor's mailbox. */
  readonly maxMailbox: number;
}

/** Both profiles. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  otp: {
    name: "otp",
    orphans: "ignore",
    startTimeoutMs: Number.POSITIVE_INFINITY,
    maxChildren: Number.POSITIVE_INFINITY,
    maxMailbox: Number.POSITIVE_INFINITY,
  },
  paceline: {
    name: "paceline",
    orphans: "wait",
    startTimeoutMs: 30_000,
    maxChildren: 10_000,
    maxMailbox: 10_000,
  },
};
