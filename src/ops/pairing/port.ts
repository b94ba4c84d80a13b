/** What the admin socket needs of pairing. */

/** The pairing interface as it answers over HTTP, for whoever has the socket. */
export type PairingCall = (call: {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: unknown;
}) => Promise<{ readonly status: number; readonly body: unknown }>;
