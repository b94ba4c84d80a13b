/** `--log-level=info,rpc=debug`: one level for all, others by subsystem. */

/** Levels from most to least talkative. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Severity of a line, or `silent` for none. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const isLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text);

/** Which lines are written. */
export class LogLevels {
  #fallback: LogLevel;
  readonly #bySubsystem = new Map<string, LogLevel>();
  readonly #resolved = new Map<string, number>();

  constructor(fallback: LogLevel = "info") {
    this.#fallback = fallback;
  }

  /** Levels from text, e.g. `rpc=debug` or `warn,rpc.breaker=debug`; a reason when it is no such text. */
  static parse(
    text: string,
    fallback: LogLevel = "info",
  ):
    | { readonly ok: true; readonly levels: LogLevels }
    | { readonly ok: false; readonly reason: string } {
    const levels = new LogLevels(fallback);
    for (const part of text.split(",")) {
      const [left = "", right] = part.trim().split("=", 2);
      const level = right ?? left;
      if (!isLevel(level)) {
        const known = LOG_LEVELS.join(", ");
        return { ok: false, reason: `no log level ${JSON.stringify(level)}; one of ${known}` };
      }
      levels.set(right === undefined ? undefined : left, level);
    }
    return { ok: true, levels };
  }

  /** Sets the level of a subsystem and those below it (`rpc` covers `rpc.breaker`), or of all. */
  set(subsystem: string | undefined, level: LogLevel): void {
    if (subsystem === undefined || subsystem === "") this.#fallback = level;
    else this.#bySubsystem.set(subsystem, level);
    this.#resolved.clear();
  }

  /** Takes over the levels of `other`, e.g. after a reload. */
  become(other: LogLevels): void {
    this.#fallback = other.#fallback;
    this.#bySubsystem.clear();
    for (const [subsystem, level] of other.#bySubsystem) this.#bySubsystem.set(subsystem, level);
    this.#resolved.clear();
  }

  /** Whether a line of this level is written for this subsystem. */
  admits(level: LogLevel, subsystem: string): boolean {
    let threshold = this.#resolved.get(subsystem);
    if (threshold === undefined) {
      threshold = LOG_LEVELS.indexOf(this.#levelOf(subsystem));
      // Subsystems are named in code, so this memory stays small; the bound is for the unforeseen.
      if (this.#resolved.size < 1_000) this.#resolved.set(subsystem, threshold);
    }
    return LOG_LEVELS.indexOf(level) >= threshold && level !== "silent";
  }

  #levelOf(subsystem: string): LogLevel {
    for (
      let name = subsystem;
      name !== "";
      name = name.slice(0, Math.max(0, name.lastIndexOf(".")))
    ) {
      const level = this.#bySubsystem.get(name);
      if (level !== undefined) return level;
    }
    return this.#fallback;
  }
}
