/** Many demands matched in another thread: what is asked, and what is answered, in few flat arrays. */
import { bindingOf } from "../binding.ts";
import type { Plan } from "../compile.ts";
import { countSurvivors } from "../explain/count.ts";
import { type FilterReport, survivorsOf } from "../explain/survivors.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import { matchRows } from "../match.ts";
import type { Composite } from "../scorers/composite.ts";
import type { IndexImage } from "./image.ts";
import { compositeOf, planOfText, type ProfileImage } from "./plan-image.ts";
import { isTorn, viewOf } from "./view.ts";

/** What is asked. */
export interface Chunk {
  readonly image: IndexImage;
  readonly profiles: readonly ProfileImage[];
  /** Canonical texts of portable plans, and which profile each has. */
  readonly texts: readonly string[];
  readonly profileOf: readonly number[];
}

/** What is answered; of no worth when the market has changed. */
export interface ChunkAnswer {
  readonly isTorn: boolean;
  /** Picks of each demand, then the rows and scores of all picks one after the other. */
  readonly picks: Uint8Array;
  readonly rows: Int32Array;
  readonly scores: Float64Array;
  /** Survivors of each demand. */
  readonly left: Uint32Array;
  /** Reports of the filters for demands that leave nobody. */
  readonly reports: readonly (readonly [at: number, survivors: readonly FilterReport[]])[];
}

/** Plans that a matcher keeps. */
const MOST_PLANS = 4_096;

/** Answers chunks; keeps its view and its plans while they are good. */
export class ChunkMatcher {
  #imageId = 0;
  #view: ProviderIndex | undefined;
  readonly #composites = new Map<string, Composite>();
  readonly #plans = new Map<string, Plan>();

  /** Answers one chunk. */
  answer(chunk: Chunk): ChunkAnswer {
    const { image, texts } = chunk;
    try {
      const view = this.#viewOf(image);
      const plans = this.#plansOf(chunk);
      const answer = answerOf(plans, view);
      return { ...answer, isTorn: isTorn(image) };
    } catch (error) {
      // What is read amid a change may be any nonsense.
      if (isTorn(image)) return { ...nothing(texts.length), isTorn: true };
      throw error;
    }
  }

  #viewOf(image: IndexImage): ProviderIndex {
    if (this.#view !== undefined && this.#imageId === image.id) return this.#view;
    this.#imageId = image.id;
    this.#view = viewOf(image);
    return this.#view;
  }

  #plansOf({ profiles, texts, profileOf }: Chunk): Plan[] {
    const composites = profiles.map((profile) => {
      const key = JSON.stringify(profile);
      const known = this.#composites.get(key) ?? compositeOf(profile);
      if (this.#composites.size >= MOST_PLANS) this.#composites.clear();
      this.#composites.set(key, known);
      return { key, known };
    });
    return texts.map((text, i) => {
      const profile = composites[profileOf[i] as number];
      if (profile === undefined) throw new RangeError("a demand without its profile");
      const key = `${profile.key}\n${text}`;
      const known = this.#plans.get(key) ?? planOfText(text, profile.known);
      if (this.#plans.size >= MOST_PLANS) this.#plans.clear();
      this.#plans.set(key, known);
      return known;
    });
  }
}

function answerOf(plans: readonly Plan[], view: ProviderIndex): Omit<ChunkAnswer, "isTorn"> {
  const picks = new Uint8Array(plans.length);
  const left = new Uint32Array(plans.length);
  const rows: number[] = [];
  const scores: number[] = [];
  const reports: [number, readonly FilterReport[]][] = [];
  for (const [i, plan] of plans.entries()) {
    const found = matchRows(plan, view);
    picks[i] = found.rows.length;
    rows.push(...found.rows);
    scores.push(...found.scores);
    const binding = bindingOf(plan, view);
    if (found.rows.length > 0) left[i] = countSurvivors(binding);
    else reports.push([i, survivorsOf(binding)]);
  }
  return {
    picks,
    rows: Int32Array.from(rows),
    scores: Float64Array.from(scores),
    left,
    reports,
  };
}

const nothing = (count: number): Omit<ChunkAnswer, "isTorn"> => ({
  picks: new Uint8Array(count),
  rows: new Int32Array(0),
  scores: new Float64Array(0),
  left: new Uint32Array(count),
  reports: [],
});
