/**
 * How a filter finds out what is new: rules that ask questions and are given the answers. A rule is a
 * generator, so that it reads from top to bottom and knows neither sockets nor clocks; whoever drives
 * it asks the providers (`drive`).
 */

/** One call of ours to the chain. */
export interface Question {
  readonly method: string;
  readonly params: readonly unknown[];
  /** About blocks above the served tip: to be asked as it is, since reads stop at that tip. */
  readonly isAhead?: boolean;
}

/** A rule: yields questions that may be asked at once, and is given their results in that order. */
export type Poll<T> = Generator<readonly Question[], T, readonly unknown[]>;

/** The answer to one question; `detail` of a failure is an error object as JSON text. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly detail: string };

/** Asks one question; `answered` is called once, maybe at once. */
export type Ask = (question: Question, answered: (answer: Answer) => void) => void;

/** Why a filter cannot go on: something it would have to tell is lost. */
export class FilterGap extends Error {}

/** What a rule came to. */
export type PollOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  /** A question failed; nothing has changed. */
  | { readonly kind: "failed"; readonly detail: string }
  | { readonly kind: "gap"; readonly message: string };

/** Runs a rule to its end; `done` is called once, unless the questions are given up. */
export const drive = <T>(poll: Poll<T>, ask: Ask, done: (outcome: PollOutcome<T>) => void): void =>
  resume(poll, [], ask, done);

const resume = <T>(
  poll: Poll<T>,
  results: readonly unknown[],
  ask: Ask,
  done: (outcome: PollOutcome<T>) => void,
): void => {
  let step: IteratorResult<readonly Question[], T>;
  try {
    step = poll.next(results);
  } catch (error) {
    if (!(error instanceof FilterGap)) throw error;
    done({ kind: "gap", message: error.message });
    return;
  }
  if (step.done === true) {
    done({ kind: "done", value: step.value });
    return;
  }
  const questions = step.value;
  const answers: unknown[] = [];
  let open = questions.length;
  let hasFailed = false;
  for (const [index, question] of questions.entries()) {
    ask(question, (answer) => {
      if (hasFailed) return;
      if (!answer.ok) {
        hasFailed = true;
        done({ kind: "failed", detail: answer.detail });
        return;
      }
      answers[index] = answer.result;
      open--;
      if (open === 0) resume(poll, answers, ask, done);
    });
    if (hasFailed) return;
  }
};
