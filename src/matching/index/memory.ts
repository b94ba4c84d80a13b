/**
 * Where a market's arrays lie: in memory of its own, or in memory that other threads may read as well.
 * Both are read and written alike.
 */

/** Makes arrays of zeros. */
export class Memory {
  readonly isShared: boolean;

  constructor(isShared: boolean) {
    this.isShared = isShared;
  }

  int32(length: number): Int32Array {
    return this.isShared
      ? new Int32Array(new SharedArrayBuffer(length * 4))
      : new Int32Array(length);
  }

  uint32(length: number): Uint32Array {
    return this.isShared
      ? new Uint32Array(new SharedArrayBuffer(length * 4))
      : new Uint32Array(length);
  }

  uint16(length: number): Uint16Array {
    return this.isShared
      ? new Uint16Array(new SharedArrayBuffer(length * 2))
      : new Uint16Array(length);
  }

  uint8(length: number): Uint8Array {
    return this.isShared ? new Uint8Array(new SharedArrayBuffer(length)) : new Uint8Array(length);
  }

  float32(length: number): Float32Array {
    return this.isShared
      ? new Float32Array(new SharedArrayBuffer(length * 4))
      : new Float32Array(length);
  }

  float64(length: number): Float64Array {
    return this.isShared
      ? new Float64Array(new SharedArrayBuffer(length * 8))
      : new Float64Array(length);
  }
}

/** Memory of one thread. */
export const OWN_MEMORY = new Memory(false);
/** Memory of all threads. */
export const SHARED_MEMORY = new Memory(true);
