/** The call evidence of one provider as of one moment: what was read once stays as it was. */
import type { Transport } from "../ids.ts";
import type { CallEvidence, CallSummary } from "../selection/snapshot.ts";

/** A summary that was read; also that there was none. */
interface Read {
  readonly summary: CallSummary | undefined;
}

/** Methods whose summaries are kept per transport; clients may invent any number. */
const MAX_READ = 128;

/** Reads through to the cells at first sight, so that a ranking can be explained with its numbers. */
export class CallsAt implements CallEvidence {
  readonly #find: (transport: Transport, method: string | undefined) => CallSummary | undefined;
  readonly #read = { http: new Map<string, Read>(), ws: new Map<string, Read>() };

  constructor(find: (transport: Transport, method: string | undefined) => CallSummary | undefined) {
    this.#find = find;
  }

  get(transport: Transport, method: string | undefined): CallSummary | undefined {
    const ofTransport = this.#read[transport];
    const known = ofTransport.get(method ?? "");
    if (known !== undefined) return known.summary;
    const summary = this.#find(transport, method);
    if (ofTransport.size < MAX_READ) ofTransport.set(method ?? "", { summary });
    return summary;
  }
}
