/** A provider that tells of heads which nobody mined: a false branch on a real block, as high as the chain. */

interface Header {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
}

interface Notification {
  readonly params?: { readonly result?: Partial<Header> };
}

/** The false branch of one provider, as long as it lasts. */
export class Inventor {
  readonly #mark: string;
  readonly #isBeside: boolean;
  #made = 0;
  #last: { readonly number: number; readonly hash: string } | undefined;

  /** `isBeside`: the truth is told as well, after the invention; else it is told no more. */
  constructor(name: string, isBeside: boolean) {
    this.#mark = Buffer.from(name).toString("hex").slice(0, 24);
    this.#isBeside = isBeside;
  }

  /** What the provider says in place of a notification. */
  tell(text: string): readonly string[] {
    const message = JSON.parse(text) as Notification;
    const head = message.params?.result;
    if (typeof head?.parentHash !== "string") return this.#isBeside ? [text] : [];
    const number = Number(head.number);
    const isOnLast = this.#last?.number === number - 1;
    const hash = `0xfa15e${this.#mark}${String(++this.#made).padStart(59 - this.#mark.length, "0")}`;
    const parentHash = isOnLast ? this.#last?.hash : head.parentHash;
    this.#last = { number, hash };
    const result = { ...head, hash, parentHash };
    const invented = JSON.stringify({ ...message, params: { ...message.params, result } });
    return this.#isBeside ? [invented, text] : [invented];
  }
}
