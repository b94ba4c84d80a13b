/** Mistakes that a supervisor could make (otp.md 7.1), as changes to its source. */

/** One mistake. */
export interface Mutation {
  /** What the supervisor would do wrong. */
  readonly mistake: string;
  /** File below src/otp. */
  readonly file: string;
  /** Each text stands there once and is replaced. */
  readonly changes: readonly (readonly [right: string, wrong: string])[];
}

const SUPERVISOR = "supervisor/supervisor.ts";
const RESTARTING = "supervisor/restarting.ts";
const STOPPING = "supervisor/stopping.ts";

/** The mistakes of otp.md 7.1, in its order. */
export const MUTATIONS: readonly Mutation[] = [
  {
    mistake: "intensity off by one",
    file: "supervisor/intensity.ts",
    changes: [["return this.total <= this.intensity;", "return this.total < this.intensity;"]],
  },
  {
    mistake: "failed retries are not counted",
    file: RESTARTING,
    changes: [
      [
        "  child.isRestarting = true;\n  const nowMs",
        "  const isRetry = child.isRestarting;\n  child.isRestarting = true;\n  const nowMs",
      ],
      ["if (!owner.window.add(nowMs))", "if (!isRetry && !owner.window.add(nowMs))"],
    ],
  },
  {
    mistake: "children stop in start order",
    file: STOPPING,
    changes: [["[...owner.children].reverse()", "[...owner.children]"]],
  },
  {
    mistake: "a temporary bystander of a group restart is restarted",
    file: STOPPING,
    changes: [['if (member.spec.restart === "temporary") owner.remove(member);', ""]],
  },
  {
    mistake: "the EXIT of a child that was found dead is handled once more",
    file: STOPPING,
    changes: [
      ["  process.record = undefined;\n", ""],
      ["me.mailbox.removeFirst((held) => held.kind === Kind.exit && held.origin === process)", "0"],
    ],
  },
  {
    mistake: "the retry of rest_for_one starts at the child that died",
    file: RESTARTING,
    changes: [
      ["child.isRestarting = false;\n      failure.child.lastId = 0;", "failure.child.lastId = 0;"],
      [
        'owner.mailSelf({ op: "retry", child: failure.child });',
        'owner.mailSelf({ op: "retry", child });',
      ],
    ],
  },
  {
    mistake: "terminate_child counts as the end of a significant child",
    file: "supervisor/admin.ts",
    changes: [
      [
        "owner.remove(child);\n    return { ok: true } as const;",
        "owner.remove(child);\n    return chain(owner.checkAutoShutdown(child), () => ({ ok: true }));",
      ],
    ],
  },
  {
    mistake: "a transient child is restarted after shutdown",
    file: "supervisor/strategy.ts",
    changes: [
      [
        "{ isReported: !isClean, isRestarted: !isClean, isRemoved: false }",
        '{ isReported: !isClean, isRestarted: reason !== "normal", isRemoved: false }',
      ],
    ],
  },
  {
    mistake: "a permanent child is not restarted after normal",
    file: "supervisor/strategy.ts",
    changes: [
      [
        "{ isReported: true, isRestarted: true, isRemoved: false }",
        '{ isReported: true, isRestarted: reason !== "normal", isRemoved: false }',
      ],
    ],
  },
  {
    mistake: "all_significant counts children that are dead",
    file: SUPERVISOR,
    changes: [
      [
        "if (other.spec.significant && (other.process !== undefined || other.isRestarting))",
        "if (other !== child && other.spec.significant)",
      ],
    ],
  },
  {
    mistake: "the spec of a temporary child is kept",
    file: "supervisor/strategy.ts",
    changes: [["isRestarted: false, isRemoved: true }", "isRestarted: false, isRemoved: false }"]],
  },
  {
    mistake: "giving up ends the supervisor with another reason",
    file: RESTARTING,
    changes: [
      [
        'owner.remove(child);\n  return owner.shutdown("shutdown");',
        'owner.remove(child);\n  return owner.shutdown("reached_max_restart_intensity");',
      ],
    ],
  },
  {
    mistake: "ignore on a restart is retried",
    file: SUPERVISOR,
    changes: [
      [
        "if (!outcome.ignored) return { child, reason: outcome.reason };",
        "if (!outcome.ignored || (child.lastId !== 0 && child.isRestarting))\n" +
          '      return { child, reason: outcome.reason ?? "ignore" };',
      ],
    ],
  },
];
