/** Why the pairing service refuses: one row a reason. docs/errors.md is generated from this table. */

/** One reason, and the HTTP status it becomes. */
export interface PairingError {
  readonly status: number;
  readonly meaning: string;
}

/** Every reason. */
export const PAIRING_ERRORS = {
  PAIRING_BAD_INPUT: {
    status: 400,
    meaning: "A policy, provider or option is wrong; each fault names its field.",
  },
  PAIRING_UNKNOWN_MARKET: { status: 404, meaning: "There is no market of this name." },
  PAIRING_UNAUTHORISED: { status: 401, meaning: "The API key is missing, unknown or revoked." },
  PAIRING_FORBIDDEN: {
    status: 403,
    meaning: "The key, or the web page, may not do this; writes need a key with this market.",
  },
  PAIRING_NO_PATH: { status: 404, meaning: "The interface has no such path." },
  PAIRING_UNKNOWN_RANKING: {
    status: 404,
    meaning: "The audit trail has no such pairing, or not any more.",
  },
  PAIRING_BAD_METHOD: { status: 405, meaning: "The path knows other methods only." },
  PAIRING_NOT_REPLAYABLE: {
    status: 409,
    meaning: "The pairing cannot be made again: its profile is gone, or another replay runs.",
  },
  PAIRING_BODY_TOO_LARGE: { status: 413, meaning: "The body is larger than is read." },
  PAIRING_RATE_LIMITED: {
    status: 429,
    meaning: "The caller is over a limit of its key or address.",
  },
  PAIRING_INTERNAL: { status: 500, meaning: "The request met a bug of ours; the log has it." },
  PAIRING_UNKNOWN_PROVIDER: { status: 404, meaning: "The market has no provider of this address." },
  PAIRING_UNKNOWN_CONSUMER: { status: 404, meaning: "The consumer has no policy." },
  PAIRING_UNKNOWN_LIST: {
    status: 404,
    meaning: "There is no such list: of that consumer, chain and epoch; or there are none at all.",
  },
  PAIRING_UNKNOWN_PROFILE: { status: 404, meaning: "No scoring profile of this name is there." },
  PAIRING_BUSY: { status: 409, meaning: "The market is being loaded; the next load must wait." },
  PAIRING_MARKET_FULL: {
    status: 409,
    meaning: "The market holds as many providers, locations or features as it may.",
  },
  PAIRING_TOO_MANY: { status: 413, meaning: "One call asks for more than is allowed at once." },
  PAIRING_QUEUE_FULL: {
    status: 429,
    meaning: "The policy queue is full: send less, or wait for room with a timeout.",
  },
  PAIRING_ABORTED: { status: 499, meaning: "The caller gave up." },
  PAIRING_QUEUE_CLOSED: { status: 503, meaning: "The policy queue is closed: the host stops." },
  PAIRING_TIMEOUT: { status: 503, meaning: "There was no room, or no answer, in time." },
  PAIRING_PREPARING: {
    status: 503,
    meaning: "What the request needs of a large market is being made; try again in some seconds.",
  },
  PAIRING_UNAVAILABLE: {
    status: 503,
    meaning: "The pairing service is starting, restarting or stopped.",
  },
} as const satisfies Readonly<Record<string, PairingError>>;

/** The code of a reason. */
export type PairingErrorCode = keyof typeof PAIRING_ERRORS;
