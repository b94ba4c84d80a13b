/**
 * All live processes by id. Ids only grow, so pages of an array serve better than a Map: adding and
 * removing cost a few ns, and whoever lives long pins one small page.
 */
import type { Process } from "./process.ts";

const PAGE_BITS = 7;
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SIZE - 1;

interface Page {
  readonly slots: (Process | undefined)[];
  live: number;
}

/** Processes of one node. */
export class ProcessTable {
  private readonly pages = new Map<number, Page>();
  private lastNumber = -1;
  private last: Page | undefined = undefined;
  size = 0;

  get(id: number): Process | undefined {
    return this.pages.get(Math.floor(id / PAGE_SIZE))?.slots[id & PAGE_MASK];
  }

  add(process: Process): void {
    const { id } = process;
    const number = Math.floor(id / PAGE_SIZE);
    let page = number === this.lastNumber ? this.last : this.pages.get(number);
    if (page === undefined) {
      page = { slots: Array.from({ length: PAGE_SIZE }, () => undefined), live: 0 };
      this.pages.set(number, page);
    }
    if (page !== this.last) {
      // It was kept for ids to come; they come elsewhere now.
      if (this.last?.live === 0) this.pages.delete(this.lastNumber);
      this.last = page;
      this.lastNumber = number;
    }
    page.slots[id & PAGE_MASK] = process;
    page.live += 1;
    this.size += 1;
  }

  delete(id: number): void {
    const number = Math.floor(id / PAGE_SIZE);
    const page = number === this.lastNumber ? this.last : this.pages.get(number);
    const at = id & PAGE_MASK;
    if (page?.slots[at] === undefined) return;
    page.slots[at] = undefined;
    page.live -= 1;
    this.size -= 1;
    // The newest page stays: its ids are still to come.
    if (page.live === 0 && page !== this.last) this.pages.delete(number);
  }

  /** In the order in which they were started. */
  *values(): Generator<Process, void, undefined> {
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      for (const process of this.pages.get(number)?.slots ?? []) {
        if (process !== undefined) yield process;
      }
    }
  }
}
