/** An answer that was kept, on its way to a client: the facts of it, and its record. */
import type { Finality } from "../../cache/finality.ts";
import type { KeptAnswer } from "../../cache/kept-answer.ts";
import { addNote, type ExplainRecord, type Note } from "../../explain/record.ts";
import type { Call, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import { LocalFacts } from "../facts.ts";
import type { Flight } from "./flight.ts";

/** Gives `answer` to the client of `call`. */
export function answerKept(engine: Engine, call: Call, sink: CallSink, answer: KeptAnswer): void {
  const facts = new CacheHit(engine, call, answer);
  const { before, after, body } = answer;
  if (body === undefined) sink.text(facts, 200, before + facts.idToken + after);
  else sink.result(facts, body, before.length, before.length);
  engine.answeredLocally(facts);
}

/** Gives `answer`, which another host had kept, to all who wait for it. */
export function giveKept(engine: Engine, call: Call, flight: Flight, answer: KeptAnswer): void {
  const facts = new CacheHit(engine, call, answer);
  flight.give(facts, answer);
  engine.answeredLocally(facts);
}

/** The facts of an answer that was kept. */
export class CacheHit extends LocalFacts {
  readonly #isError: boolean;

  constructor(engine: Engine, call: Call, { isError, finality, number }: KeptAnswer) {
    super(engine, call, undefined, "HIT");
    this.#isError = isError;
    addNote(call, new HitNote(finality, number));
  }

  /** A revert is an answer, but not a result. */
  override get outcome(): "ok" | "error" {
    return this.#isError ? "error" : "ok";
  }
}

/** Says what kind of answer it was; holds nothing of the answer itself. */
class HitNote implements Note {
  next: Note | undefined = undefined;
  readonly #finality: Finality;
  readonly #number: number;

  constructor(finality: Finality, number: number) {
    this.#finality = finality;
    this.#number = number;
  }

  describe(record: ExplainRecord): void {
    const block = this.#number < 0 ? {} : { block: this.#number };
    record.cache = { ...record.cache, finality: this.#finality, ...block };
  }
}
