/**
 * Profiles: the defaults of every extension to OTP, for a whole node (otp.md 1.17).
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
