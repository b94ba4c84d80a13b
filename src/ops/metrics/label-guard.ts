/** Keeps the series of one metric family within its cap. */
import { METRIC_LABELS, OTHER, maxSeriesOf, reservedSeriesOf, type MetricDef } from "./table.ts";

/** Labels of one series. */
export type Labels = Record<string, string>;

/** Decides under which labels a value counts, and how often it had to be `_OTHER`. */
export class LabelGuard {
  readonly #def: MetricDef;
  readonly #redact: (text: string) => string;
  readonly #room: number;
  readonly #known = new Map<string, Labels>();
  #dropped = 0;

  constructor(def: MetricDef, redact: (text: string) => string = (text) => text) {
    this.#def = def;
    this.#redact = redact;
    this.#room = maxSeriesOf(def) - reservedSeriesOf(def);
  }

  /** Values that did not fit since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** The labels for these values (in the order of the table); the same object for the same values. */
  labelsOf(values: readonly string[]): Labels {
    const key = values.join("\u0000");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const wanted = this.#labels(values, false);
    if (this.#known.size < this.#room) {
      this.#known.set(key, wanted);
      return wanted;
    }
    this.#dropped += 1;
    return this.#labels(values, true);
  }

  /** Forgets the series for which `isGone` holds and returns their labels. */
  forget(isGone: (labels: Labels) => boolean): readonly Labels[] {
    const gone: Labels[] = [];
    for (const [key, labels] of this.#known) {
      if (!isGone(labels)) continue;
      this.#known.delete(key);
      gone.push(labels);
    }
    return gone;
  }

  #labels(values: readonly string[], isFull: boolean): Labels {
    const labels: Labels = {};
    for (const [at, label] of this.#def.labels.entries()) {
      const closed = METRIC_LABELS[label]?.values;
      const value = this.#redact(values[at] ?? "");
      const fits = closed === undefined ? !isFull : closed.includes(value);
      labels[label] = fits ? value : OTHER;
    }
    return labels;
  }
}
