/** Attempts in words: the header of every answer, and the rows of the explanation. */
import type { AttemptRow, CancelReason } from "./record.ts";
import type { Told, ToldAttempt } from "./told.ts";

type Attempted = Pick<Told, "attempts" | "provider" | "outcome">;

/** Something that also knows the time: of an answer that streams no duration is known yet. */
type Ongoing = Attempted & { now(): number };

/** `alchemy=primary:timeout:812;infura=hedge:ok:44:won` */
export const attemptsText = (told: Ongoing): string => {
  const { attempts } = told;
  // Nearly every call: one attempt, one string.
  if (attempts.length === 1) {
    const only = attempts[0] as ToldAttempt;
    return wordOf(only, only.provider === told.provider, told);
  }
  const won = winner(told);
  const shown = attempts.length > MAX_SHOWN ? attempts.slice(0, MAX_SHOWN) : attempts;
  const words = shown.map((attempt) => wordOf(attempt, attempt === won, told));
  if (shown.length < attempts.length) words.push(`+${attempts.length - shown.length}`);
  return words.join(";");
};

/** Attempts that a header names; a range of logs may have any number of them. */
const MAX_SHOWN = 16;

const wordOf = (attempt: ToldAttempt, isWinner: boolean, told: Ongoing): string => {
  const { provider, kind, isSettled, errorClass } = attempt;
  // A streaming attempt is still running when the headers leave.
  const ms = isSettled ? attempt.durationMs : told.now() - attempt.startMs;
  const outcome = isSettled ? errorClass : "ok";
  return `${provider}=${kind}:${outcome}:${Math.round(ms)}${isWinner ? ":won" : ""}`;
};

/** The attempt whose answer the client got: the provider's last one that was not given up. */
export const winner = ({ attempts, provider }: Attempted): ToldAttempt | undefined =>
  provider === undefined
    ? undefined
    : (attempts.findLast((one) => one.provider === provider && one.errorClass !== "cancelled") ??
      attempts.findLast((one) => one.provider === provider && !one.isSettled));

/** The rows of the explanation. */
export const attemptRows = (
  told: Attempted & Pick<Told, "startMs">,
  nowMs: number,
): readonly AttemptRow[] => {
  const won = winner(told);
  return told.attempts.map((attempt) => ({
    provider: attempt.provider,
    transport: attempt.row.transport,
    kind: attempt.kind,
    class: attempt.isSettled ? attempt.errorClass : "running",
    code: attempt.error?.code ?? attempt.status ?? null,
    after_ms: tenths(attempt.startMs - told.startMs),
    ms: tenths(attempt.isSettled ? attempt.durationMs : nowMs - attempt.startMs),
    budget_ms: Math.max(0, Math.round(attempt.expiresAtMs - attempt.startMs)),
    won: attempt === won,
    cancelled_because: cancelReason(told, attempt),
  }));
};

const cancelReason = ({ outcome }: Attempted, attempt: ToldAttempt): CancelReason | null => {
  const { errorClass, failureKind, isSettled } = attempt;
  if (!isSettled || errorClass !== "cancelled") return null;
  if (failureKind === "reset") return "reused_socket";
  if (failureKind === "overflow") return "too_large";
  return attempt.cancelledBecause ?? (outcome === "gone" ? "client_gone" : "lost");
};

/** Milliseconds with one digit. */
export const tenths = (ms: number): number => Math.round(ms * 10) / 10;
