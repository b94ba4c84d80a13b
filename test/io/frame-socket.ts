import { TurnFrames, type Turns } from "../../src/io/turn-frames.ts";

/** A socket that hands on what is written to it. */
export class FrameSocket extends TurnFrames {
  readonly #to: (bytes: Buffer) => void;

  constructor(turns: Turns, to: (bytes: Buffer) => void) {
    super(turns);
    this.#to = to;
  }

  get waitingBytes(): number {
    return this.heldBytes;
  }

  override flush(): void {
    super.flush();
  }

  protected override write(bytes: Buffer): void {
    this.#to(bytes);
  }
}
